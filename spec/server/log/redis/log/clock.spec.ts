import assert from 'node:assert/strict';
import { keysOf } from '../../../../../server/log/redis/link/keys.ts';
import { LogServer } from '../../../../support/servers/log-servers.ts';
import { startRedis } from '../../../../support/servers/redis.ts';
import { until } from '../../../../support/until.ts';

const HOUR_MS = 3_600_000;

describe('the clock of a Redis log', () => {
  it('goes on where Redis’s was set back, and is that again once it has caught up', async () => {
    const redis = await startRedis();
    const server = await LogServer.start({ url: redis.url, name: 'a', settleMs: 0 });
    const { meta } = keysOf('dc1');
    const write = async () => {
      assert.equal(await server.write(), 'acked');
      return server.sink.position.t;
    };
    const ahead = (await write()) + HOUR_MS;
    // As if the entries so far had been written by a clock that was an hour ahead.
    await redis.admin.hset(meta, 't', String(ahead));
    assert.equal(await write(), ahead);
    await until(async () => (await write()) > ahead + 50);
    assert.equal(await redis.admin.hget(meta, 'late_t'), String(ahead));
    await redis.admin.hset(meta, { t: '1', late_t: '1' });
    assert((await write()) < ahead);
    assert.equal(await redis.admin.hexists(meta, 'late_t'), 0);
  });

  it('lets no epoch wait for as long as Redis’s was set back meanwhile', async () => {
    const redis = await startRedis();
    const server = await LogServer.start({ url: redis.url, name: 'a', settleMs: 300 });
    assert.equal(await server.write(), 'acked');
    const [, run = ''] = /run_id:(\w+)/.exec(await redis.admin.info('server')) ?? [];
    const { candidates } = keysOf('dc1');
    const ahead = Date.now() + HOUR_MS;
    // An epoch was about to begin by the old time, with a server that has died since and held more.
    const dead = `${ahead} 9 900 1 0 x another`;
    const left = { ':since': ahead, ':last': ahead, ':run': run, dead };
    await redis.admin.multi().flushall().hset(candidates, left).exec();
    await until(async () => (await server.write()) === 'acked');
  });
});
