import assert from 'node:assert/strict';
import { LogServer, startLogServers } from '../../../../support/servers/log-servers.ts';
import { type RedisProcess, startRedis } from '../../../../support/servers/redis.ts';
import { until } from '../../../../support/until.ts';

describe('RedisLeases', () => {
  async function setUp() {
    const redis = await startRedis();
    const [a, b] = await startLogServers(2, { url: redis.url, settleMs: 100 });
    assert(a !== undefined && b !== undefined);
    return { redis, server: a, a: a.log.leases, b: b.log.leases };
  }

  async function redisTime(redis: RedisProcess): Promise<number> {
    const [seconds, microseconds] = await redis.admin.time();
    return Number(seconds) * 1000 + Number(microseconds) / 1000;
  }

  it('end for every server when their time has passed, and not before', async () => {
    const { redis, a, b } = await setUp();
    // A seal gives every lease its whole time: those of this spec begin after it.
    const begun = await redisTime(redis);
    await a.renew('short', 300);
    await a.renew('long', 60_000);
    await until(async () => (await b.expired()).ids.length > 0);
    assert((await redisTime(redis)) - begun >= 300);
    assert.deepEqual((await b.expired()).ids, ['short']);
    const left = await a.remaining();
    assert.equal(left.get('short'), 0);
    assert((left.get('long') ?? 0) > 50_000);
    await b.drop('short');
    assert.deepEqual((await a.expired()).ids, []);
    assert.equal((await a.remaining()).size, 1);
  });

  it('have their whole time again after a restart of Redis, which may have lost renewals', async () => {
    const { redis, server, a, b } = await setUp();
    await a.renew('session', 1500);
    await until(async () => (await a.remaining()).get('session') === 0);
    await redis.kill();
    await redis.start();
    await until(() => server.log.status().writable);
    await until(async () => (await b.remaining().catch(() => new Map())).has('session'));
    assert.deepEqual((await a.expired()).ids, []);
    assert(((await a.remaining()).get('session') ?? 0) > 0);
    await until(async () => (await a.expired()).ids.length === 1);
  });

  it('are refused while there is no Redis', async () => {
    const redis = await startRedis();
    const server = await LogServer.start({ url: redis.url, name: 'a', settleMs: 0 });
    await redis.kill();
    await until(() => !server.log.status().writable);
    await assert.rejects(server.log.leases.expired(), { code: 'unavailable' });
  });
});
