import assert from 'node:assert/strict';
import { keysOf } from '../../../../../server/log/redis/link/keys.ts';
import { describeLeases } from '../../../../contract/leases.contract.ts';
import { LogServer, startLogServers } from '../../../../support/servers/log-servers.ts';
import { type RedisProcess, startRedis } from '../../../../support/servers/redis.ts';
import { until } from '../../../../support/until.ts';

/** Redis's clock cannot be moved: so everything that was noted by it is moved back. */
async function pass(redis: RedisProcess, ms: number): Promise<void> {
  const { leases, leaseClock } = keysOf('dc1');
  const script = `
    local all = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
    for i = 1, #all, 2 do
      redis.call('ZADD', KEYS[1], string.format('%d', all[i + 1] - ARGV[1]), all[i])
    end
    for _, field in ipairs({ 'last', 'asked', 'grace', 'sealed_at' }) do
      local at = redis.call('HGET', KEYS[2], field)
      if at then redis.call('HSET', KEYS[2], field, string.format('%d', at - ARGV[1])) end
    end
    return 1`;
  await redis.admin.eval(script, 2, leases, leaseClock, String(ms));
}

describeLeases('RedisLeases', async () => {
  const redis = await startRedis();
  const server = await LogServer.start({ url: redis.url, name: 'a', settleMs: 0 });
  const { leases } = server.log;
  await leases.grace();
  // The time that a new epoch gives to all is over.
  await pass(redis, 3_600_000);
  await leases.expired();
  await pass(redis, 1000);
  return { leases, pass: (ms) => pass(redis, ms) };
});

const HOUR_MS = 3_600_000;

describe('RedisLeases', () => {
  async function setUp() {
    const redis = await startRedis();
    const [a, b] = await startLogServers(2, { url: redis.url, settleMs: 100 });
    assert(a !== undefined && b !== undefined);
    return { redis, server: a, a: a.log.leases, b: b.log.leases };
  }

  it('end for every server alike', async () => {
    const { redis, a, b } = await setUp();
    await a.expired();
    await a.renew('short', 1000);
    await pass(redis, 1000);
    assert.deepEqual((await b.expired()).ids, ['short']);
    await b.drop('short');
    assert.deepEqual((await a.expired()).ids, []);
  });

  it('share a script with all that are renewed while one is on its way', async () => {
    const { redis, a } = await setUp();
    await a.renew('warm', 60_000);
    const before = await scriptsRun(redis);
    const names = Array.from({ length: 1200 }, (_, i) => `agent/${i}`);
    await Promise.all(names.map((name) => a.renew(name, 60_000)));
    await Promise.all(names.slice(0, 700).map((name) => a.drop(name)));
    const run = (await scriptsRun(redis)) - before;
    // Three and two; others look at Redis meanwhile, the tail and the leader.
    assert(run < 100, `${run} scripts`);
    assert.equal((await a.remaining()).size, 501);
  });

  it('share a script with those who come one by one, where they are patient, and go with whoever is not', async () => {
    const { redis, a } = await setUp();
    await a.renew('warm', 60_000);
    const before = await scriptsRun(redis);
    const renewed: Promise<void>[] = [];
    for (let i = 0; i < 1000; i++) {
      renewed.push(a.renew(`agent/${i}`, 60_000, 'patient'));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await a.renew('session', 60_000);
    await Promise.all(renewed);
    assert.equal((await a.remaining()).size, 1002);
    const run = (await scriptsRun(redis)) - before;
    assert(run < 100, `${run} scripts`);
  });

  it('are dropped and renewed in the order in which that was asked for', async () => {
    const { a } = await setUp();
    await Promise.all([a.renew('x', 60_000), a.drop('x'), a.drop('y'), a.renew('y', 60_000)]);
    assert.deepEqual([...(await a.remaining()).keys()], ['y']);
  });

  it('are away while Redis is full: that says nothing against who asks for one', async () => {
    const { redis, a } = await setUp();
    await redis.admin.config('SET', 'maxmemory', '1');
    await assert.rejects(a.renew('a', 10_000), { code: 'unavailable' });
    await redis.admin.config('SET', 'maxmemory', '0');
    await a.renew('a', 10_000);
    assert(((await a.left('a')) ?? 0) > 0);
  });

  it('go on with what they had when Redis’s clock is set back or on', async () => {
    const { redis, a } = await setUp();
    await a.expired();
    await a.renew('a', 10_000);
    // Set on by an hour: what was noted is an hour older.
    await pass(redis, HOUR_MS);
    await a.expired();
    assert.equal(((await a.left('a')) ?? 0) > 9000, true);
    await pass(redis, -HOUR_MS);
    assert.equal(((await a.left('a')) ?? 0) > 9000, true);
    await a.expired();
    const left = (await a.left('a')) ?? 0;
    assert(left > 9000 && left < 11_000, `${left} ms are left`);
  });

  it('end in their time in an epoch that begins in a Redis whose clock is ahead', async () => {
    const { redis, a } = await setUp();
    await a.expired();
    await a.renew('a', 10_000);
    // As of an earlier epoch, whose Redis was another one.
    await redis.admin.hset(keysOf('dc1').leaseClock, 'sealed', '1');
    await pass(redis, HOUR_MS);
    // The first of the epoch is no look of the leader's: nobody knows yet that the clock is ahead.
    await a.renew('b', 10_000);
    await a.expired();
    const left = (await a.left('a')) ?? 0;
    assert(left > 9000 && left < 11_000, `${left} ms are left`);
  });

  for (const key of ['leases', 'leaseTtls', 'leaseClock'] as const) {
    it(`go on when something else stands at ${keysOf('dc1')[key]}`, async () => {
      const { redis, a, b } = await setUp();
      await a.renew('a', 10_000);
      await redis.admin.set(keysOf('dc1')[key], 'x');
      await a.expired();
      await b.renew('a', 10_000);
      assert.deepEqual([...(await a.remaining()).keys()], ['a']);
      assert.notEqual(await a.left('a'), undefined);
    });
  }

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

async function scriptsRun({ admin }: RedisProcess): Promise<number> {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0);
}
