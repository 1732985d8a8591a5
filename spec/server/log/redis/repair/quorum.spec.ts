import assert from 'node:assert/strict';
import { promotedReplicaOf } from '../../../../support/experiments/redis-masters.ts';
import { LogServer, pause, verdictOf } from '../../../../support/servers/log-servers.ts';
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
    const { lost, duplicates } = await verdictOf([a.server, b.server, c.server]);
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
  });

  it('counts nobody for a read who spoke before it began, when Redis hears it only then', async () => {
    const { redis, a, b, c } = await setUp();
    assert.equal(await a.server.write(), 'acked');
    for (let round = 0; round < 3; round++) {
      redis.signal('SIGSTOP');
      // Each has said once more that it is here, which waits in Redis's sockets; then two are gone.
      await pause(60);
      for (const { proxy } of [b, c]) proxy.frozen = true;
      const read = a.server.log.readIndex('majority');
      const refused = assert.rejects(read, { code: 'unavailable' });
      await pause(20);
      redis.signal('SIGCONT');
      await refused;
      for (const { proxy } of [b, c]) {
        proxy.frozen = false;
        proxy.cutAll();
      }
      await until(async () => (await a.server.write()) === 'acked');
    }
  });

  it('hears of no round of before where rounds count anew', async () => {
    const { redis, a } = await setUp();
    for (let i = 0; i < 3; i++) await a.server.log.readIndex('majority');
    const rung = await redis.admin.xrange('{proconsul:dc1}:bell', '-', '+');
    assert.match(rung[0]?.[0] ?? '', /^[1-9]\d*-[3-9]\d*$/);
    await redis.admin.del('{proconsul:dc1}:meta');
    await until(async () => (await a.server.write()) === 'acked');
    assert.equal(await redis.admin.exists('{proconsul:dc1}:bell'), 0);
  });

  it('hears the majority where something else stands in the place of the bell', async () => {
    const { redis, a } = await setUp();
    await redis.admin.set('{proconsul:dc1}:bell', 'something else');
    await until(() =>
      a.server.log.readIndex('majority').then(
        () => true,
        () => false,
      ),
    );
    assert.equal(await redis.admin.type('{proconsul:dc1}:bell'), 'stream');
  });

  it('reads by majority from a Redis that is full', async () => {
    const { redis, a } = await setUp();
    assert.equal(await a.server.write(), 'acked');
    await redis.admin.config('SET', 'maxmemory', '1');
    assert.equal(await a.server.write(), 'unavailable');
    assert.equal(await a.server.log.readIndex('majority'), 1);
    // Who comes to a Redis anew asks the majority before any read.
    a.proxy.cutAll();
    await until(() => !a.server.log.status().writable);
    await until(() => a.server.log.status().writable);
    assert.equal(await a.server.log.readIndex(), 1);
  });

  it('refuses such a read, and keeps its link, where Redis takes no write at all', async () => {
    const { redis, a } = await setUp();
    assert.equal(await a.server.write(), 'acked');
    const links = () => {
      const found = a.server.log.metrics().find(({ name }) => name === 'proconsul.redis.links');
      return found?.kind === 'counter' ? found.read() : undefined;
    };
    const before = links();
    assert.equal(await a.server.log.readIndex('majority'), 1);
    await redis.admin.config('SET', 'min-replicas-to-write', '1');
    const refused = { code: 'unavailable', message: /NOREPLICAS/ };
    await assert.rejects(a.server.log.readIndex('majority'), refused);
    assert.equal(await a.server.log.readIndex(), 1);
    await redis.admin.config('SET', 'min-replicas-to-write', '0');
    assert.equal(await a.server.log.readIndex('majority'), 1);
    assert.equal(before, 1);
    assert.equal(links(), before);
  });

  it('begins no epoch twice in a Redis that was flushed, so that what comes next follows for all', async () => {
    const { redis, a, b, c } = await setUp();
    const all = [a.server, b.server, c.server];
    for (let round = 0; round < 2; round++) {
      for (const server of all) assert.equal(await server.write(), 'acked');
      await redis.admin.flushall();
      for (const server of all) await until(async () => (await server.write()) === 'acked');
    }
    const { lost, duplicates } = await verdictOf(all);
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
  });

  it('refuses by name a second server with an ID that is in use, and lets a process follow its own', async () => {
    const { redis, a, b, c } = await setUp();
    const url = `${redis.url}?commit=quorum`;
    const twin = LogServer.begin({ url, name: 'a', servers: 3, settleMs: 100 });
    await assert.rejects(twin.started, { code: 'invalid', message: /uses this Redis as a: each/ });
    assert.equal(await a.server.write(), 'acked');
    // Killed: what it said last stands in Redis for a moment.
    a.proxy.frozen = true;
    await a.server.stop();
    const again = await LogServer.start({ url, ...A_AGAIN });
    assert.equal(await again.write('again'), 'acked');
    const { lost } = await verdictOf([again, b.server, c.server]);
    assert.equal(lost, 0);
  });

  it('acknowledges nothing on an old master that only a minority still uses', async () => {
    const { redis, a, b, c } = await setUp();
    for (let i = 0; i < 5; i++) assert.equal(await a.server.write(), 'acked');
    const all = [a.server, b.server, c.server];
    await verdictOf(all);
    const next = await promotedReplicaOf(redis);
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
    // Whoever comes to it only now shows nothing of it as new, by a default read either.
    a.proxy.cutAll();
    await until(() => !a.server.log.status().writable);
    await until(() => a.server.log.status().writable);
    await assert.rejects(a.server.log.readIndex(), { code: 'unavailable' });
    lead(a);
    await until(async () => (await a.server.write()) === 'acked');
    const { lost, duplicates } = await verdictOf(all);
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
    assert.equal(a.server.lost.length, 1, 'what nobody acknowledged is told of all the same');
  });

  it('is begun by all servers there are to be, and by no fewer', async () => {
    const redis = await startRedis();
    const url = `${redis.url}?commit=quorum`;
    const make = (name: string) => LogServer.begin({ url, name, servers: 3, settleMs: 50 });
    const [a, b] = [make('a'), make('b')];
    await until(async () => (await redis.admin.hlen('{proconsul:dc1}:seal')) === 5);
    for (const { log } of [a, b]) assert.equal(log.status().writable, false);
    const c = make('c');
    await Promise.all([a, b, c].map(({ started }) => started));
    assert.equal(await a.write(), 'acked');
    await verdictOf([a, b, c]);
  });

  it('loses nothing to a restarted server that helps to begin an epoch', async () => {
    const { redis, a, b, c } = await setUp();
    for (let i = 0; i < 5; i++) assert.equal(await a.server.write(), 'acked');
    await verdictOf([a.server, b.server, c.server]);
    const next = await promotedReplicaOf(redis);
    c.proxy.frozen = true;
    assert.equal(await a.server.write('precious'), 'acked');
    // A is restarted, and has forgotten it; B is cut off; C never had it.
    b.proxy.frozen = true;
    await a.server.stop();
    for (const { proxy } of [a, b, c]) proxy.target = next.address;
    c.proxy.frozen = false;
    for (const { proxy } of [a, c]) proxy.cutAll();
    const again = LogServer.begin({ url: `${a.proxy.url}?commit=quorum`, ...A_AGAIN });
    await until(async () => (await next.admin.hlen('{proconsul:dc1}:seal')) === 5);
    await until(async () => Number(await next.admin.hget('{proconsul:dc1}:seal', ':last')) > 0);
    assert.equal(again.log.status().writable, false);
    assert.equal(await c.server.write(), 'unavailable', 'they wait for the one that remembers');
    b.proxy.frozen = false;
    b.proxy.cutAll();
    await again.started;
    await until(async () => (await c.server.write()) === 'acked');
    const { duplicates, reported } = await verdictOf([again, b.server, c.server]);
    assert.deepEqual({ duplicates, reported }, { duplicates: 0, reported: 0 });
    assert(c.server.sink.ids.includes('precious'));
  });

  it('goes back to an old master only after all there have begun another epoch there', async () => {
    const { redis, a, b, c } = await setUp();
    for (let i = 0; i < 5; i++) assert.equal(await a.server.write(), 'acked');
    await verdictOf([a.server, b.server, c.server]);
    const next = await promotedReplicaOf(redis);
    const epoch = async () => Number(await redis.admin.hget('{proconsul:dc1}:meta', 'epoch'));
    const before = await epoch();
    a.proxy.target = next.address;
    a.proxy.cutAll();
    // It alone cannot begin an epoch there, and has promised to do so.
    await until(async () => (await next.admin.hget('{proconsul:dc1}:seal', 'a')) !== null);
    await until(async () =>
      / [1-9]\d* \w+ \d+ \S+$/.test((await next.admin.hget('{proconsul:dc1}:seal', 'a')) ?? ''),
    );
    a.proxy.target = redis.address;
    a.proxy.cutAll();
    await until(async () => (await a.server.write()) === 'acked');
    assert((await epoch()) > before + 1);
    const { lost, duplicates } = await verdictOf([a.server, b.server, c.server]);
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
  });
});

const A_AGAIN = { name: 'a', servers: 3, settleMs: 100 };
