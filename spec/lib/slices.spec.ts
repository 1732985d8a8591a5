import assert from 'node:assert/strict';
import { inSlices, ownTurn, type Steps } from '../../lib/slices.ts';
import { Turns } from '../support/turns.ts';

const SLICE = 512 * 1024;

/** So many slices of work, each of which says that it was done. */
function* work<T>(slices: number, result: T, say: () => void = () => undefined): Steps<T> {
  for (let i = 0; i < slices; i++) {
    say();
    yield SLICE;
  }
  return result;
}

describe('work in slices', () => {
  it('is done at once where it takes one, and throws what it throws', () => {
    const few = function* (): Steps<string> {
      for (let i = 0; i < 100; i++) yield 1;
      return 'done';
    };
    assert.equal(
      inSlices(() => few()),
      'done',
    );
    const bad = function* (): Steps<never> {
      yield 1;
      throw new Error('bad');
    };
    assert.throws(() => inSlices(() => bad()), /bad/);
  });

  it('does one slice in a turn, however much there is to do', async () => {
    const turns = new Turns();
    let most = 0;
    const count = () => {
      most = Math.max(most, turns.count('slice'));
    };
    // The first slice of each is done where it is asked for.
    const all = Array.from({ length: 10 }, (_, i) => inSlices(() => work(5, i)));
    const counted = inSlices(() => work(50, 'long', count));
    assert.deepEqual(await Promise.all(all), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(await counted, 'long');
    assert.equal(most, 1);
    assert(turns.stop() >= 90);
  });

  it('is fair: what takes two slices does not wait for what takes a thousand', async () => {
    const ended: string[] = [];
    const long = Promise.resolve(inSlices(() => work(1000, 'long'))).then((name) =>
      ended.push(name),
    );
    await Promise.resolve(inSlices(() => work(2, 'short'))).then((name) => ended.push(name));
    assert.deepEqual(ended, ['short']);
    await long;
  });

  it('has four under way; others have not begun to hold anything', async () => {
    let underWay = 0;
    let most = 0;
    const one = function* (): Steps<void> {
      yield SLICE;
      most = Math.max(most, ++underWay);
      for (let i = 0; i < 10; i++) yield SLICE;
      underWay--;
    };
    await Promise.all(Array.from({ length: 20 }, () => inSlices(() => one())));
    assert.equal(most, 4);
  });

  it('refuses more than can be served', async () => {
    const all = Array.from({ length: 4 + 4096 }, () => inSlices(() => work(1, 'done')));
    assert.throws(() => inSlices(() => work(1, 'done')), { code: 'busy' });
    await Promise.all(all);
    assert.equal(await inSlices(() => work(1, 'done')), 'done');
  });
});

describe('a turn of its own', () => {
  it('is shared with no other, and soon there beside the longest work', async () => {
    const turns = new Turns();
    const long = Array.from({ length: 20 }, () => inSlices(() => work(100, 'long')));
    const counts = await Promise.all(
      Array.from({ length: 10 }, async () => {
        await ownTurn();
        return turns.count('own');
      }),
    );
    assert.deepEqual(new Set(counts), new Set([1]));
    assert(turns.stop() <= 25);
    await Promise.all(long);
  });
});
