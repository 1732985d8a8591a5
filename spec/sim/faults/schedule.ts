/** What goes wrong in a run, and when: drawn from the seed before it begins, so that it can be shrunk. */
import type { Random } from '../../../lib/random.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import type { Log } from '../cluster.ts';
import { agentDies } from './agents.ts';
import { CLOCKS, redisJumps, redisSetBack } from './clocks.ts';
import { DISKS } from './disks.ts';
import type { Draw, Fault } from './fault.ts';
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

/** What a run is for, which chance alone would bring too seldom: each as often as it stands here. */
export interface Aim {
  readonly draws: readonly Draw[];
  /** Of these: what comes after the others, which would put right what it does before that is seen. */
  readonly last?: readonly Draw[];
  /** Whether they show something only where nothing else goes wrong around them. */
  readonly isAlone?: boolean;
}

export interface FaultsOptions {
  readonly log: Log;
  /** All are over by then. */
  readonly untilMs: number;
  readonly aim?: Aim;
}

/** A gene is a kind, and a thousand times what its details are drawn from. */
const KINDS = 1000;
const DETAILS = 1_000_000;
const EVERY_MS = 5000;
/** So many kinds in a seed at most: where each seed had all of them, no two of one kind would meet. */
const MAX_KINDS = 5;
/** Of all runs: what is only excused by a fault is found in them. */
const FAULTLESS = 0.03;
/** Of all runs: they have few faults, and so each of them time to heal before the next. */
const SPARSE = 0.2;
const SPARSE_MS = 25_000;
/** Of all runs that are for something: chance brings what nobody has thought of. */
const AIMLESS = 0.03;
/** Of those with an aim: they have that alone; the rest have few others beside it. */
const ALONE = 0.5;
/** Of a run, and the time that each has to be seen in. */
const MAX_AIMED = 7;
const SEEN_MS = 2500;
const MAX_REDRAWN = 40;
/** Somebody has something to lose by then. */
const AIMED_FROM_MS = 4000;
/** Of a run: until then all can be judged that was acknowledged. */
const LOSES_FROM = 0.6;
/** A longer run has as many, and more time between them. */
const ORDINARY_MS = 50_000;
/** The workloads go on for so long after the last fault. */
const HEAL_MS = 10_000;

export function lastFaultMs(seconds: number): number {
  return seconds * 1000 - HEAL_MS;
}

export function drawFaults(random: Random, options: FaultsOptions): Fault[] {
  const { aim = { draws: [] } } = options;
  const chance = random.next();
  if (chance < FAULTLESS) return [];
  const aimed = chance < FAULTLESS + AIMLESS ? [] : aimedFaults(random, options, aim);
  if (aimed.length === 0) return anyFaults(random, options, random.next() < SPARSE);
  if (aim.isAlone === true || random.next() < ALONE) return aimed;
  const others = anyFaults(random, options, true).filter(({ loses }) => loses !== true);
  return [...aimed, ...others].sort((a, b) => a.atMs - b.atMs);
}

/** One after the other, each with time to see what it has done; what loses something comes last. */
function aimedFaults(
  random: Random,
  { log, untilMs }: FaultsOptions,
  { draws, last = [] }: Aim,
): Fault[] {
  const kinds = draws.map((draw) => drawsOf(log).indexOf(draw)).filter((kind) => kind >= 0);
  const some = kinds.slice(0, MAX_AIMED).map((kind) => faultOf(log, 0, geneOf(random, kind)));
  const fit = fitting(random, log, some, untilMs - AIMED_FROM_MS);
  const faults = shuffled(random, fit);
  const lateness = ({ loses, gene }: Fault) => {
    if (loses === true) return 2;
    return last.includes(drawsOf(log)[gene % KINDS] as Draw) ? 1 : 0;
  };
  faults.sort((a, b) => lateness(a) - lateness(b));
  const freeMs = untilMs - AIMED_FROM_MS - lengthOf(faults);
  const pauses = faults.map(() => random.next());
  const each = freeMs / pauses.reduce((sum, pause) => sum + pause, random.next());
  let atMs = AIMED_FROM_MS;
  return faults.map((fault, i) => {
    atMs += each * (pauses[i] ?? 0);
    const placed = { ...fault, atMs: Math.floor(atMs) };
    atMs += fault.lastsMs + SEEN_MS;
    return placed;
  });
}

function lengthOf(faults: readonly Fault[]): number {
  return faults.reduce((sum, { lastsMs }) => sum + lastsMs + SEEN_MS, 0);
}

/** As many of them as there is time for: the longest is drawn again; where that does not help, the last go. */
function fitting(random: Random, log: Log, all: readonly Fault[], ms: number): Fault[] {
  const faults = [...all];
  for (let redrawn = 0; faults.length > 0 && lengthOf(faults) > ms; redrawn++) {
    const longest = Math.max(...faults.map(({ lastsMs }) => lastsMs));
    const at = faults.findIndex(({ lastsMs }) => lastsMs === longest);
    if (redrawn > MAX_REDRAWN) faults.pop();
    else faults[at] = faultOf(log, 0, geneOf(random, (faults[at]?.gene ?? 0) % KINDS));
  }
  return faults;
}

function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const ranked = list.map((one) => ({ one, rank: random.next() }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ one }) => one);
}

function anyFaults(random: Random, options: FaultsOptions, isSparse: boolean): Fault[] {
  const { log, untilMs } = options;
  const count = 1 + Math.floor(random.next() * MAX_KINDS);
  const kinds = Array.from({ length: count }, () => anyKind(random, log));
  const usualMs = (isSparse ? SPARSE_MS : EVERY_MS) * Math.max(1, untilMs / ORDINARY_MS);
  const everyMs = usualMs * (0.5 + random.next());
  const faults: Fault[] = [];
  for (let atMs = everyMs; atMs < untilMs; atMs += everyMs * (0.5 + random.next())) {
    const kind = kinds[Math.floor(random.next() * kinds.length)] ?? 0;
    const fault = faultOf(log, Math.floor(atMs), geneOf(random, kind));
    const isEarly = fault.loses === true && atMs < untilMs * LOSES_FROM;
    if (!isEarly && fault.atMs + fault.lastsMs <= untilMs) faults.push(fault);
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

/** Whether it ever strikes, where the log is there. */
export function isDrawn(log: Log, draw: Draw): boolean {
  return drawsOf(log).includes(draw);
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
