/** What a fault is, and what several kinds draw alike. */
import type { Random } from '../../../lib/random.ts';
import type { SimCluster } from '../cluster.ts';
import type { SimServer } from '../server.ts';
import type { Machine } from '../world/machine.ts';

export interface Fault {
  /** Which kind, and how: what it is can be drawn from this again. */
  readonly gene: number;
  readonly atMs: number;
  /** Until all is as before, but for what has still to heal. */
  readonly lastsMs: number;
  readonly what: string;
  /** Two masters are written to for a while: then only consistent reads, under a quorum, are right. */
  readonly splits?: boolean;
  /** What was acknowledged may be lost, all who had it being gone: but no index is ever used twice. */
  readonly loses?: boolean;
  readonly strike: (cluster: SimCluster) => void;
}

export type Drawn = Omit<Fault, 'atMs' | 'gene'>;
export type Draw = (random: Random) => Drawn;

export function between(random: Random, from: number, to: number): number {
  return Math.floor(from + random.next() * (to - from));
}

/** Mostly short; often about as long as others wait for an answer; now and then longer than any lease. */
export function stillMs(random: Random): number {
  const chance = random.next();
  if (chance < 0.25) return between(random, 12_000, 25_000);
  return chance < 0.5 ? between(random, 800, 2200) : between(random, 100, 8000);
}

export function anyServer(random: Random): (cluster: SimCluster) => SimServer {
  const at = random.next();
  return ({ servers }) => servers[Math.floor(at * servers.length)] as SimServer;
}

/** Of all that there are: Redis, servers and agents. */
export function anyMachine(random: Random): (cluster: SimCluster) => Machine {
  const at = random.next();
  return ({ machines }) => machines[Math.floor(at * machines.length)] as Machine;
}
