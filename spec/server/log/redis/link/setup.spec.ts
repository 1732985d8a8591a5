/** The kinds of Redis that a log runs over, and those that it refuses. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '../../../../../lib/clock.ts';
import { parseRedisUrl, type RedisOptions } from '../../../../../server/log/redis/link/options.ts';
import { RedisLog } from '../../../../../server/log/redis/log/redis-log.ts';
import { HistorySink } from '../../../../support/fakes/history-sink.ts';
import { freePort } from '../../../../support/servers/free-ports.ts';
import {
  LogServer,
  startLogServers,
  verdictOf,
  Writers,
} from '../../../../support/servers/log-servers.ts';
import { startRedis } from '../../../../support/servers/redis.ts';
import { until } from '../../../../support/until.ts';

const run = promisify(execFile);

/** What a Redis user needs at the least; docs/operations.md names the same. */
const LEAST_RIGHTS =
  'resetchannels ~{proconsul:dc1}* +@connection +@read +@write +@scripting +@transaction -@dangerous +info +time';

/** Collects what a log says. */
function listener() {
  const lines: string[] = [];
  const add = (line: string) => void lines.push(line);
  return { lines, logger: { error: add, warn: add, info: add, debug: add } };
}

function newLog(redis: RedisOptions, logger = listener().logger): RedisLog {
  const self = { datacenter: 'dc1', server: 's1' };
  return new RedisLog({ redis, self, clock: systemClock, logger, bounds: { settleMs: 0 } });
}

