import assert from 'node:assert/strict';
import { Pace } from '../../xds/pace.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { TickingClock } from '../support/fakes/ticking-clock.ts';

/** Whose it is. */
const [HIS, MINE] = [{}, {}];

const paceBy = (clock: FakeClock, logger = new RecordingLogger()) => new Pace({ clock, logger });

const turnOver = () => new Promise((resolve) => setImmediate(resolve));

/** How many there are after each turn, until there are so many. */
async function turnsUntil(count: number, made: () => number): Promise<number[]> {
  const turns: number[] = [];
  while (made() < count) {
    await turnOver();
    turns.push(made());
  }
  return turns;
}

describe('the pace at which what has changed is told', () => {
  it('leaves turns to others, and keeps the order in which they came', async () => {
    const pace = paceBy(new FakeClock());
    const told: number[] = [];
    const tell = (what: number) => () => {
      told.push(what);
      return 1;
    };
    for (let i = 0; i < 200; i++) pace.soon(tell(i), HIS);
    const turns = await turnsUntil(200, () => told.length);
    assert.deepEqual(
      told,
      Array.from({ length: 200 }, (_, i) => i),
    );
    assert.ok(turns.length >= 3, `${turns}`);
    pace.soon(tell(200), HIS);
    await turnOver();
    assert.equal(told.at(-1), 200);
  });

  it('goes by what they were worth: of those that have much to look at a turn has few', async () => {
    const pace = paceBy(new FakeClock());
    let told = 0;
    for (let i = 0; i < 10; i++) {
      pace.soon(() => {
        told++;
        return 20;
      }, HIS);
    }
    assert.deepEqual(await turnsUntil(10, () => told), [4, 8, 10]);
  });

  it('goes by the time that they take, and none is kept for ever by what is worked out', async () => {
    const pace = paceBy(new TickingClock(10));
    const done: string[] = [];
    const work = () => {
      done.push('work');
      // There is always more.
      if (done.length < 8) pace.workOut(work, [HIS]);
    };
    pace.workOut(work, [HIS]);
    for (const each of ['one', 'other']) {
      pace.soon(() => {
        done.push(each);
        return 1;
      }, HIS);
    }
    for (let i = 0; i < 2; i++) await turnOver();
    assert.deepEqual(done.slice(0, 4), ['work', 'one', 'work', 'other']);
  });

  it('works out what follows from others in the same turn, as far as there is room', async () => {
    const pace = paceBy(new FakeClock());
    let deep = 0;
    const work = () => {
      if (++deep < 100) pace.workOut(work, [HIS]);
    };
    pace.workOut(work, [HIS]);
    const turns = await turnsUntil(100, () => deep);
    assert.equal(turns.length, 2, `${turns}`);
  });

  it('lets go of much in several turns, and something in each, however much there is to tell', async () => {
    const pace = paceBy(new TickingClock(10));
    let [ended, told] = [0, 0];
    for (let i = 0; i < 5; i++) pace.end(() => void ended++);
    const tell = () => {
      told++;
      if (told < 8) pace.soon(tell, HIS);
      return 1;
    };
    pace.soon(tell, HIS);
    assert.deepEqual(await turnsUntil(5, () => ended), [1, 2, 3, 4, 5]);
    assert.ok(told >= 5, `${told}`);
  });

  it('comes to each in turn, however much others have, and for what is of both as soon as to either', async () => {
    const pace = paceBy(new TickingClock(10));
    const done: string[] = [];
    const work = (what: string) => () => void done.push(what);
    const tell = (what: string) => () => done.push(what);
    for (let i = 0; i < 9; i++) pace.workOut(work('his work'), [HIS]);
    pace.workOut(work('of both'), [HIS, MINE]);
    for (let i = 0; i < 9; i++) pace.soon(tell('his'), HIS);
    pace.soon(tell('mine'), MINE);
    const turns = await turnsUntil(20, () => done.length);
    assert.deepEqual(done.slice(0, 4), ['his work', 'his', 'of both', 'mine']);
    assert.equal(done.filter((each) => each === 'of both').length, 1);
    // Once done it takes up nothing of a turn in another line.
    assert.ok(turns.length <= 11, `${turns}`);
  });

  it('goes on with the others where one throws, and says so', async () => {
    const logger = new RecordingLogger();
    const pace = paceBy(new FakeClock(), logger);
    const done: string[] = [];
    const fail = () => {
      throw new Error('of no use');
    };
    pace.workOut(fail, [HIS]);
    pace.workOut(() => void done.push('work'), [HIS]);
    pace.soon(fail, HIS);
    pace.soon(() => done.push('tell'), HIS);
    pace.end(fail);
    pace.end(() => void done.push('end'));
    await turnsUntil(3, () => done.length);
    assert.deepEqual(done, ['work', 'tell', 'end']);
    assert.equal(logger.lines.length, 3);
    assert.match(logger.lines.join('\n'), /of no use/);
  });
});
