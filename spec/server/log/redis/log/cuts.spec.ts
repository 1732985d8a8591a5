import assert from 'node:assert/strict';
import { COMMAND_TIMEOUT_MS } from '../../../../../server/log/redis/link/limits.ts';
import { seededRandom } from '../../../../support/fakes/seeded-random.ts';
import { startLogServers, verdictOf, Writers } from '../../../../support/servers/log-servers.ts';
import { startRedis } from '../../../../support/servers/redis.ts';
import { TcpProxy } from '../../../../support/servers/tcp-proxy.ts';
import { until } from '../../../../support/until.ts';

const SEEDS = [1, 2];

describe('RedisLog over a network that cuts replies', () => {
  for (const seed of SEEDS) {
    it(`writes nothing twice, and leaves no promise pending (seed ${seed})`, async () => {
      const redis = await startRedis();
      const proxy = await TcpProxy.start(redis.address);
      const servers = await startLogServers(2, { url: proxy.url, settleMs: 300 });
      const random = seededRandom(seed);
      proxy.cutReply = () => random.next() < 1 / 20;
      const writers = new Writers(servers, 400);
      await until(() => proxy.cuts >= 25);
      await writers.stop();
      proxy.cutReply = () => false;

      const { lost, duplicates, acked } = await verdictOf(servers);
      assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
      assert(acked > 0);
    });
  }

  it('gives up when nothing comes through any more, and goes on when it does', async () => {
    const redis = await startRedis();
    const proxy = await TcpProxy.start(redis.address);
    const [server] = await startLogServers(1, { url: proxy.url, settleMs: 0 });
    assert(server !== undefined);
    await server.write();
    proxy.frozen = true;
    assert.equal(await server.write(), 'unknown');
    await assert.rejects(server.log.readIndex(), { code: 'unavailable' });
    assert.equal(server.log.status().writable, false);
    assert(server.log.status().lastContactMs > 1000);
    proxy.frozen = false;
    proxy.cutAll();
    await until(() => server.log.status().writable);
    assert.equal(await server.write(), 'acked');
    assert(server.log.status().lastContactMs < 1000);
    const { lost, duplicates } = await verdictOf([server]);
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
  });

  it('takes an answer that came while the process was busy', async () => {
    const redis = await startRedis();
    const [server] = await startLogServers(1, { url: redis.url, settleMs: 0 });
    assert(server !== undefined);
    const index = server.log.readIndex();
    const end = performance.now() + COMMAND_TIMEOUT_MS + 200;
    // The question goes out in the next turn, and then this process stands still.
    await new Promise((resolve) => setImmediate(resolve));
    while (performance.now() < end);
    assert.equal(await index, 0);
    assert.equal(server.log.status().writable, true);
  });
});
