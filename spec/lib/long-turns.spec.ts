import assert from 'node:assert/strict';
import { batchTurn, bodyTurn, whenRoom } from '../../lib/long-turns.ts';
import { inSlices, type Steps } from '../../lib/slices.ts';
import { Turns, whole } from '../support/turns.ts';
import { until } from '../support/until.ts';

const MB = 1024 * 1024;

function* work(slices: number): Steps<string> {
  for (let i = 0; i < slices; i++) yield 512 * 1024;
  return 'done';
}

const large = (slices: number) => whole(inSlices(() => work(slices)));

/** A turn in which nothing was done yet. */
const newTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Some that were sent from an address, each of which says when its turn has come. */
function sent(address: string, many: number, begun: (address: string) => void, bytes = MB) {
  return Array.from({ length: many }, async () => {
    await bodyTurn({ bytes, address, onceOver: () => undefined });
    begun(address);
  });
}

describe('a call when there is room', () => {
  it('is one of some in a turn, however many ask, and of none that was taken back', async () => {
    const turns = new Turns();
    let most = 0;
    let calls = 0;
    const call = () => {
      calls++;
      most = Math.max(most, turns.count('call'));
    };
    const takeBack = Array.from({ length: 100 }, () => whenRoom(call));
    for (const each of takeBack.slice(80)) each();
    await until(() => calls === 80);
    await newTurn();
    assert.deepEqual([calls, most <= 8], [80, true]);
  });

  it('takes nobody his place who wants a large answer, however many ask', async () => {
    const calls = Array.from({ length: 5000 }, () => whenRoom(() => undefined));
    assert.equal(await large(2), 'done');
    for (const cancel of calls) cancel();
  });
});

describe('the turn of a body', () => {
  it('is shared with no other, and soon there beside the longest work', async () => {
    const turns = new Turns();
    const long = Array.from({ length: 20 }, () => large(100));
    const counts: number[] = [];
    await Promise.all(sent('a', 10, () => counts.push(turns.count('own'))));
    assert.deepEqual(new Set(counts), new Set([1]));
    // Each of the long ones has its first go before, and every other turn is theirs.
    assert(turns.stop() <= 70);
    await Promise.all(long);
  });

  it('comes to one of each address in turn, however many one has sent', async () => {
    const order: string[] = [];
    const begun = (address: string) => order.push(address);
    const all = [...sent('many', 40, begun), ...sent('one', 2, begun)];
    await Promise.all(all);
    assert(order.lastIndexOf('one') <= 4, order.join(' '));
  });

  it('comes to one of each network of IPv6 in turn, from however many of its addresses', async () => {
    const order: string[] = [];
    const many = Array.from({ length: 40 }, (_, n) =>
      sent(`2001:db8::${n + 1}`, 1, () => order.push('many')),
    );
    const one = sent('2001:db8:0:1::1', 2, () => order.push('one'));
    await Promise.all([...many.flat(), ...one]);
    assert(order.lastIndexOf('one') <= 4, order.join(' '));
  });

  it('is refused to whoever has most of them waiting, where they are too much', async () => {
    const begun: string[] = [];
    const some = sent('few', 3, (address) => begun.push(address));
    const many = sent('many', 100, (address) => begun.push(address));
    const late = sent('late', 1, (address) => begun.push(address));
    const told = await Promise.allSettled(many);
    await Promise.all([...some, ...late]);
    const refused = told.filter((each) => each.status === 'rejected');
    assert.equal(refused.length, 40);
    assert(refused.every(({ reason }) => reason.code === 'busy'));
    assert.equal(begun.length, 64);
  });

  it('comes to an archive, however large it is and whoever sends others beside it', async () => {
    const archive = sent('a', 1, () => undefined, 256 * MB);
    const others = sent('b', 40, () => undefined);
    await Promise.all([...archive, ...others, ...sent('a', 1, () => undefined)]);
  });

  it('is left at once by who has gone, who takes nobody the room', async () => {
    let begun = 0;
    let go: () => void = () => undefined;
    const onceOver = (call: () => void) => {
      go = call;
    };
    const gone = bodyTurn({ bytes: 60 * MB, address: 'gone', onceOver });
    go();
    await assert.rejects(gone, { code: 'unavailable' });
    await Promise.all(sent('a', 60, () => begun++));
    assert.equal(begun, 60);
  });
});

describe('the turn of a batch', () => {
  it('comes in every other turn, whatever bodies, questions and answers wait', async () => {
    const turns = new Turns();
    const long = Array.from({ length: 20 }, () => large(30));
    const bodies = sent('a', 60, () => undefined);
    const batches = 20;
    for (let n = 0; n < batches; n++) await batchTurn();
    assert(turns.stop() <= 2 * batches + 2);
    await Promise.all([...long, ...bodies]);
  });

  it('leaves every other turn to all else', async () => {
    let isOver = false;
    const writes = (async () => {
      while (!isOver) await batchTurn();
    })();
    const turns = new Turns();
    assert.equal(await large(20), 'done');
    assert(turns.stop() <= 60);
    isOver = true;
    await writes;
  });
});
