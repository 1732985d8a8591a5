import assert from 'node:assert/strict';
import { largeBodies } from '../../lib/body-room.ts';
import { MAX_BODIES_BYTES } from '../../lib/limits.ts';
import { inSlices, type Steps, Work, wantedBy } from '../../lib/slices.ts';
import { liveBytes } from '../support/heap.ts';
import { Turns, whole } from '../support/turns.ts';
import { until } from '../support/until.ts';

const SLICE = 512 * 1024;

/** So many slices of work, each of which says that it was done. */
function* work<T>(slices: number, result: T, say: () => void = () => undefined): Steps<T> {
  for (let i = 0; i < slices; i++) {
    say();
    yield SLICE;
  }
  return result;
}

const large = <T>(slices: number, result: T, say?: () => void) =>
  whole(inSlices(() => work(slices, result, say)));

function badRow(): never {
  throw new Error('no row');
}

/** A turn in which nothing was done yet. */
const newTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('work in slices', () => {
  beforeEach(newTurn);

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

  it('is refused where what it holds finds no room, until others are done or gone', async () => {
    const before = largeBodies.bytes;
    const holds = Math.floor(MAX_BODIES_BYTES / 3);
    const made = () => inSlices(() => work(3, 'made'), holds) as Work<string>;
    const some = [made(), made(), made()];
    const cancels = some.map((each) => each.want());
    const refused = whole(made());
    await assert.rejects(refused, { code: 'busy' });
    for (const cancel of cancels.slice(1)) cancel();
    assert.equal(await whole(made()), 'made');
    assert.equal(await some[0]?.result, 'made');
    assert.equal(largeBodies.bytes, before);
  });

  it('counts what thousands hold that wait for their turn, however little each holds', () => {
    const before = largeBodies.bytes;
    const some = Array.from(
      { length: 100 },
      () => new Work(() => work(3, 'made'), { holds: 1000 }),
    );
    const cancels = some.map((each) => each.want());
    assert.equal(largeBodies.bytes - before, 100_000);
    for (const cancel of cancels) cancel();
    assert.equal(largeBodies.bytes, before);
  });

  it('keeps nothing alive of what it was made of once it is done or has failed', async () => {
    const made = (row: () => string) => {
      const rows = Array.from({ length: 100_000 }, (_, i) => ({ row: i }));
      const begin = function* (): Steps<string> {
        yield SLICE;
        return `${row()}${rows.length}`;
      };
      return inSlices(begin) as Work<string>;
    };
    const { heap } = await liveBytes();
    const some = Array.from({ length: 4 }, () => [made(() => 'a'), made(badRow)]).flat();
    await Promise.allSettled(some.map(whole));
    const kept = (await liveBytes()).heap - heap;
    assert(kept < 2 * 1024 * 1024, `${kept} bytes of ${some.length}`);
  });

  it('does one slice in a turn, however much there is to do', async () => {
    const turns = new Turns();
    let most = 0;
    const count = () => {
      most = Math.max(most, turns.count('slice'));
    };
    const all = Array.from({ length: 10 }, (_, i) => large(5, i));
    const counted = large(50, 'long', count);
    assert.deepEqual(await Promise.all(all), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(await counted, 'long');
    assert.equal(most, 1);
    assert(turns.stop() >= 90);
  });

  it('does a slice for all who come in one turn, and another in those that follow', async () => {
    const turns = new Turns();
    let most = 0;
    const count = () => {
      most = Math.max(most, turns.count('slice'));
    };
    await Promise.all(Array.from({ length: 200 }, () => large(2, 'done', count)));
    assert(most <= 2, `${most} slices in a turn`);
  });

  it('is fair: what takes two slices does not wait for what takes a thousand', async () => {
    const ended: string[] = [];
    const long = large(1000, 'long').then((name) => ended.push(name));
    await large(2, 'short').then((name) => ended.push(name));
    assert.deepEqual(ended, ['short']);
    await long;
  });

  it('is soon done where it is short, however many long ones came before in the same turn', async () => {
    let done = 0;
    const long = Array.from({ length: 200 }, () => large(4, 'long').then(() => done++));
    const short = function* (): Steps<string> {
      yield 1000;
      return 'short';
    };
    assert.equal(await whole(inSlices(short)), 'short');
    assert(done < 150, `${done} long ones were done before`);
    await Promise.all(long);
  });

  it('has four under way; others have not begun to hold anything', async () => {
    let underWay = 0;
    let most = 0;
    const one = function* (): Steps<void> {
      // Whoever has none of the four places begins, and ends again.
      yield SLICE;
      most = Math.max(most, ++underWay);
      for (let i = 0; i < 10; i++) yield SLICE;
      underWay--;
    };
    await Promise.all(Array.from({ length: 20 }, () => whole(inSlices(() => one()))));
    assert.equal(most, 4);
  });

  it('tells more than can be served that it is too busy', async () => {
    const all = Array.from({ length: 4096 + 2 }, () => large(2, 'done'));
    const told = await Promise.allSettled(all);
    const refused = told.filter(({ status }) => status === 'rejected');
    assert(refused.length > 0 && refused.length <= 2, String(refused.length));
    assert.equal((refused[0] as PromiseRejectedResult).reason.code, 'busy');
    assert.equal(await large(2, 'done'), 'done');
  }).timeout(20_000);
});

describe('work that nobody wants', () => {
  beforeEach(newTurn);

  it('is not begun', async () => {
    await newTurn();
    let begun = 0;
    // The first takes what the turn has room for.
    const first = large(2, 'first');
    const some = Array.from({ length: 100 }, () => inSlices(() => work(2, 'x', () => begun++)));
    assert(some.every((made) => made instanceof Work));
    await first;
    await large(20, 'later');
    assert.equal(begun, 0);
  });

  it('ends with the last who wants it, also while it waits, and is begun anew', async () => {
    let begun = 0;
    let held = 0;
    let slices = 1000;
    const one = function* (): Steps<string> {
      begun++;
      held++;
      try {
        for (let i = 0; i < slices; i++) yield SLICE;
        return 'made';
      } finally {
        held--;
      }
    };
    const some = Array.from({ length: 10 }, () => inSlices(() => one()) as Work<string>);
    const leave = some.map((made) => [made.want(), made.want()]);
    for (let turn = 0; turn < 50; turn++) await newTurn();
    assert.equal(held, 4);
    for (const [first] of leave) first?.();
    await newTurn();
    assert.equal(held, 4);
    for (const [, second] of leave) second?.();
    assert.equal(held, 0);
    const before = begun;
    await large(50, 'later');
    assert.equal(begun, before);
    slices = 20;
    assert.equal(await whole(some[0] as Work<string>), 'made');
    assert.equal(begun, before + 1);
  });

  it('leaves its place to others', async () => {
    await newTurn();
    const given = Array.from({ length: 4096 }, () => {
      const made = inSlices(() => work(2, 'x'));
      return made instanceof Work ? made.want() : () => undefined;
    });
    for (const leave of given) leave();
    const all = Array.from({ length: 4000 }, () => large(2, 'done'));
    assert.deepEqual(new Set(await Promise.all(all)), new Set(['done']));
  }).timeout(20_000);
});

describe('work that one wants who may go', () => {
  beforeEach(newTurn);

  it('is not done for him any more once he has gone, and he is told nothing', async () => {
    const client = new AbortController();
    let done = 0;
    const made = wantedBy(
      client,
      inSlices(() => work(Number.POSITIVE_INFINITY, 'made', () => done++)),
    );
    await until(() => done > 2);
    client.abort();
    await assert.rejects(made, { code: 'unavailable' });
    const before = done;
    await large(20, 'later');
    assert.equal(done, before);
  });

  it('leaves its place in the line as he goes', async () => {
    const client = new AbortController();
    const some = Array.from({ length: 4096 }, () =>
      wantedBy(
        client,
        inSlices(() => work(20, 'made')),
      ),
    );
    const told = Promise.allSettled(some);
    client.abort();
    assert.equal(await large(2, 'done'), 'done');
    assert((await told).every(({ status }) => status === 'rejected'));
  });
});
