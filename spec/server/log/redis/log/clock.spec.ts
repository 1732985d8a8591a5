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
});