describe('RedisLog on', () => {
  it('a Redis that may evict: refuses to start, and says what to set', async () => {
    const redis = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    const log = newLog(parseRedisUrl(redis.url));
    await assert.rejects(log.start(new HistorySink()), {
      code: 'invalid',
      message: /maxmemory-policy noeviction/,
    });
    await log.stop();
  });

  it('a Redis without an append-only file: warns', async () => {
    const redis = await startRedis({ args: ['--appendonly', 'no'] });
    const { lines, logger } = listener();
    const server = await LogServer.start({ url: redis.url, name: 'a', logger, settleMs: 0 });
    assert(lines.some((line) => line.includes('appendonly is off')));
    assert.equal(await server.write(), 'acked');
  });

  it('a Redis that is full: refuses what was certainly not written, and goes on', async () => {
    const redis = await startRedis();
    const server = await LogServer.start({ url: redis.url, name: 'a', settleMs: 0 });
    await redis.admin.config('SET', 'maxmemory', '1');
    assert.equal(await server.write(), 'unavailable');
    await redis.admin.config('SET', 'maxmemory', '0');
    await until(async () => (await server.write()) === 'acked');
    const { lost, duplicates } = await verdictOf([server]);
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
  });

  it('a Redis with a user of the least rights; a wrong password is named, never shown', async () => {
    const redis = await startRedis();
    const rights = LEAST_RIGHTS.split(' ');
    await redis.admin.call('ACL', 'SETUSER', 'proconsul', 'on', '>right-secret', ...rights);
    await redis.admin.call('ACL', 'SETUSER', 'default', 'resetkeys');
    const url = (password: string) => redis.url.replace('//', `//proconsul:${password}@`);
    const [server] = await startLogServers(1, { url: url('right-secret'), settleMs: 0 });
    assert(server !== undefined);
    for (let i = 0; i < 5; i++) assert.equal(await server.write(), 'acked');
    await server.save();
    await server.log.leases.renew('a', 1000);

    const { lines, logger } = listener();
    const log = newLog(parseRedisUrl(url('wrong-secret')), logger);
    await assert.rejects(log.start(new HistorySink()), { code: 'invalid', message: /WRONGPASS/ });
    await log.stop();
    assert(!lines.join().includes('wrong-secret'));
    // Whoever started it says why, and no other line does.
    assert.deepEqual(
      lines.filter((line) => line.includes('WRONGPASS')),
      [],
    );
  });

  it('a Redis Cluster, also when the slot moves to another node', async function () {
    this.timeout(20_000);
    const args = ['--cluster-enabled', 'yes'];
    const [one, two] = await Promise.all([startRedis({ args }), startRedis({ args })]);
    await one.admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
    await one.admin.call('CLUSTER', 'MEET', '127.0.0.1', two.address.port);
    const state = async () => String(await one.admin.call('CLUSTER', 'INFO'));
    await until(async () => /state:ok.*known_nodes:2/s.test(await state()), state);
    const url = `redis+cluster://127.0.0.1:${two.address.port},127.0.0.1:${one.address.port}`;
    const servers = await startLogServers(2, { url, settleMs: 300 });
    const [server] = servers;
    assert(server !== undefined);
    for (let i = 0; i < 5; i++) assert.equal(await server.write(), 'acked');
    const ownerOf = async () => (await two.admin.call('CLUSTER', 'MYID')) as string;
    const slot = await one.admin.call('CLUSTER', 'KEYSLOT', '{proconsul:dc1}:log');
    // As `redis-cli --cluster reshard` does: mark, move the keys, tell everybody.
    const oneId = (await one.admin.call('CLUSTER', 'MYID')) as string;
    const twoId = await ownerOf();
    await two.admin.call('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', oneId);
    await one.admin.call('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', twoId);
    for (;;) {
      const keys = (await one.admin.call(
        'CLUSTER',
        'GETKEYSINSLOT',
        String(slot),
        100,
      )) as string[];
      if (keys.length === 0) break;
      const target = ['127.0.0.1', two.address.port, '', 0, 5000, 'KEYS', ...keys];
      await one.admin.call('MIGRATE', ...target);
    }
    for (const { admin } of [two, one]) {
      await admin.call('CLUSTER', 'SETSLOT', String(slot), 'NODE', twoId);
    }
    await until(async () => (await server.write()) === 'acked');
    const { lost, duplicates, reported } = await verdictOf(servers);
    assert.deepEqual({ lost, duplicates, reported }, { lost: 0, duplicates: 0, reported: 0 });
    assert((await two.admin.xlen('{proconsul:dc1}:log')) >= 6);
  });

  it('a Redis Cluster whose replica takes over: puts back what that one has not got', async function () {
    this.timeout(20_000);
    const args = ['--cluster-enabled', 'yes'];
    const [one, two] = await Promise.all([startRedis({ args }), startRedis({ args })]);
    await one.admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
    await two.admin.call('CLUSTER', 'MEET', '127.0.0.1', one.address.port);
    const oneId = String(await one.admin.call('CLUSTER', 'MYID'));
    await until(async () => String(await two.admin.call('CLUSTER', 'NODES')).includes(oneId));
    await until(
      async () =>
        await two.admin.call('CLUSTER', 'REPLICATE', oneId).then(
          () => true,
          () => false,
        ),
    );
    await until(async () => (await two.admin.info('replication')).includes('link_status:up'));
    const state = async () => String(await one.admin.call('CLUSTER', 'INFO'));
    await until(async () => (await state()).includes('cluster_state:ok'), state);
    const url = `redis+cluster://127.0.0.1:${one.address.port},127.0.0.1:${two.address.port}`;
    const servers = await startLogServers(2, { url, settleMs: 300 });
    const writers = new Writers(servers, 200);
    await until(() => (servers[0]?.acked.length ?? 0) > 20);
    // A frozen replica lacks what is written meanwhile.
    two.signal('SIGSTOP');
    const before = servers[0]?.acked.length ?? 0;
    await until(() => (servers[0]?.acked.length ?? 0) > before + 20);
    await one.kill();
    two.signal('SIGCONT');
    await until(
      async () =>
        await two.admin.call('CLUSTER', 'FAILOVER', 'TAKEOVER').then(
          () => true,
          () => false,
        ),
    );
    await until(() => servers.every(({ log }) => log.status().writable));
    const moved = servers[0]?.acked.length ?? 0;
    await until(() => (servers[0]?.acked.length ?? 0) > moved + 5);
    await writers.stop();
    const { lost, duplicates, reported } = await verdictOf(servers);
    assert.deepEqual({ lost, duplicates, reported }, { lost: 0, duplicates: 0, reported: 0 });
  });

  it('a Redis behind TLS: only with the authority and the name that it shows', async () => {
    const port = await freePort();
    const redis = await startRedis();
    const { dir } = redis;
    const subject = ['-subj', '/CN=redis.test', '-addext', 'subjectAltName=DNS:redis.test'];
    const files = ['-keyout', join(dir, 'key.pem'), '-out', join(dir, 'cert.pem')];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1'];
    await run('openssl', [...request, ...subject, ...files]);
    await redis.admin.config('SET', 'tls-cert-file', join(dir, 'cert.pem'));
    await redis.admin.config('SET', 'tls-key-file', join(dir, 'key.pem'));
    await redis.admin.config('SET', 'tls-ca-cert-file', join(dir, 'cert.pem'));
    await redis.admin.config('SET', 'tls-auth-clients', 'no');
    await redis.admin.config('SET', 'tls-port', String(port));
    const ca = await readFile(join(dir, 'cert.pem'), 'utf8');
    const options = (tls: object) => ({ ...parseRedisUrl(`rediss://127.0.0.1:${port}`), tls });

    const log = newLog(options({ ca, servername: 'redis.test' }));
    await log.start(new HistorySink());
    assert.equal(await log.readIndex(), 0);
    await log.stop();
    for (const tls of [{ servername: 'redis.test' }, { ca }, { ca, servername: 'other.test' }]) {
      const refused = newLog(options(tls));
      await assert.rejects(refused.start(new HistorySink()), { code: 'invalid' });
      await refused.stop();
    }
  });
});
