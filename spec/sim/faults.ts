/** What goes wrong in a run, and when: drawn from the seed before it begins, so that it can be shrunk. */
import type { Random } from '../../lib/random.ts';
import type { Log, SimCluster } from './cluster.ts';
import type { Machine } from './world/world.ts';

export interface Fault {
  readonly atMs: number;
  /** Until all is as before, but for what has still to heal. */
  readonly lastsMs: number;
  readonly what: string;
  /** Two masters are written to for a while: then only consistent reads, under a quorum, are right. */
  readonly splits?: boolean;
  readonly strike: (cluster: SimCluster) => void;
}

type Drawn = Omit<Fault, 'atMs'>;
type Draw = (random: Random) => Drawn;

const between = (random: Random, from: number, to: number) =>
  Math.floor(from + random.next() * (to - from));

/** Mostly short; now and then longer than any lease. */
function stillMs(random: Random): number {
  return random.next() < 0.25 ? between(random, 12_000, 25_000) : between(random, 100, 8000);
}

function anyServer(random: Random) {
  const at = random.next();
  return ({ servers }: SimCluster) =>
    servers[Math.floor(at * servers.length)] as (typeof servers)[number];
}

/** A machine's wall clock, from now on: a moment, some minutes, hours; on or back. */
function jump(machine: Machine, byMs: number): void {
  machine.wallAheadMs += byMs;
}

function jumpMs(random: Random): number {
  const size = [500, 60_000, 4 * 3600_000][Math.floor(random.next() * 3)] ?? 0;
  return Math.floor(size * (0.2 + random.next())) * (random.next() < 0.6 ? -1 : 1);
}

/** No fault, but a moment at which faults meet the log otherwise. */
function snapshot(random: Random): Drawn {
  const pick = anyServer(random);
  const strike = (c: SimCluster) => pick(c).process?.saveSnapshotSoon();
  return { what: 'a server saves a snapshot', lastsMs: 0, strike };
}

const SERVERS: readonly Draw[] = [
  (random) => {
    const pick = anyServer(random);
    const lastsMs = between(random, 50, 3000);
    const what = `a server restarts after ${lastsMs} ms`;
    return { what, lastsMs, strike: (c) => pick(c).restart(lastsMs) };
  },
  (random) => {
    const pick = anyServer(random);
    const lastsMs = stillMs(random);
    const what = `a server stands still for ${lastsMs} ms`;
    return { what, lastsMs, strike: (c) => c.world.freeze(pick(c).machine, lastsMs) };
  },
  (random) => {
    const lastsMs = stillMs(random);
    return {
      what: `all servers stand still for ${lastsMs} ms`,
      lastsMs,
      strike: (c) => {
        for (const { machine } of c.servers) c.world.freeze(machine, lastsMs);
      },
    };
  },
  (random) => {
    const pick = anyServer(random);
    const ms = jumpMs(random);
    const what = `a server's clock jumps by ${ms} ms`;
    return { what, lastsMs: 0, strike: (c) => jump(pick(c).machine, ms) };
  },
  snapshot,
  snapshot,
];

const FILE: readonly Draw[] = [losePower, losePower, losePower, losePower];

function losePower(random: Random): Drawn {
  const lastsMs = between(random, 50, 3000);
  const what = `the server's machine loses power for ${lastsMs} ms`;
  return { what, lastsMs, strike: (c) => c.servers[0]?.restart(lastsMs, true) };
}

