/** What goes wrong in a run, and when: drawn from the seed before it begins, so that it can be shrunk. */
import type { Random } from '../../../lib/random.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import type { Log } from '../cluster.ts';
import { agentDies } from './agents.ts';
import { CLOCKS, redisJumps, redisSetBack } from './clocks.ts';
import { DISKS } from './disks.ts';
import { between, type Draw, type Fault } from './fault.ts';
import {
  cannotWrite,
  failOverBehind,
  forgetUnagreed,
  forgetWritten,
  loseForgotten,
  partition,
  plannedFailOver,
  REDIS,
} from './redis.ts';
import { allStill, away, FILE, longStill, SERVERS } from './servers.ts';
import { WAYS } from './ways.ts';

export interface FaultsOptions {
  readonly log: Log;
  /** All are over by then. */
  readonly untilMs: number;
  /** One of these is what some of the runs have in place of all else. */
  readonly prefers?: readonly Draw[];
}

/** A gene is a kind, and a thousand times what its details are drawn from. */
const KINDS = 1000;
const DETAILS = 1_000_000;
const EVERY_MS = 5000;
/** So many kinds in a seed at most: where each seed had all of them, no two of one kind would meet. */
const MAX_KINDS = 5;
/** Of all runs: what is only excused by a fault is found in them. */
const FAULTLESS = 0.05;
/** Of all runs: they have few faults, and so each of them time to heal before the next. */
const SPARSE = 0.2;
const SPARSE_MS = 25_000;
/** Of those that prefer something; and of these: some defects need calm before, and some many attempts. */
const PREFERRED = 0.6;
/** Of these: what one kind alone would not bring about two of them may. */
const TOGETHER = 0.5;
const PREFERRED_SPARSE = 0.5;
/** A longer run has as many, and more time between them. */
const ORDINARY_MS = 50_000;
/** The workloads go on for so long after the last fault. */
const HEAL_MS = 10_000;

export function lastFaultMs(seconds: number): number {
  return seconds * 1000 - HEAL_MS;
}

export function drawFaults(random: Random, options: FaultsOptions): Fault[] {
  const { log, untilMs, prefers = [] } = options;
  if (random.next() < FAULTLESS) return [];
  const count = 1 + Math.floor(random.next() * MAX_KINDS);
  const kinds = Array.from({ length: count }, () => anyKind(random, log));
  const preferred = prefers.map((draw) => drawsOf(log).indexOf(draw)).filter((kind) => kind >= 0);
  const isPreferred = preferred.length > 0 && random.next() < PREFERRED;
  if (isPreferred) {
    const one = preferred[between(random, 0, preferred.length)] ?? 0;
    kinds.splice(0, count, ...(random.next() < TOGETHER ? preferred : [one]));
  }
  const isSparse = random.next() < (isPreferred ? PREFERRED_SPARSE : SPARSE);
  const usualMs = (isSparse ? SPARSE_MS : EVERY_MS) * Math.max(1, untilMs / ORDINARY_MS);
  const everyMs = usualMs * (0.5 + random.next());
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
  if (log === 'file') {
    return [
      ...SERVERS,
      ...FILE,
      ...CLOCKS,
      ...WAYS,
      agentDies,
      ...DISKS,
      away,
      longStill,
      allStill,
    ];
  }
  const redis = [...SERVERS, ...CLOCKS, ...REDIS, redisJumps, redisSetBack];
  const still = [away, failOverBehind, longStill, allStill];
  const others = [...WAYS, agentDies, cannotWrite, ...DISKS, ...still, loseForgotten];
  if (log === 'redis') return [...redis, forgetWritten, ...others];
  return [...redis, partition, partition, plannedFailOver, forgetUnagreed, ...others];
}
