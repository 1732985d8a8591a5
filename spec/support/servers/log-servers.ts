/** Several servers' logs over one Redis, under steady writes, and the verdicts at the end. */
import assert from 'node:assert/strict';
import { systemClock } from '../../../lib/clock.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { type Logger, silentLogger } from '../../../lib/logger.ts';
import { parseRedisUrl, type RedisOptions } from '../../../server/log/redis/link/options.ts';
import { RedisLog } from '../../../server/log/redis/log/redis-log.ts';
import type { BallotStore } from '../../../server/log/redis/repair/ballot-file.ts';
import type { RingLimits } from '../../../server/log/redis/repair/history.ts';
import type { LostEntry } from '../../../server/log/redis/repair/losses.ts';
import { largeProposal, proposal } from '../experiments/proposals.ts';
import { HistorySink } from '../fakes/history-sink.ts';
import { until } from '../until.ts';

const started = new Set<LogServer>();
const writing = new Set<Writers>();

export interface LogServerOptions {
  readonly url: string;
  /** In place of the URL: what else is said of Redis. */
  readonly redis?: RedisOptions;
  readonly name: string;
  readonly servers?: number;
  readonly logger?: Logger;
  readonly ringLimits?: RingLimits;
  readonly settleMs?: number;
  readonly datacenter?: string;
  readonly ballots?: BallotStore;
  /** Takes snapshots only when `save` is called. */
  readonly savesByHand?: boolean;
}

export type WriteResult = 'acked' | 'unknown' | 'unavailable';

/** A log with a state of its own; it takes snapshots when one is needed. */
export class LogServer {
  readonly name: string;
  readonly sink = new HistorySink();
  readonly lost: LostEntry[] = [];
  readonly acked: string[] = [];
  readonly log: RedisLog;
  started: Promise<void> = Promise.resolve();
  /** The longest that any write was pending. */
  slowestMs = 0;
  readonly counts = { acked: 0, unknown: 0, unavailable: 0 };
  /** When each acknowledgement came, on the monotonic clock. */
  readonly ackTimes: number[] = [];
  #saving = false;
  #made = 0;

  constructor({ url, name, logger, datacenter, servers, ballots, ...less }: LogServerOptions) {
    const { redis = parseRedisUrl(url), ringLimits, settleMs, savesByHand = false } = less;
    this.name = name;
    this.log = new RedisLog({
      redis,
      self: {
        datacenter: datacenter ?? 'dc1',
        server: name,
        ...(servers !== undefined && { servers }),
        ...(ballots !== undefined && { ballots }),
      },
      clock: systemClock,
      logger: logger ?? silentLogger,
      on: {
        lost: (lost) => void this.lost.push(...lost),
        snapshotNeeded: () => {
          if (!savesByHand) void this.save();
        },
      },
      bounds: {
        ...(ringLimits !== undefined && { ring: ringLimits }),
        ...(settleMs !== undefined && { settleMs }),
      },
    });
  }

  static async start(options: LogServerOptions): Promise<LogServer> {
    const server = LogServer.begin(options);
    await server.started;
    return server;
  }

  /** One whose start may have to wait for others: see `started`. */
  static begin(options: LogServerOptions): LogServer {
    const server = new LogServer(options);
    started.add(server);
    server.started = server.log.start(server.sink);
    // Who stops it first has not waited for it.
    server.started.catch(() => undefined);
    return server;
  }

  /** `bytes` of a value, about. */
  async write(id = `${this.name}-${this.#made++}`, bytes = 0): Promise<WriteResult> {
    const begun = performance.now();
    const written = bytes === 0 ? proposal(id) : largeProposal(id, bytes);
    const result = await this.log.append([written]).then(
      () => 'acked' as const,
      (error: ProconsulError) => {
        assert(error instanceof ProconsulError, String(error));
        assert(error.code === 'unknown' || error.code === 'unavailable', error.message);
        return error.code;
      },
    );
    const now = performance.now();
    this.slowestMs = Math.max(this.slowestMs, now - begun);
    this.counts[result]++;
    if (result === 'acked') {
      this.acked.push(id);
      this.ackTimes.push(now);
    }
    return result;
  }

