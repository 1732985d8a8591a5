import assert from 'node:assert/strict';
import { IndexGate } from '../../../../../server/log/index-gate.ts';
import { keysOf } from '../../../../../server/log/redis/link/keys.ts';
import type { Live } from '../../../../../server/log/redis/log/live.ts';
import { Quorum } from '../../../../../server/log/redis/log/quorum.ts';
import { CheckIn } from '../../../../../server/log/redis/records/check-in.ts';
import { FakeClock } from '../../../../support/fakes/fake-clock.ts';

describe('Quorum.committed', () => {
  // FLUSHALL between an append and its entry's way back; the others seal anew and write on, and the
  // stream that this session still reads brings their entry at the same index.
  it('is false where another entry was applied at the index', async () => {
    const clock = new FakeClock();
    const applied = new IndexGate(clock);
    const quorum = new Quorum({
      policy: 'redis',
      servers: 3,
      checkIn: new CheckIn('a'),
      keys: keysOf('dc1'),
      clock,
      applied,
      hashAt: (index) => (index === 2 ? 'theirs' : undefined),
    });
    const live = { session: { signal: new AbortController().signal }, epoch: 1 } as Live;
    const deadline = clock.monotonic() + 1000;
    const ours = quorum.committed(live, { index: 2, hash: 'ours' }, deadline);
    const theirs = quorum.committed(live, { index: 2, hash: 'theirs' }, deadline);
    applied.moved(2);
    assert.deepEqual(await Promise.all([ours, theirs]), [false, true]);
  });
});
