/** What goes wrong in a run, and when: drawn from the seed before it begins, so that it can be shrunk. */
import type { Random } from '../../lib/random.ts';
import type { SimCluster } from './cluster.ts';

export interface Fault {
  readonly atMs: number;
  readonly what: string;
  readonly strike: (cluster: SimCluster) => void;
}

type Draw = (random: Random) => Pick<Fault, 'what' | 'strike'>;

const between = (random: Random, from: number, to: number) =>
  Math.floor(from + random.next() * (to - from));

function anyServer(random: Random) {
  const at = random.next();
  return (cluster: SimCluster) => {
    const { servers } = cluster;
    return servers[Math.floor(at * servers.length)] as (typeof servers)[number];
  };
}

const DRAWS: readonly Draw[] = [
  (random) => {
    const pick = anyServer(random);
    const ms = between(random, 50, 3000);
    return { what: `a server restarts after ${ms} ms`, strike: (c) => pick(c).restart(ms) };
  },
  (random) => {
    const pick = anyServer(random);
    const ms = between(random, 100, 9000);
    return {
      what: `a server stands still for ${ms} ms`,
      strike: (c) => c.world.freeze(pick(c).machine, ms),
    };
  },
  (random) => {
    const pick = anyServer(random);
    const ms = between(random, 100, 8000);
    return {
      what: `a server and Redis hear nothing of each other for ${ms} ms`,
      strike: (c) => {
        const server = pick(c).machine;
        const redis = c.master.machine;
        c.network.silence(server, redis, true);
        void c.world.sleep(ms).then(() => c.network.silence(server, redis, false));
      },
    };
  },
  (random) => {
    const pick = anyServer(random);
    return {
      what: 'a server is cut off from Redis for a moment',
      strike: (c) => c.network.cut(pick(c).machine, c.master.machine),
    };
  },
  (random) => {
    const ms = between(random, 100, 8000);
    return {
      what: `Redis stands still for ${ms} ms`,
      strike: (c) => c.world.freeze(c.master.machine, ms),
    };
  },
  (random) => {
    const ms = between(random, 100, 4000);
    return { what: `Redis restarts after ${ms} ms`, strike: (c) => c.master.restart(ms) };
  },
  (random) => {
    const ms = between(random, 100, 4000);
    const lost = between(random, 1, 1000);
    return {
      what: `Redis restarts after ${ms} ms and has lost ${lost} ms`,
      strike: (c) => c.master.restart(ms, lost),
    };
  },
  (random) => {
    const ms = random.next() < 0.5 ? 0 : between(random, 100, 5000);
    return {
      what: `Redis fails over${ms === 0 ? '' : `, its old master frozen for ${ms} ms`}`,
      strike: (c) => c.failOver(ms),
    };
  },
];

export function drawFaults(random: Random, untilMs: number, everyMs: number): Fault[] {
  const faults: Fault[] = [];
  for (let atMs = everyMs; atMs < untilMs; atMs += everyMs * (0.5 + random.next())) {
    const draw = DRAWS[Math.floor(random.next() * DRAWS.length)] as Draw;
    faults.push({ atMs, ...draw(random) });
  }
  return faults;
}
