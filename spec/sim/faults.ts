/** What goes wrong in a run, and when: drawn from the seed before it begins, so that it can be shrunk. */
import type { Random } from '../../lib/random.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import type { Log, SimCluster } from './cluster.ts';
import type { Machine } from './world/world.ts';

export interface Fault {
  /** Which kind, and how: what it is can be drawn from this again. */
  readonly gene: number;
  readonly atMs: number;
  /** Until all is as before, but for what has still to heal. */
  readonly lastsMs: number;
  readonly what: string;
  /** Two masters are written to for a while: then only consistent reads, under a quorum, are right. */
  readonly splits?: boolean;
  readonly strike: (cluster: SimCluster) => void;
}

type Drawn = Omit<Fault, 'atMs' | 'gene'>;
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

/** A gene is a kind, and a thousand times what its details are drawn from. */
const KINDS = 1000;
const DETAILS = 1_000_000;
const EVERY_MS = 5000;
/** So many kinds in a seed at most: where each seed had all of them, no two of one kind would meet. */
const MAX_KINDS = 5;
/** The workloads go on for so long after the last fault. */
const HEAL_MS = 10_000;

export function lastFaultMs(seconds: number): number {
  return seconds * 1000 - HEAL_MS;
}

export function drawFaults(random: Random, { log, untilMs }: FaultsOptions): Fault[] {
  const count = 1 + Math.floor(random.next() * MAX_KINDS);
  const kinds = Array.from({ length: count }, () => anyKind(random, log));
  const everyMs = EVERY_MS * (0.5 + random.next());
  const faults: Fault[] = [];
  for (let atMs = everyMs; atMs < untilMs; atMs += everyMs * (0.5 + random.next())) {
    const kind = kinds[Math.floor(random.next() * kinds.length)] ?? 0;
    const fault = faultOf(log, Math.floor(atMs), geneOf(random, kind));
    if (fault.atMs + fault.lastsMs <= untilMs) faults.push(fault);
  }
  return faults;
}

export function drawFault(random: Random, log: Log, atMs: number): Fault {
  return faultOf(log, atMs, geneOf(random, anyKind(random, log)));
}

/** As text, from which parseSchedule makes it again. */
export function schedule(faults: readonly Fault[]): string {
  return faults.map(({ atMs, gene }) => `${atMs}:${gene}`).join(' ');
}

export function parseSchedule(log: Log, text: string): Fault[] {
  return text
    .split(' ')
    .filter((each) => each !== '')
    .map((each) => {
      const [atMs = 0, gene = 0] = each.split(':').map(Number);
      return faultOf(log, atMs, gene);
    });
}

function geneOf(random: Random, kind: number): number {
  return kind + KINDS * Math.floor(random.next() * DETAILS);
}

function anyKind(random: Random, log: Log): number {
  return Math.floor(random.next() * drawsOf(log).length);
}

function faultOf(log: Log, atMs: number, gene: number): Fault {
  const draw = drawsOf(log)[gene % KINDS] as Draw;
  return { gene, atMs, ...draw(seededRandom(Math.floor(gene / KINDS))) };
}

/** Who is parted from the others may acknowledge what only a quorum keeps. */
function drawsOf(log: Log): readonly Draw[] {
  if (log === 'file') return [...SERVERS, ...FILE];
  return log === 'quorum' ? [...SERVERS, ...REDIS, partition, partition] : [...SERVERS, ...REDIS];
}