const REDIS: readonly Draw[] = [
  (random) => {
    const pick = anyServer(random);
    const lastsMs = between(random, 100, 8000);
    return {
      what: `a server and Redis hear nothing of each other for ${lastsMs} ms`,
      lastsMs,
      strike: (c) => {
        const server = pick(c).machine;
        const redis = c.master.machine;
        c.network.silence(server, redis, true);
        void c.world.sleep(lastsMs).then(() => c.network.silence(server, redis, false));
      },
    };
  },
  (random) => {
    const pick = anyServer(random);
    return {
      what: 'a server is cut off from Redis for a moment',
      lastsMs: 0,
      strike: (c) => c.network.cut(pick(c).machine, c.master.machine),
    };
  },
  (random) => {
    const lastsMs = stillMs(random);
    const what = `Redis stands still for ${lastsMs} ms`;
    return { what, lastsMs, strike: (c) => c.world.freeze(c.master.machine, lastsMs) };
  },
  (random) => {
    const lastsMs = between(random, 100, 4000);
    const what = `Redis restarts after ${lastsMs} ms`;
    return { what, lastsMs, strike: (c) => c.master.restart(lastsMs) };
  },
  (random) => {
    const lastsMs = between(random, 100, 4000);
    const lost = between(random, 1, 1000);
    const what = `Redis restarts after ${lastsMs} ms and has lost ${lost} ms`;
    return { what, lastsMs, strike: (c) => c.master.restart(lastsMs, lost) };
  },
  failOver,
  failOver,
  (random) => {
    const pick = anyServer(random);
    const failing = failOver(random);
    const downMs = between(random, 50, 3000);
    return {
      what: `${failing.what}, while a server restarts after ${downMs} ms`,
      lastsMs: Math.max(failing.lastsMs, downMs),
      strike: (c) => {
        pick(c).restart(downMs);
        failing.strike(c);
      },
    };
  },
  (random) => {
    const ms = jumpMs(random);
    const what = `Redis's clock jumps by ${ms} ms`;
    return { what, lastsMs: 0, strike: (c) => jump(c.master.machine, ms) };
  },
  () => ({
    what: 'Redis is emptied (FLUSHALL)',
    lastsMs: 0,
    strike: (c) => c.master.flush(),
  }),
  (random) => {
    const lastsMs = between(random, 100, 6000);
    return {
      what: `Redis is full for ${lastsMs} ms`,
      lastsMs,
      strike: (c) => {
        const { master } = c;
        master.store.full = true;
        void c.world.sleep(lastsMs).then(() => {
          master.store.full = false;
        });
      },
    };
  },
];

/** One side has the old master and a server, the other one the rest, who go on with the replica. */
function partition(random: Random): Drawn {
  const pick = anyServer(random);
  const lastsMs = between(random, 500, 8000);
  return {
    what: `a server and Redis's master are parted from all others for ${lastsMs} ms, who fail over`,
    lastsMs,
    splits: true,
    strike: (c) => c.part(pick(c), lastsMs),
  };
}

function failOver(random: Random): Drawn {
  const frozen = random.next() < 0.5 ? 0 : between(random, 100, 5000);
  return {
    what: `Redis fails over${frozen === 0 ? '' : `, its old master frozen for ${frozen} ms`}`,
    lastsMs: frozen + 50,
    strike: (c) => c.failOver(frozen),
  };
}

export interface FaultsOptions {
  readonly log: Log;
  /** All are over by then. */
  readonly untilMs: number;
}

const EVERY_MS = 5000;
/** So many of all kinds at most: where each seed had all of them, no two of one kind would meet. */
const KINDS = 5;

export function drawFaults(random: Random, { log, untilMs }: FaultsOptions): Fault[] {
  const draws = chosen(random, [...SERVERS, ...(log === 'file' ? FILE : REDIS)], log);
  const everyMs = EVERY_MS * (0.5 + random.next());
  const faults: Fault[] = [];
  for (let atMs = everyMs; atMs < untilMs; atMs += everyMs * (0.5 + random.next())) {
    const draw = draws[Math.floor(random.next() * draws.length)] as Draw;
    const fault = draw(random);
    if (atMs + fault.lastsMs <= untilMs) faults.push({ atMs: Math.floor(atMs), ...fault });
  }
  return faults;
}

/** A few kinds for a seed. Who is parted from the others may acknowledge what only a quorum keeps. */
function chosen(random: Random, all: Draw[], log: Log): readonly Draw[] {
  const left = log === 'quorum' ? [...all, partition, partition] : all;
  const count = 1 + Math.floor(random.next() * KINDS);
  return Array.from({ length: count }, () => {
    return left.splice(Math.floor(random.next() * left.length), 1)[0] as Draw;
  });
}
