import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { keysOf } from '../../../../../server/log/redis/link/keys.ts';
import { proposal } from '../../../../support/experiments/proposals.ts';
import { RecordingLogger } from '../../../../support/fakes/recording-logger.ts';
import { LogServer, startLogServers, verdictOf } from '../../../../support/servers/log-servers.ts';
import { startRedis } from '../../../../support/servers/redis.ts';
import { TcpProxy } from '../../../../support/servers/tcp-proxy.ts';
import { until } from '../../../../support/until.ts';

const keys = keysOf('dc1');
const SMALL_RING = { minMs: 0, minEntries: 10, maxBytes: 1e6 };

async function setUp(ringLimits = SMALL_RING) {
  const redis = await startRedis();
  const [server] = await startLogServers(1, { url: redis.url, settleMs: 0, ringLimits });
  assert(server !== undefined);
  const write = async (count: number) => {
    for (let i = 0; i < count; i++) assert.equal(await server.write(), 'acked');
  };
  const firstIndex = async () => {
    const [first] = await redis.admin.xrange(keys.log, '-', '+', 'COUNT', 1);
    return Number.parseInt(first?.[0] ?? '', 10);
  };
  return { redis, server, write, firstIndex };
}

describe('RedisLog.saveSnapshot', () => {
  it('trims what snapshot, ring and servers no longer need, and no more', async () => {
    const { server, write, firstIndex } = await setUp();
    await write(50);
    // A server counts as far as it has said itself.
    await until(() => server.log.peers().some(({ applied }) => applied === 50));
    await server.save();
    const first = await firstIndex();
    // The ring keeps the last ten.
    assert(first > 30 && first <= 41, `${first}`);
  });

  it('does not trim past a server that lives and lags', async () => {
    const { redis, server, write, firstIndex } = await setUp();
    const proxy = await TcpProxy.start(redis.address);
    const slow = await LogServer.start({ url: proxy.url, name: 'slow', settleMs: 0 });
    await write(20);
    await until(() => server.log.peers().some((peer) => peer.server === 'slow'));
    await verdictOf([server, slow]);
    proxy.frozen = true;
    const behind = slow.sink.position.index;
    await write(100);
    await server.save();
    assert((await firstIndex()) <= behind);
    proxy.frozen = false;
    proxy.cutAll();
    await verdictOf([server, slow]);
    assert.equal(slow.sink.restores, 0);
  });

  it('leads on a server past which the stream was trimmed', async () => {
    const { redis, server, write } = await setUp();
    const proxy = await TcpProxy.start(redis.address);
    const slow = await LogServer.start({ url: proxy.url, name: 'slow', settleMs: 0 });
    await write(20);
    await verdictOf([server, slow]);
    proxy.frozen = true;
    await write(100);
    await server.save();
    await redis.admin.xtrim(keys.log, 'MINID', '110-0');
    await write(10);
    proxy.frozen = false;
    proxy.cutAll();
    await verdictOf([server, slow]);
    assert.equal(slow.sink.restores, 1);
    assert.deepEqual(slow.lost, []);
  });

  it('is asked for where the stream leaves a gap that no snapshot bridges', async () => {
    const { redis, server, write } = await setUp();
    await write(60);
    await redis.admin.xdel(keys.log, '30-0');
    const late = await LogServer.start({ url: redis.url, name: 'late', settleMs: 0 });
    await verdictOf([server, late]);
    assert.equal(late.sink.restores, 1);
  });

  it('is made anew where it is gone, and the stream has lost its beginning', async () => {
    const { redis, server, write } = await setUp();
    await write(50);
    await until(() => server.log.peers().some(({ applied }) => applied === 50));
    await server.save();
    await redis.admin.del(keys.snapshot);
    await until(async () => (await redis.admin.hget(keys.snapshot, 'idx')) === '50');
  });

  it('that cannot be loaded is said once, however often it is tried, until one can', async () => {
    const redis = await startRedis();
    const options = { url: redis.url, settleMs: 0, ringLimits: SMALL_RING };
    const server = await LogServer.start({ ...options, name: 'a', savesByHand: true });
    for (let i = 0; i < 60; i++) assert.equal(await server.write(), 'acked');
    await server.save();
    await redis.admin.hset(keys.snapshot, '0', 'damaged');
    await redis.admin.xtrim(keys.log, 'MINID', '50-0');
    const logger = new RecordingLogger();
    const late = LogServer.begin({ ...options, name: 'late', logger });
    // It asks for another once it has given this one up.
    await until(async () => Number(await redis.admin.hget(keys.meta, 'want')) > 0);
    const errors = logger.lines.filter((line) => /the snapshot of index/.test(line));
    assert.equal(errors.length, 1, errors.join('\n'));
    assert.equal(await server.write(), 'acked');
    await server.save();
    await late.started;
    await verdictOf([server, late]);
  });

  it('lets a whole new Redis be filled from a server whose memory does not reach back', async () => {
    const { redis, server, write } = await setUp();
    await write(60);
    await redis.admin.flushall();
    await until(async () => (await server.write()) === 'acked');
    const late = await LogServer.start({ url: redis.url, name: 'late', settleMs: 0 });
    const { lost, duplicates } = await verdictOf([server, late]);
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
    assert.deepEqual(server.sink.reusedIndexes, []);
  });

  it('leaves nothing for ever when its record goes, or its writing is broken off', async () => {
    const { redis, server, write } = await setUp();
    const others = async () => {
      const found = await redis.admin.keys('{proconsul:dc1}:snapshot:*');
      return await Promise.all(found.map(async (key) => await redis.admin.pttl(key)));
    };
    await write(20);
    await server.save();
    assert.deepEqual(await others(), []);
    // As a fork drops it.
    await redis.admin.del(keys.snapshot);
    for (const count of [1, 2]) {
      await write(20);
      await server.save();
      assert.equal(
        (await others()).length,
        count - 1,
        'the one that was replaced, for its readers',
      );
      assert((await others()).every((ttl) => ttl > 0));
    }
    await write(1);
    const broken = async function* () {
      // Past one chunk, so that a part of it is there.
      for (let i = 0; i < 40_000; i++) yield JSON.stringify(randomUUID());
      assert.equal((await others()).length, 2);
      assert(
        (await others()).every((ttl) => ttl > 0),
        'a crash now leaves nothing for ever',
      );
      throw new Error('broken off');
    };
    const { position } = server.sink;
    await assert.rejects(server.log.saveSnapshot({ position, lines: broken() }), /broken off/);
    assert.equal((await others()).length, 1);
    assert.equal(await redis.admin.exists(keys.snapshotLock), 0);
  });

  it('fails where another server is writing one, and leaves that one alone', async () => {
    const { redis, server, write } = await setUp();
    await write(3);
    await redis.admin.set(keys.snapshotLock, 'somebody', 'PX', 60_000);
    await assert.rejects(server.log.saveSnapshot(server.sink.snapshot()), { code: 'busy' });
    assert.equal(await redis.admin.get(keys.snapshotLock), 'somebody');
  });

  it('is taken at the next try where something else stood in the place of the lock', async () => {
    const { redis, server, write } = await setUp();
    await write(5);
    for (const stand of [
      () => redis.admin.set(keys.snapshotLock, 'x'),
      () => redis.admin.sadd(keys.snapshotLock, 'x'),
    ]) {
      await redis.admin.del(keys.snapshot, keys.snapshotLock);
      await stand();
      await server.save();
      assert.equal(await redis.admin.exists(keys.snapshot), 0);
      await server.save();
      assert.equal(await redis.admin.exists(keys.snapshot), 1);
    }
  });

  it('is not taken when a part of it is gone, while another server can make a new one', async () => {
    const { redis, server, write } = await setUp();
    await write(60);
    await server.save();
    await redis.admin.xtrim(keys.log, 'MINID', '40-0');
    await redis.admin.hdel(keys.snapshot, '0');
    await write(1);
    const late = await LogServer.start({ url: redis.url, name: 'late', settleMs: 0 });
    await verdictOf([server, late]);
    assert.deepEqual(late.sink.ids.length, 61);
  });

  it('takes many chunks', async () => {
    const { redis, server } = await setUp();
    await server.log.append([proposal('a')]);
    await until(() => server.sink.position.index === 1);
    // Hardly compressible, so that it is some MB.
    const lines = Array.from({ length: 40_000 }, (_, i) => {
      const id = `${(i * 2654435761) % 2 ** 32}-${Math.sin(i)}-${Math.cos(i * i)}`;
      return JSON.stringify(`${id}-${Math.tan(i)}-${Math.sin(i * 7)}`);
    });
    await server.log.saveSnapshot({ position: server.sink.position, lines });
    assert(Number(await redis.admin.hget(keys.snapshot, 'chunks')) > 1);
    const late = await LogServer.start({ url: redis.url, name: 'late', settleMs: 0 });
    assert.deepEqual(
      late.sink.ids,
      lines.map((line) => JSON.parse(line)),
    );
  });
});
