/**
 * What a write to the Redis log costs, on a Redis of its own with an append-only file; and what writers get who write
 * again as soon as they are answered, batch by batch and with two under way (TMPDIR=/dev/shm takes the disk away).
 * Run: node --import tsx bench/redis-log.ts [seconds each, 3] [--writers, these alone]
 */
import { systemClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import type { LogSink, Proposal } from '../server/log/event-log.ts';
import { parseRedisUrl } from '../server/log/redis/link/options.ts';
import { RedisLog } from '../server/log/redis/log/redis-log.ts';
import { Proposer } from '../server/proposer.ts';
import { APPLIED } from '../server/state/outcome.ts';
import { kvCommand, proposal } from '../spec/support/experiments/proposals.ts';
import { startRedis, stopAllRedis } from '../spec/support/servers/redis.ts';
import { median } from './compare/measure.ts';

const seconds = Number(process.argv[2] ?? 3);
const onlyWriters = process.argv.includes('--writers');
const WRITERS = 32;
const ROUNDS = 6;
/** What a server does for a write beside the log: reads it, applies it, answers. */
const OWN_MS = 0.04;
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

interface Opened {
  readonly url: string;
  readonly server: string;
  readonly servers: number;
  readonly apply?: LogSink['apply'];
}

async function open({ url, server, servers, apply }: Opened): Promise<RedisLog> {
  const log = new RedisLog({
    redis: parseRedisUrl(url),
    self: { datacenter: 'dc1', server, servers },
    clock: systemClock,
    logger: silentLogger,
  });
  await log.start({ apply: apply ?? (() => undefined), restore: async () => undefined });
  return log;
}

/** How many writes a second come through a proposer whose log takes so many batches at once. */
async function written(log: RedisLog, batchesAtOnce: number, taking: Taking): Promise<number> {
  const appends = { batchesAtOnce, append: (batch: readonly Proposal[]) => log.append(batch) };
  const proposer = new Proposer(appends, `bench-${made++}`, () => systemClock.monotonic());
  taking.by = proposer;
  const end = performance.now() + seconds * 1000;
  let count = 0;
  const write = async () => {
    while (performance.now() < end) {
      await proposer.propose(kvCommand(`k${count++ % 1000}`, { value: VALUE }));
      for (const until = performance.now() + OWN_MS; performance.now() < until; );
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  return count / seconds;
}

interface Taking {
  by: Proposer | undefined;
}

async function measureWriters(): Promise<void> {
  const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  const taking: Taking = { by: undefined };
  const apply: LogSink['apply'] = (entries) => {
    for (const { id } of entries) taking.by?.settle(id, APPLIED);
  };
  const log = await open({ url: redis.url, server: 'a', servers: 1, apply });
  const rates: Record<1 | 2, number[]> = { 1: [], 2: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const most of [1, 2] as const) rates[most].push(await written(log, most, taking));
  }
  const [one, two] = [median(rates[1]), median(rates[2])].map(Math.round);
  process.stdout.write(
    `${WRITERS} writers, appendfsync always: ${one} a second, ${two} with two\n`,
  );
  await log.stop();
  await stopAllRedis();
}

await measureWriters();
for (const commit of onlyWriters ? [] : ['redis', 'quorum']) {
  const redis = await startRedis();
  const url = `${redis.url}?commit=${commit}`;
  const logs = await Promise.all(
    ['a', 'b', 'c'].map((server) => open({ url, server, servers: 3 })),
  );
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
