import assert from 'node:assert/strict';
import { RecordingLogger } from '../../../../support/servers/file-log-on.ts';
import { LogServer, verdictOf } from '../../../../support/servers/log-servers.ts';
import { type RedisProcess, startRedis } from '../../../../support/servers/redis.ts';
import { TcpProxy } from '../../../../support/servers/tcp-proxy.ts';
import { until } from '../../../../support/until.ts';

interface Side {
  readonly server: LogServer;
  readonly logger: RecordingLogger;
  readonly proxy: TcpProxy;
}

/** Two servers on an old master, each of which can be led to the new one by itself. */
describe('RedisLog where two masters take writes', () => {
  async function setUp(savesByHand = false) {
    const old = await startRedis();
    const replicaOf = ['--replicaof', `127.0.0.1 ${old.address.port}`];
    const next = await startRedis({ args: replicaOf });
    // With its first replica a Redis is another one to the log.
    await until(async () =>
      (await next.admin.info('replication')).includes('master_link_status:up'),
    );
    const side = async (name: string): Promise<Side> => {
      const proxy = await TcpProxy.start(old.address);
      const logger = new RecordingLogger();
      const options = { url: proxy.url, name, settleMs: 300, logger, savesByHand };
      const server = await LogServer.start(options);
      return { proxy, server, logger };
    };
    const [a, b] = await Promise.all([side('a'), side('b')]);
    for (let i = 0; i < 10; i++) await a.server.write();
    await verdictOf([a.server, b.server]);
    await until(async () => (await lengthOf(next)) === 10);
    await next.admin.call('REPLICAOF', 'NO', 'ONE');
    return { a, b, old, next };
  }

  async function lengthOf(redis: RedisProcess): Promise<number> {
    return await redis.admin.xlen('{proconsul:dc1}:log');
  }

  async function lead({ proxy, server }: Side, to: RedisProcess): Promise<void> {
    proxy.target = to.address;
    proxy.cutAll();
    await until(() => !server.log.status().writable);
    await until(() => server.log.status().writable);
  }

  it('reports what one side alone acknowledged, and gives its indexes to nothing else', async () => {
    const { a, b, next } = await setUp();
    await lead(b, next);
    for (let i = 0; i < 7; i++) assert.equal(await a.server.write(), 'acked');
    for (let i = 0; i < 5; i++) assert.equal(await b.server.write(), 'acked');
    await lead(a, next);
    const { lost, duplicates, reported } = await verdictOf([a.server, b.server]);
    assert.deepEqual({ lost, duplicates, reported }, { lost: 7, duplicates: 0, reported: 7 });
    assert.deepEqual(
      a.server.lost.map(({ id, index, type, subject }) => ({ id, index, type, subject })),
      Array.from({ length: 7 }, (_, i) => {
        const id = `a-${10 + i}`;
        return { id, index: 11 + i, type: 'kv', subject: id };
      }),
    );
    assert.deepEqual(b.server.lost, []);
    assert(b.server.sink.position.index > 2 ** 20);
    for (const { server } of [a, b]) assert.deepEqual(server.sink.reusedIndexes, []);
  });

  it('takes what the later one holds more, as long as nothing else was written', async () => {
    const { a, b, next } = await setUp();
    await lead(b, next);
    for (let i = 0; i < 7; i++) assert.equal(await a.server.write(), 'acked');
    await lead(a, next);
    assert.equal(await b.server.write(), 'acked');
    const { lost, duplicates, reported } = await verdictOf([a.server, b.server]);
    assert.deepEqual({ lost, duplicates, reported }, { lost: 0, duplicates: 0, reported: 0 });
  });

  it('waits for a server that lived, and begins with what that one holds', async () => {
    const { a, b, next } = await setUp();
    for (let i = 0; i < 7; i++) assert.equal(await a.server.write(), 'acked');
    await Promise.all([lead(b, next), lead(a, next)]);
    const { lost, duplicates, reported } = await verdictOf([a.server, b.server]);
    assert.deepEqual({ lost, duplicates, reported }, { lost: 0, duplicates: 0, reported: 0 });
    await a.server.write();
    await verdictOf([a.server, b.server]);
    assert.equal(a.server.sink.position.index, 18, 'no gap where nothing was lost');
  });

  it('lets the later epoch win over an old master that comes back', async () => {
    const { a, b, next } = await setUp();
    const old = a.proxy.target;
    await lead(b, next);
    for (let i = 0; i < 5; i++) assert.equal(await b.server.write(), 'acked');
    for (let i = 0; i < 3; i++) assert.equal(await a.server.write(), 'acked');
    b.proxy.target = old;
    b.proxy.cutAll();
    await until(() => a.server.lost.length + b.server.lost.length > 0);
    await until(async () => (await b.server.write()) === 'acked');
    const { lost, duplicates, reported } = await verdictOf([a.server, b.server]);
    assert.equal(duplicates, 0);
    assert.equal(lost, 3);
    assert(reported >= 3);
    assert(b.server.acked.every((id) => b.server.sink.ids.includes(id)));
  });

  it('names what was lost once, though both began an epoch of one number and nothing old is left', async () => {
    const { a, b, old, next } = await setUp(true);
    await lead(b, next);
    await old.admin.flushall();
    await until(async () => (await a.server.write()) === 'acked');
    for (let i = 0; i < 6; i++) assert.equal(await a.server.write(), 'acked');
    const lost = a.server.acked.slice(-7);
    for (let i = 0; i < 30; i++) assert.equal(await b.server.write(), 'acked');
    assert.equal(a.server.sink.position.epoch, b.server.sink.position.epoch);
    assert(b.server.sink.position.index > a.server.sink.position.index);
    // As if Redis had been in use for a day, and its snapshot were gone.
    await next.admin.xtrim('{proconsul:dc1}:log', 'MAXLEN', 1);
    await next.admin.zremrangebyrank('{proconsul:dc1}:ids', 0, -2);
    await next.admin.hset('{proconsul:dc1}:meta', { floor: '-1', floorhash: '' });
    a.proxy.target = next.address;
    a.proxy.cutAll();
    // It looks again and again for a snapshot that nobody takes, and says nothing of it twice.
    const asked = async () => Number(await next.admin.hget('{proconsul:dc1}:meta', 'want'));
    for (let time = 0; time < 3; time++) {
      await until(async () => (await asked()) > 0);
      await next.admin.hset('{proconsul:dc1}:meta', { want: '0' });
    }
    const named = () => a.server.lost.map(({ id }) => id);
    assert.deepEqual(named(), lost);
    await b.server.save();
    await until(() => a.server.log.status().writable);
    assert.deepEqual(named(), lost);
    assert.equal(a.logger.lines.filter((line) => line.includes('lost in a fork')).length, 7);
    assert.deepEqual(b.server.lost, []);
    for (const { server } of [a, b]) assert.deepEqual(server.sink.reusedIndexes, []);
  });
});
