import assert from 'node:assert/strict';
import { chaos } from '../../../../support/experiments/redis-chaos.ts';

describe('RedisLog among faults of every kind', function () {
  this.timeout(60_000);

  it('loses nothing in silence, and means one entry by an index (seed 4)', async () => {
    const { lostInSilence, duplicates, reused, acked, steps } = await chaos(4, 5);
    assert(acked > 0);
    const found = { lostInSilence, duplicates, reused };
    const none = { lostInSilence: [], duplicates: 0, reused: [] };
    assert.deepEqual(found, none, steps.join(', '));
  });
});
