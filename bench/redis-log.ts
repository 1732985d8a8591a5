/**
 * What a write to the Redis log costs, on a Redis of its own with an append-only file.
 * Run: node --import tsx bench/redis-log.ts [seconds each, 3]
 */
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import { parseRedisUrl } from '../server/log/redis/link/options.ts';
import { RedisLog } from '../server/log/redis/log/redis-log.ts';
import { proposal } from '../spec/support/experiments/proposals.ts';
import { startRedis, stopAllRedis } from '../spec/support/servers/redis.ts';

const seconds = Number(process.argv[2] ?? 3);
const VALUE = 'x'.repeat(300);
let made = 0;

const batchOf = (size: number) =>
  Array.from({ length: size }, () => {
    return proposal(`bench/${made++}`, { value: VALUE });
  });

async function measure(name: string, once: () => Promise<unknown>, writesEach: number) {
  const took: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const begun = performance.now();
    await once();
    took.push(performance.now() - begun);
  }
  took.sort((a, b) => a - b);
  const at = (share: number) => (took[Math.floor(took.length * share)] ?? 0).toFixed(2);
  const rate = Math.round((took.length * writesEach) / seconds);
  process.stdout.write(`${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${rate} a second\n`);
}

async function open(url: string, server: string, servers: number): Promise<RedisLog> {
  const log = new RedisLog({
    redis: parseRedisUrl(url),
    self: { datacenter: 'dc1', server, servers },
    clock: systemClock,
    logger: silentLogger,
  });
  await log.start({ apply: () => undefined, restore: async () => undefined });
  return log;
}

for (const commit of ['redis', 'quorum']) {
  const redis = await startRedis();
  const url = `${redis.url}?commit=${commit}`;
  const logs = await Promise.all(['a', 'b', 'c'].map((name) => open(url, name, 3)));
  const [log] = logs;
  if (log === undefined) throw new Error('no log');
  for (const size of [1, 32, 512]) {
    const name = `commit=${commit}, three servers, batches of ${size}`;
    await measure(name, async () => await log.append(batchOf(size)), size);
  }
  for (const by of ['log', 'majority'] as const) {
    const name = `commit=${commit}, read-index by ${by}`;
    await measure(name, async () => await log.readIndex(by), 1);
    const reads = async () =>
      await Promise.all(Array.from({ length: 100 }, () => log.readIndex(by)));
    await measure(`${name} for 100 reads at once`, reads, 100);
  }
  for (const each of logs) await each.stop();
  await stopAllRedis();
}
