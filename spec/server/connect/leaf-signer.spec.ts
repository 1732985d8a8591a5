import assert from 'node:assert/strict';
import { Issuing } from '../../../server/connect/issuing.ts';
import { LeafSigner } from '../../../server/connect/leaf-signer.ts';
import { State } from '../../../server/state/state.ts';

describe('a signer of leaves', () => {
  it('reads one request in a turn of the loop, whatever it is', async () => {
    const state = () => new State();
    const propose = () => Promise.reject(new Error('nothing is to be written'));
    const issuing = new Issuing({ state, propose });
    const clock = { now: () => 0 };
    const none = { csr: 'none', forIngress: false };
    const signer = new LeafSigner({ state, issuing, clock, datacenter: 'dc1', hostsOf: () => [] });
    await assert.rejects(signer.sign(none, propose), /no CSR can be read/);
    let turns = 0;
    let isOver = false;
    const count = () => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const asked = Array.from({ length: 50 }, () => signer.sign(none, propose));
    const outcomes = await Promise.allSettled(asked);
    isOver = true;
    assert.ok(outcomes.every(({ status }) => status === 'rejected'));
    assert.ok(turns >= outcomes.length, `${outcomes.length} in ${turns} turns`);
  });
});