  /** A snapshot of what the sink holds now; another server may be writing one just then. */
  async save(): Promise<void> {
    if (this.#saving) return;
    this.#saving = true;
    try {
      await this.log.saveSnapshot(this.sink.snapshot());
    } catch (error) {
      assert(error instanceof ProconsulError, String(error));
    } finally {
      this.#saving = false;
    }
  }

  async stop(): Promise<void> {
    started.delete(this);
    await this.log.stop();
  }
}

export async function startLogServers(
  count: number,
  options: Omit<LogServerOptions, 'name'>,
  prefix = 's',
): Promise<LogServer[]> {
  const names = Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
  return await Promise.all(names.map((name) => LogServer.start({ ...options, name })));
}

/** Writes on every server, one after the other, at a rate in all; until told to stop. */
export class Writers {
  readonly #loops: Promise<void>[];
  #going = true;

  constructor(servers: readonly LogServer[], perSecond: number) {
    writing.add(this);
    const pauseMs = (1000 * servers.length) / perSecond;
    this.#loops = servers.map(async (server) => {
      let next = performance.now();
      while (this.#going) {
        await server.write();
        next = Math.max(next + pauseMs, performance.now() - pauseMs);
        await pause(next - performance.now());
      }
    });
  }

  async stop(): Promise<void> {
    writing.delete(this);
    this.#going = false;
    await Promise.all(this.#loops);
  }
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

export interface Verdict {
  readonly acked: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly unknown: number;
  readonly unavailable: number;
  /** The longest time in which nobody's write was acknowledged. */
  readonly gapMs: number;
  readonly slowestMs: number;
  readonly reported: number;
  readonly entries: number;
}

/** Waits until all agree, and says what became of the acknowledged writes. Fails when they differ. */
export async function verdictOf(
  servers: readonly LogServer[],
  maxWaitMs = 10_000,
): Promise<Verdict> {
  const [first] = servers;
  assert(first !== undefined);
  const hashes = () => servers.map(({ sink }) => `${sink.position.index} ${sink.position.hash}`);
  await until(
    async () => {
      const end = await first.log.readIndex().catch(() => Number.POSITIVE_INFINITY);
      return (
        servers.every(({ sink }) => sink.position.index >= end) && new Set(hashes()).size === 1
      );
    },
    () => hashes().join(' | '),
    maxWaitMs,
  );
  for (const { sink } of servers) assert.deepEqual(sink.ids, first.sink.ids);
  const ids = new Set(first.sink.ids);
  const acked = servers.flatMap((server) => server.acked);
  const times = servers.flatMap(({ ackTimes }) => ackTimes).sort((a, b) => a - b);
  const sum = (of: (server: LogServer) => number) =>
    servers.reduce((total, server) => total + of(server), 0);
  return {
    acked: acked.length,
    lost: acked.filter((id) => !ids.has(id)).length,
    duplicates: first.sink.ids.length - ids.size,
    unknown: sum(({ counts }) => counts.unknown),
    unavailable: sum(({ counts }) => counts.unavailable),
    gapMs: Math.round(Math.max(0, ...times.map((t, i) => t - (times[i - 1] ?? t)))),
    slowestMs: Math.round(Math.max(...servers.map(({ slowestMs }) => slowestMs))),
    reported: sum(({ lost }) => lost.length),
    entries: first.sink.ids.length,
  };
}

export async function stopAllLogServers(): Promise<void> {
  await Promise.all([...writing].map((writers) => writers.stop()));
  await Promise.all([...started].map((server) => server.stop()));
}

if (typeof afterEach === 'function') afterEach(stopAllLogServers);
