import assert from 'node:assert/strict';
import { Refusal } from '../../web/core/refusal.ts';
import { untilAnswered } from '../../web/core/retry.ts';

const NO_WAIT = {
  after: (_: number, call: () => void) => {
    const timer = setImmediate(call);
    return () => clearImmediate(timer);
  },
  random: () => 0.5,
};

describe('what is asked once', () => {
  const lost = () => Promise.reject(new Refusal('lost', 0, ''));

  it('is asked until there is an answer', async () => {
    let asked = 0;
    const ask = async () => (++asked < 4 ? lost() : 'here');
    assert.equal(await untilAnswered(ask, new AbortController().signal, NO_WAIT), 'here');
    assert.equal(asked, 4);
  });

  it('is asked again where somebody hangs, who is waited for no more', async () => {
    let given = 0;
    const ask = async (signal: AbortSignal) =>
      await new Promise<string>((resolve, reject) => {
        if (given === 2) resolve('here');
        signal.addEventListener('abort', () => {
          given++;
          reject(signal.reason);
        });
      });
    assert.equal(await untilAnswered(ask, new AbortController().signal, NO_WAIT), 'here');
    assert.equal(given, 2);
  });

  it('has a refusal for an answer', async () => {
    const refused = new Refusal('forbidden', 403, 'Permission denied');
    const ask = () => Promise.reject(refused);
    await assert.rejects(untilAnswered(ask, new AbortController().signal, NO_WAIT), refused);
  });

  it('is asked no more when nobody wants to know', async () => {
    const asking = new AbortController();
    const answer = untilAnswered(lost, asking.signal, NO_WAIT);
    asking.abort();
    assert.equal(await answer, undefined);
  });
});
