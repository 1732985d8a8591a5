import assert from 'node:assert/strict';
import { IndexGate } from '../../../../../server/log/index-gate.ts';
import { keysOf } from '../../../../../server/log/redis/link/keys.ts';
import { Quorum } from '../../../../../server/log/redis/log/quorum.ts';
import { CheckIn, type EpochLink } from '../../../../../server/log/redis/records/check-in.ts';
import { FakeClock } from '../../../../support/fakes/fake-clock.ts';
import { until } from '../../../../support/until.ts';

describe('Quorum.committed', () => {
  // FLUSHALL between an append and its entry's way back; the others begin an epoch and write on, and the
  // stream that this link still reads brings their entry at the same index.
  it('is false where another entry was applied at the index', async () => {
    const clock = new FakeClock();
    const applied = new IndexGate(clock);
    const quorum = new Quorum({
      policy: 'redis',
      servers: 3,
      checkIn: new CheckIn('a'),
      clock,
      applied,
      hashAt: (index) => (index === 2 ? 'theirs' : undefined),
    });
    const link = { signal: new AbortController().signal };
    const epochLink = { link, epoch: 1 } as EpochLink;
    const deadline = clock.monotonic() + 1000;
    const ours = quorum.committed(epochLink, { index: 2, hash: 'ours' }, deadline);
    const theirs = quorum.committed(epochLink, { index: 2, hash: 'theirs' }, deadline);
    applied.moved(2);
    assert.deepEqual(await Promise.all([ours, theirs]), [false, true]);
  });
});

describe('Quorum.report', () => {
  it('says what came up while it was saying something: another round, with nothing new applied', async () => {
    const clock = new FakeClock();
    const said: (() => void)[] = [];
    const report = () => new Promise((resolve) => said.push(() => resolve([])));
    const checkIn = { report } as unknown as CheckIn;
    const applied = new IndexGate(clock);
    const hashAt = () => undefined;
    const quorum = new Quorum({ policy: 'quorum', servers: 3, checkIn, clock, applied, hashAt });
    const epochLink = { link: { closed: false }, epoch: 1 } as EpochLink;
    for (let i = 0; i < 3; i++) quorum.report(epochLink, 5);
    assert.equal(said.length, 1);
    said[0]?.();
    await until(() => said.length === 2);
    said[1]?.();
  });

  /** A server whose Redis tells the rounds one after the other, each by the answer to a report. */
  function told(rounds: readonly number[]) {
    const clock = new FakeClock();
    const said: unknown[] = [];
    const left = [...rounds];
    const run = async (_: unknown, __: unknown, [, , applied, round]: readonly unknown[]) => {
      said.push([applied, round]);
      return ['OK', `${left.shift() ?? rounds.at(-1)}`, []];
    };
    const checkIn = new CheckIn('a', (epochLink) => quorum.heard(epochLink));
    const applied = new IndexGate(clock);
    const hashAt = () => undefined;
    const quorum = new Quorum({ policy: 'quorum', servers: 3, checkIn, clock, applied, hashAt });
    const link = { closed: false, commands: { run }, keys: keysOf('dc1') };
    return { quorum, checkIn, said, epochLink: { link, epoch: 1 } as unknown as EpochLink };
  }

  it('says at once that it has heard of a round by the answer to what it said', async () => {
    const { quorum, checkIn, said, epochLink } = told([0, 7, 7]);
    quorum.report(epochLink, 5);
    await until(() => said.length === 1);
    quorum.report(epochLink, 6);
    await until(() => said.length === 3);
    // The bell, and a look, are late: there is nothing new in them.
    checkIn.heard(epochLink, 7);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(said, [
      [5, 0],
      [6, 0],
      [6, 7],
    ]);
  });

  it('drops nothing that comes up in the moment in which it has said all', async () => {
    for (let turns = 0; turns < 12; turns++) {
      const { quorum, said, epochLink } = told([0]);
      quorum.report(epochLink, 5);
      for (let i = 0; i < turns; i++) await undefined;
      quorum.report(epochLink, 6);
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(said.at(-1), [6, 0], `after ${turns} turns`);
    }
  });
});

describe('Quorum.confirmed', () => {
  const heard = (round: number, applied: number) => ({ seen: 1000, round, applied });

  /** Of a read in round 7 that was told index 5, where the servers say this. */
  function confirmed(clock: FakeClock, ...reports: readonly ReturnType<typeof heard>[]) {
    const checkIn = { report: async () => reports, heard: () => undefined } as unknown as CheckIn;
    const applied = new IndexGate(clock);
    const hashAt = () => undefined;
    const quorum = new Quorum({ policy: 'quorum', servers: 3, checkIn, clock, applied, hashAt });
    const link = { signal: new AbortController().signal, closed: false };
    const epochLink = { link, epoch: 1 } as EpochLink;
    return quorum.confirmed(epochLink, { round: 7, index: 5 }, clock.monotonic() + 1000);
  }

  it('takes a majority that knows of the round and has applied the index', async () => {
    const clock = new FakeClock();
    assert(await confirmed(clock, heard(7, 5), heard(7, 4), heard(8, 6)));
    assert(await confirmed(clock, heard(7, 5), heard(7, 5), heard(6, 5)));
  });

  it('is false at its time where Redis falls silent in the middle of the vote', async () => {
    const clock = new FakeClock();
    const silent = new Promise<never>(() => undefined);
    const checkIn = { report: () => silent, heard: () => undefined } as unknown as CheckIn;
    const applied = new IndexGate(clock);
    const quorum = new Quorum({
      ...{ policy: 'quorum', servers: 3, checkIn, clock, applied, hashAt: () => undefined },
    });
    const link = { signal: new AbortController().signal, closed: false };
    const epochLink = { link, epoch: 1 } as EpochLink;
    const asked = quorum.confirmed(epochLink, { round: 7, index: 5 }, clock.monotonic() + 1000);
    let told: boolean | undefined;
    void asked.then((agreed) => {
      told = agreed;
    });
    await clock.advance(999);
    assert.equal(told, undefined);
    await clock.advance(1);
    assert.equal(await asked, false);
  });

  // Who has not applied it may begin an epoch without it: it would have been read, and never been.
  it('is false where one knows of the round, and another has applied the index', async () => {
    const clock = new FakeClock();
    const asked = confirmed(clock, heard(7, 5), heard(7, 4), heard(6, 5));
    await clock.untilArmed();
    await clock.stall(2000);
    await clock.advance(10);
    assert.equal(await asked, false);
  });
});
