/** How much of what there is a cluster takes, by its size: see docs/scale.md, which shows what this comes to. */
import { CONSTANTS as C } from './constants.ts';

/** What is asked of a cluster. */
export interface Size {
  readonly agents: number;
  readonly instances: number;
  readonly watchers: number;
  /** A second. */
  readonly changes: number;
  readonly reads: number;
  /** Of one service: so many watch it, and are woken by a change of it. */
  readonly watchersOfService: number;
}

/** Shares of what one of each has: a core, the memory, the network. */
export interface Load {
  readonly server: number;
  readonly redis: number;
  readonly memory: number;
  readonly network: number;
  /** Open at once. */
  readonly files: number;
}

export type Bound = keyof Load;

/** Of each server, and of Redis. */
export const MACHINE = {
  memoryBytes: 16e9,
  /** 10 Gbit/s. */
  networkBytes: 1.25e9,
  /** As the unit sets it. */
  files: 65_536,
};

/** Beyond it waits grow faster than the load. */
export const FULL = 0.6;

const BEATS_A_SECOND = 1000;
const [MIN_BEAT_S, MAX_BEAT_S] = [2, 30];
/** Comparisons are each one to two minutes, stretched as beats are. */
const COMPARE_S = 90;

/** As server/state/beat-pace.ts. */
export function beatSeconds(agents: number, servers: number): number {
  return Math.min(MAX_BEAT_S, Math.max(MIN_BEAT_S, agents / (BEATS_A_SECOND * servers)));
}

export function loadOf(size: Size, servers: number): Load {
  const { agents, instances, watchers, changes, reads, watchersOfService } = size;
  const everyS = beatSeconds(agents, servers);
  const beats = agents / everyS;
  const comparisons = (agents * MIN_BEAT_S) / (COMPARE_S * everyS);
  const wakes = changes * watchersOfService;
  const shared =
    beats * C.beat.value +
    comparisons * C.compare.value +
    reads * C.read.value +
    changes * C.change.value +
    wakes * C.wake.value;
  const others = changes * (1 - 1 / servers) * C.follow.value;
  const bytesASecond =
    (beats * C.beatBytes.value + (reads + wakes) * C.answer.value) / servers +
    changes * C.entry.value;
  return {
    server: (shared / servers + others) / 1e6,
    redis:
      (beats * C.beatRedis.value + changes * C.changeRedis.value + reads * C.readRedis.value) / 1e6,
    memory:
      (C.process.value +
        instances * C.instance.value +
        (watchers * C.watcher.value + agents * C.connection.value) / servers) /
      MACHINE.memoryBytes,
    network: bytesASecond / MACHINE.networkBytes,
    // Now and then one more of each agent, while it compares.
    files: (watchers + agents * 1.1) / servers / MACHINE.files,
  };
}

export function boundOf(load: Load): Bound {
  const all = Object.entries(load) as [Bound, number][];
  return all.reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

/** The fewest servers by which nothing is too full; undefined where more do not help. */
export function serversFor(size: Size, most = 15): number | undefined {
  for (const servers of [1, 3, 5, 7, 9, 11, 13, 15]) {
    if (servers > most) break;
    const load = loadOf(size, servers);
    if (load[boundOf(load)] <= FULL) return servers;
  }
  return undefined;
}

/** What a fleet asks where each agent has twenty instances, each of which changes once an hour. */
export function fleet(agents: number): Size {
  const instances = agents * 20;
  const services = Math.max(1, instances / 100);
  const watchers = agents * 4;
  return {
    agents,
    instances,
    watchers,
    changes: instances / 3600,
    reads: agents,
    watchersOfService: watchers / services,
  };
}
