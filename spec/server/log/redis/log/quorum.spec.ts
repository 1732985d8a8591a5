import assert from 'node:assert/strict';
import { IndexGate } from '../../../../../server/log/index-gate.ts';
import { Quorum } from '../../../../../server/log/redis/log/quorum.ts';
import { CheckIn, type EpochLink } from '../../../../../server/log/redis/records/check-in.ts';
import { FakeClock } from '../../../../support/fakes/fake-clock.ts';

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
