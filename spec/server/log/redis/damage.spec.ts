import assert from 'node:assert/strict';
import { keysOf } from '../../../../server/log/redis/keys.ts';
import { LogServer, startLogServers, verdictOf, Writers } from '../../../support/log-servers.ts';
import { startRedis } from '../../../support/redis.ts';
import { DAMAGES } from '../../../support/redis-scenarios.ts';
import { until } from '../../../support/until.ts';

const keys = keysOf('dc1');

describe('RedisLog over a damaged Redis', () => {
  for (const [name, damage] of Object.entries(DAMAGES)) {
    it(`heals ${name}: no entry lost, none foreign, no index twice`, async () => {
      const redis = await startRedis();
      const servers = await startLogServers(3, { url: redis.url, settleMs: 300 });
      const writers = new Writers(servers, 200);
      const acked = () => servers.reduce((sum, server) => sum + server.acked.length, 0);
      const epoch = async () => Number(await redis.admin.hget(keys.meta, 'epoch'));
      await until(() => acked() > 60);

      const before = await epoch();
      await damage(redis);
      await until(async () => (await epoch()) > before);
      const healed = acked();
      await until(() => acked() > healed + 60);
      await writers.stop();

      const { lost, duplicates, reported, slowestMs } = await verdictOf(servers);
      assert.deepEqual({ lost, duplicates, reported }, { lost: 0, duplicates: 0, reported: 0 });
      assert(slowestMs < 2000);
      for (const { sink } of servers) assert.deepEqual(sink.reusedIndexes, []);

      // Who comes now finds a whole history: from the stream, or from a snapshot that was asked for.
      const late = await LogServer.start({ url: redis.url, name: 'late' });
      await verdictOf([...servers, late]);
    });
  }
});
