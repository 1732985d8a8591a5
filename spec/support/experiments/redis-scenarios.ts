/** Experiments on Redis: short in a spec, many runs of them in spec/system. */
import { cp, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { keysOf } from '../../../server/log/redis/link/keys.ts';
import type { CommitPolicy, RedisOptions } from '../../../server/log/redis/link/options.ts';
import {
  type LogServer,
  pause,
  startLogServers,
  type Verdict,
  verdictOf,
  Writers,
} from '../servers/log-servers.ts';
import {
  type RedisCertificates,
  type RedisProcess,
  startRedis,
  startSentinels,
} from '../servers/redis.ts';
import { until } from '../until.ts';

export type Failover = 'killed' | 'frozen 4 s' | 'planned';

const WRITES_PER_SECOND = 200;
const keys = keysOf('dc1');

/** What may happen to Redis behind our backs. Each leaves the process alive: no run_id tells. */
export const DAMAGES: Readonly<Record<string, (redis: RedisProcess) => Promise<unknown>>> = {
  FLUSHALL: (redis) => redis.admin.flushall(),
  'DEL of the stream': (redis) => redis.admin.del(keys.log),
  'DEL of the meta record': (redis) => redis.admin.del(keys.meta),
  'RENAME of the stream': (redis) => redis.admin.rename(keys.log, '{proconsul:dc1}:gone'),
  'RENAME of the meta record': (redis) => redis.admin.rename(keys.meta, '{proconsul:dc1}:gone'),
  'a foreign XADD': (redis) => redis.admin.xadd(keys.log, '*', 'command', 'mine'),
  'a foreign XADD in our own form': async (redis) => {
    const next = Number(await redis.admin.hget(keys.meta, 'idx')) + 1000;
    const fields = ['e', '1', 't', '1', 'p', 'x', 'h', 'f'.repeat(40), 'c', '{"type":"kv"}'];
    return await redis.admin.xadd(keys.log, `${next}-0`, ...fields);
  },
  'XSETID far ahead': (redis) => redis.admin.call('XSETID', keys.log, '900000000-0'),
  'SET in place of the stream': (redis) => redis.admin.set(keys.log, 'text'),
  'XTRIM of everything': (redis) => redis.admin.xtrim(keys.log, 'MAXLEN', 0),
  'REPLICAOF somebody, and of nobody again': async (redis) => {
    await redis.admin.replicaof('127.0.0.1', 1);
    return await redis.admin.replicaof('NO', 'ONE');
  },
};

/** How Redis speaks TLS, and how servers do with it. */
export interface SecureRedis {
  readonly files: RedisCertificates;
  reach(url: string): RedisOptions;
}

/** What becomes of writes on three servers while Sentinel fails the master over. */
export async function failOver(
  kind: Failover,
  afterMs: number,
  commit: CommitPolicy = 'redis',
  secure?: SecureRedis,
): Promise<Verdict> {
  const setup = await startSentinels(secure?.files);
  const url = `${setup.url}?commit=${commit}`;
  const redis = secure?.reach(url);
  const servers = await startLogServers(3, { url, servers: 3, ...(redis && { redis }) });
  const writers = new Writers(servers, WRITES_PER_SECOND);
  await pause(1500);
  const master = await setup.master();
  if (kind === 'killed') await master.kill();
  if (kind === 'frozen 4 s') {
    master.signal('SIGSTOP');
    await pause(4000);
    master.signal('SIGCONT');
  }
  if (kind === 'planned') await setup.failover();
  await until(async () => (await setup.master().catch(() => master)) !== master, undefined, 20_000);
  await pause(afterMs);
  await writers.stop();
  return await verdictOf(servers, 15_000);
}

/** Two servers with some entries in a Redis, which is then killed: what is done to its files? */
export async function loseFiles(
  lose: (redis: RedisProcess) => Promise<void>,
  options: { readonly entries: number; readonly before?: (redis: RedisProcess) => Promise<void> },
): Promise<Verdict & { readonly servers: readonly LogServer[] }> {
  const redis = await startRedis();
  const servers = await startLogServers(2, { url: redis.url, settleMs: 300 });
  const [first] = servers;
  for (let i = 0; i < options.entries; i++) await first?.write();
  await options.before?.(redis);
  for (let i = 0; i < options.entries; i++) await servers[i % 2]?.write();
  await verdictOf(servers);
  await redis.kill();
  await lose(redis);
  await redis.start();
  await until(async () => (await first?.write()) === 'acked');
  return { ...(await verdictOf(servers)), servers };
}

/** Cuts the append-only file to `bytes` before the end of its n-th last record. */
export async function cutAof(redis: RedisProcess, nth: number, bytes: number): Promise<void> {
  const file = await aofOf(redis);
  const whole = await readFile(file);
  const ends = recordEnds(whole);
  const end = ends.at(-nth);
  if (end === undefined) throw new Error(`only ${ends.length} records`);
  // Longer than it was would be filled with zeros, which Redis refuses.
  await truncate(file, Math.min(whole.length, Math.max(0, end - bytes)));
}

/** Keeps the files as they are now, and gives back what puts them in place again. */
export async function keepFiles(redis: RedisProcess): Promise<() => Promise<void>> {
  const kept = `${redis.dir}-kept`;
  const live = join(redis.dir, 'appendonlydir');
  await cp(live, kept, { recursive: true });
  return async () => {
    await rm(live, { recursive: true });
    await cp(kept, live, { recursive: true });
    await rm(kept, { recursive: true });
  };
}

async function aofOf({ dir }: RedisProcess): Promise<string> {
  const folder = join(dir, 'appendonlydir');
  const name = (await readdir(folder)).find((each) => each.endsWith('.incr.aof'));
  if (name === undefined) throw new Error('there is no append-only file');
  return join(folder, name);
}

/** Where each record ends: a record is an array of strings, each with its length before it. */
function recordEnds(file: Buffer): number[] {
  const ends: number[] = [];
  const line = (at: number) => file.indexOf('\r\n', at);
  for (let at = 0; at < file.length && file[at] === '*'.charCodeAt(0); ) {
    let left = Number(file.toString('latin1', at + 1, line(at)));
    at = line(at) + 2;
    for (; left > 0; left--) {
      const length = Number(file.toString('latin1', at + 1, line(at)));
      at = line(at) + 2 + length + 2;
    }
    ends.push(at);
  }
  return ends;
}
