import assert from 'node:assert/strict';
import { IndexGate } from '../../../../../server/log/index-gate.ts';
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
});

describe('Quorum.confirmed', () => {
  const heard = (round: number, applied: number) => ({ seen: 1000, round, applied });

  /** Of a read in round 7 that was told index 5, where the servers say this. */
  function confirmed(clock: FakeClock, ...reports: readonly ReturnType<typeof heard>[]) {
    const checkIn = { report: async () => reports } as unknown as CheckIn;
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
