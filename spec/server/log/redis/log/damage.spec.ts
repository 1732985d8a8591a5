import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { encodeProposal } from '../../../../../server/log/payload.ts';
import { keysOf } from '../../../../../server/log/redis/link/keys.ts';
import { kvCommand } from '../../../../support/experiments/proposals.ts';
import { DAMAGES } from '../../../../support/experiments/redis-scenarios.ts';
import {
  LogServer,
  startLogServers,
  verdictOf,
  Writers,
} from '../../../../support/servers/log-servers.ts';
import { startRedis } from '../../../../support/servers/redis.ts';
import { until } from '../../../../support/until.ts';

const keys = keysOf('dc1');

describe('RedisLog over a damaged Redis', () => {
  for (const [name, damage] of Object.entries(DAMAGES)) {
    it(`heals ${name}: no entry lost, none foreign, no index twice`, async () => {
      const redis = await startRedis();
      const servers = await startLogServers(3, { url: redis.url, settleMs: 300 });
      const writers = new Writers(servers, 200);
      const acked = () => servers.reduce((sum, server) => sum + server.acked.length, 0);
      const epoch = async () => Number(await redis.admin.hget(keys.meta, 'epoch'));
      await until(() => acked() > 60);

      const before = await epoch();
      await damage(redis);
      await until(async () => (await epoch()) > before);
      const healed = acked();
      await until(() => acked() > healed + 60);
      await writers.stop();

      const { lost, duplicates, reported } = await verdictOf(servers);
      assert.deepEqual({ lost, duplicates, reported }, { lost: 0, duplicates: 0, reported: 0 });
      for (const { sink } of servers) assert.deepEqual(sink.reusedIndexes, []);

      // Who comes now finds a whole history: from the stream, or from a snapshot that was asked for.
      const late = await LogServer.start({ url: redis.url, name: 'late' });
      await verdictOf([...servers, late]);
    });
  }

  it('heals the loss of the meta record and something else in the place of the stream', async () => {
    const redis = await startRedis();
    const servers = await startLogServers(2, { url: redis.url, settleMs: 300 });
    for (const server of servers) assert.equal(await server.write(), 'acked');
    await redis.admin.multi().del(keys.meta).set(keys.log, 'text').exec();
    await until(async () => (await servers[0]?.write()) === 'acked');
    const { lost, duplicates } = await verdictOf(servers);
    assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
  });

  it('takes no proposal for written because its id is left of a log that is gone', async () => {
    const redis = await startRedis();
    const server = await LogServer.start({ url: redis.url, name: 'a', settleMs: 300 });
    assert.equal(await server.write('first'), 'acked');
    // Written by a server whose reader was not told of it before all but the ids was gone.
    await redis.admin.multi().zadd(keys.ids, 2, 'second').del(keys.meta, keys.log).exec();
    await until(async () => (await server.write('second')) === 'acked');
    assert.deepEqual(server.sink.ids, ['first', 'second']);
  });

  for (const key of ['meta', 'ids', 'servers', 'candidates', 'snapshot'] as const) {
    it(`does without ${keys[key]} when something else stands there`, async () => {
      const redis = await startRedis();
      const servers = await startLogServers(2, { url: redis.url, settleMs: 300 });
      for (const server of servers) assert.equal(await server.write(), 'acked');
      await redis.admin.set(keys[key], 'text');
      await until(async () => {
        const results = await Promise.all(servers.map((server) => server.write()));
        return results.every((result) => result === 'acked');
      });
      await servers[0]?.save();
      const { lost, duplicates } = await verdictOf(servers);
      assert.deepEqual({ lost, duplicates }, { lost: 0, duplicates: 0 });
    });
  }

  it('goes on when Redis has forgotten the scripts', async () => {
    const redis = await startRedis();
    const server = await LogServer.start({ url: redis.url, name: 'a', settleMs: 0 });
    assert.equal(await server.write(), 'acked');
    await redis.admin.script('FLUSH');
    assert.equal(await server.write(), 'acked');
    assert.equal(await server.log.readIndex(), 2);
  });

  it('never shows what was to be written, in no error and no line', async () => {
    const redis = await startRedis();
    const lines: string[] = [];
    const add = (line: string) => void lines.push(line);
    const logger = { error: add, warn: add, info: add, debug: add };
    const server = await LogServer.start({ url: redis.url, name: 'a', settleMs: 0, logger });
    const canary = encodeProposal('canary-id', kvCommand('canary-key', { value: 'Y2FuYXJ5' }));
    await redis.admin.config('SET', 'maxmemory', '1');
    const refused = await server.log.append([canary]).catch((error: unknown) => error);
    await redis.admin.config('SET', 'maxmemory', '0');
    redis.signal('SIGSTOP');
    const late = await server.log.append([canary]).catch((error: unknown) => error);
    redis.signal('SIGCONT');
    const shown = inspect([refused, late, lines], { depth: null });
    assert(shown.includes('ProconsulError'));
    assert.doesNotMatch(shown, /canary|Y2FuYXJ5/);
  });
});
