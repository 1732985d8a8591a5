import assert from 'node:assert/strict';
import { failOver } from '../../../../support/experiments/redis-scenarios.ts';

describe('RedisLog over Sentinel', function () {
  // Three Redis and three sentinels need some seconds to know one another.
  this.timeout(40_000);

  for (const kind of ['killed', 'planned'] as const) {
    it(`loses no acknowledged write when the master is replaced (${kind})`, async () => {
      const { lost, duplicates, reported, acked } = await failOver(kind, 500);
      assert(acked > 0);
      assert.deepEqual({ lost, duplicates, reported }, { lost: 0, duplicates: 0, reported: 0 });
    });
  }
});
