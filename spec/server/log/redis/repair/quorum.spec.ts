import assert from 'node:assert/strict';
import { LogServer, verdictOf } from '../../../../support/servers/log-servers.ts';
import { startRedis } from '../../../../support/servers/redis.ts';
import { TcpProxy } from '../../../../support/servers/tcp-proxy.ts';
import { until } from '../../../../support/until.ts';

describe('RedisLog with commit=quorum', () => {
  async function setUp() {
    const redis = await startRedis();
    const side = async (name: string) => {
      const proxy = await TcpProxy.start(redis.address);
      const url = `${proxy.url}?commit=quorum`;
      const server = await LogServer.start({ url, name, servers: 3, settleMs: 100 });
      return { proxy, server };
    };
    const [a, b, c] = await Promise.all([side('a'), side('b'), side('c')]);
    return { redis, a, b, c };
  }

  it('acknowledges what a majority has applied', async () => {
    const { a, b, c } = await setUp();
    for (const { server } of [a, b, c]) {
      for (let i = 0; i < 10; i++) assert.equal(await server.write(), 'acked');
    }
    c.proxy.frozen = true;
    const before = a.server.sink.position.index;
    for (let i = 0; i < 10; i++) assert.equal(await a.server.write(), 'acked');
    assert(b.server.sink.position.index >= before + 9, 'the other of the majority has it');
    assert((await a.server.log.readIndex('majority')) >= before + 10);
    c.proxy.frozen = false;
    c.proxy.cutAll();
    const { lost, duplicates } = await verdictOf([a.server, b.server, c.server]);
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
  });

  it('acknowledges nothing, and reads nothing as new, without a majority', async () => {
    const { a, b, c } = await setUp();
    assert.equal(await a.server.write(), 'acked');
    b.proxy.frozen = true;
    c.proxy.frozen = true;
    assert.equal(await a.server.write(), 'unknown');
    await assert.rejects(a.server.log.readIndex('majority'), { code: 'unavailable' });
    for (const { proxy } of [b, c]) {
      proxy.frozen = false;
      proxy.cutAll();
    }
    await until(async () => (await a.server.write()) === 'acked');
    const { lost, duplicates, slowestMs } = await verdictOf([a.server, b.server, c.server]);
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
    assert(slowestMs < 2000);
  });

  it('acknowledges nothing on an old master that only a minority still uses', async () => {
    const { redis, a, b, c } = await setUp();
    for (let i = 0; i < 5; i++) assert.equal(await a.server.write(), 'acked');
    const all = [a.server, b.server, c.server];
    await verdictOf(all);
    const replicaOf = ['--replicaof', `127.0.0.1 ${redis.address.port}`];
    const next = await startRedis({ args: replicaOf });
    await until(async () => (await next.admin.xlen('{proconsul:dc1}:log')) === 5);
    await next.admin.call('REPLICAOF', 'NO', 'ONE');
    const lead = ({ proxy }: { proxy: TcpProxy }) => {
      proxy.target = next.address;
      proxy.cutAll();
    };
    lead(b);
    lead(c);
    await until(async () => (await b.server.write()) === 'acked');
    // It has reached Redis and this server, and that is not enough.
    assert.equal(await a.server.write(), 'unknown');
    await assert.rejects(a.server.log.readIndex('majority'), { code: 'unavailable' });
    lead(a);
    await until(async () => (await a.server.write()) === 'acked');
    const { lost, duplicates } = await verdictOf(all);
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
    assert.equal(a.server.lost.length, 1, 'what nobody acknowledged is told of all the same');
  });

  it('does not seal with less than a majority', async () => {
    const redis = await startRedis();
    const url = `${redis.url}?commit=quorum`;
    const alone = new LogServer({ url, name: 'a', servers: 3, settleMs: 50 });
    const start = alone.log.start(alone.sink);
    await until(async () => (await redis.admin.hlen('{proconsul:dc1}:seal')) > 0);
    assert.equal(alone.log.status().writable, false);
    const second = await LogServer.start({ url, name: 'b', servers: 3, settleMs: 50 });
    await start;
    assert.equal(await alone.write(), 'acked');
    await verdictOf([alone, second]);
    await alone.stop();
  });
});
