import assert from 'node:assert/strict';
import { startLogServers } from '../../../../support/servers/log-servers.ts';
import { startRedis } from '../../../../support/servers/redis.ts';
import { until } from '../../../../support/until.ts';

describe('RedisLog.account', () => {
  it('tells of its Redis, of a restart, and of what it put back', async () => {
    const redis = await startRedis();
    const [server] = await startLogServers(1, { url: redis.url, settleMs: 0 });
    assert(server !== undefined);
    await server.write();
    const before = await server.log.account();
    const address = `127.0.0.1:${redis.address.port}`;
    assert.equal(before.redis?.address, address);
    assert.ok((before.redis?.now?.usedBytes ?? 0) > 100_000);
    assert.equal(before.redis?.now?.isSaved, true);
    assert.deepEqual(before.redis?.now?.replicas, []);
    assert.deepEqual(
      before.redis?.finds.map(({ before: last, putBack, awayMs }) => [last, putBack, awayMs]),
      [[undefined, 0, 0]],
    );

    await redis.admin.flushall();
    await until(() => server.log.status().writable === false);
    await until(() => server.log.status().writable);
    const after = await server.log.account();
    const [found, ...earlier] = after.redis?.finds ?? [];
    assert.equal(earlier.length, 1);
    assert.equal(found?.before, before.epoch);
    assert.equal(found?.epoch, after.epoch);
    assert.ok(after.epoch > before.epoch, `${after.epoch}`);
    assert.ok((found?.putBack ?? 0) > 0);
    assert.equal(found?.lost, 0);
    assert.ok((found?.awayMs ?? -1) >= 0);
  });

  it('answers while Redis is away, and then tells of none', async () => {
    const redis = await startRedis();
    const [server] = await startLogServers(1, { url: redis.url, settleMs: 0 });
    assert(server !== undefined);
    await redis.kill();
    await until(() => server.log.status().writable === false);
    const { redis: told } = await server.log.account();
    assert.deepEqual([told?.address, told?.now, told?.finds.length], ['', undefined, 1]);
  });
});
