/** Anything that may happen to servers and their Redis, one thing after the other, by a seed. */

import { seededRandom } from '../fakes/seeded-random.ts';
import {
  type LogServer,
  pause,
  startLogServers,
  verdictOf,
  Writers,
} from '../servers/log-servers.ts';
import { type RedisProcess, startRedis } from '../servers/redis.ts';
import { TcpProxy } from '../servers/tcp-proxy.ts';
import { until } from '../until.ts';
import { cutAof, DAMAGES } from './redis-scenarios.ts';

export interface ChaosResult {
  readonly steps: readonly string[];
  readonly acked: number;
  /** Acknowledged writes that are nowhere, and that nobody reported. */
  readonly lostInSilence: readonly string[];
  readonly lost: number;
  readonly duplicates: number;
  /** Indexes that meant one entry here or now, and another there or then. */
  readonly reused: readonly number[];
  readonly slowestMs: number;
}

/** How long it is quiet after a fault, at most. */
const MAX_PAUSE_MS = 1500;

/** Three servers, each behind a proxy of its own, under writes; ends when all agree. */
export async function chaos(
  seed: number,
  count: number,
  maxPauseMs = MAX_PAUSE_MS,
): Promise<ChaosResult> {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => {
    const found = list[Math.floor(random.next() * list.length)];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  };
  const redis = await startRedis();
  const proxies: TcpProxy[] = [];
  const servers: LogServer[] = [];
  for (let i = 1; i <= 3; i++) {
    const proxy = await TcpProxy.start(redis.address);
    const ringLimits = { minMs: 1000, minEntries: 500, maxBytes: 1e8 };
    const options = { url: proxy.url, ringLimits };
    servers.push(...(await startLogServers(1, options, `s${i}-`)));
    proxies.push(proxy);
  }
  const writers = new Writers(servers, 150);
  const steps: string[] = [];
  for (let i = 0; i < count; i++) {
    const name = pick(Object.keys(FAULTS));
    steps.push(name);
    await FAULTS[name]?.({ redis, proxies, servers, pick });
    await pause(random.next() * maxPauseMs);
  }
  for (const proxy of proxies) {
    proxy.frozen = false;
    proxy.cutAll();
  }
  await until(() => servers.every(({ log }) => log.status().writable));
  await writers.stop();
  const { acked, lost, duplicates, slowestMs } = await verdictOf(servers, 20_000);
  return {
    ...{ steps, acked, lost, duplicates, slowestMs },
    lostInSilence: lostInSilence(servers),
    reused: reusedIndexes(servers),
  };
}

interface Scene {
  readonly redis: RedisProcess;
  readonly proxies: readonly TcpProxy[];
  readonly servers: readonly LogServer[];
  readonly pick: <T>(list: readonly T[]) => T;
}

const FAULTS: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'cut a server off for a moment': async ({ proxies, pick }) => pick(proxies).cutAll(),
  'freeze the way of a server': async ({ proxies, pick }) => {
    const proxy = pick(proxies);
    proxy.frozen = true;
    await pause(1800);
    proxy.frozen = false;
    proxy.cutAll();
  },
  'freeze Redis': async ({ redis }) => {
    redis.signal('SIGSTOP');
    await pause(1300);
    redis.signal('SIGCONT');
  },
  'kill Redis': async ({ redis }) => {
    await redis.kill();
    await redis.start();
  },
  'kill Redis and cut its file': async ({ redis, pick }) => {
    await redis.kill();
    await cutAof(redis, pick([1, 5, 30, 100]), pick([0, 1, 7])).catch(() => undefined);
    await redis.start();
  },
  'damage the keys': async ({ redis, pick }) => {
    // What is to be renamed may be gone just then.
    await pick(Object.values(DAMAGES))(redis).catch(() => undefined);
  },
  'save a snapshot': async ({ servers, pick }) => await pick(servers).save(),
};

function lostInSilence(servers: readonly LogServer[]): string[] {
  const there = new Set(servers[0]?.sink.ids);
  const reported = new Set(servers.flatMap(({ lost }) => lost.map(({ id }) => id)));
  const acked = servers.flatMap((server) => server.acked);
  return acked.filter((id) => !there.has(id) && !reported.has(id));
}

function reusedIndexes(servers: readonly LogServer[]): number[] {
  const seen = new Map<number, string>();
  const reused = servers.flatMap(({ sink }) => sink.reusedIndexes);
  for (const { sink } of servers) {
    for (const [index, hash] of sink.everSeen) {
      const other = seen.get(index);
      if (other !== undefined && other !== hash) reused.push(index);
      seen.set(index, hash);
    }
  }
  return reused;
}
