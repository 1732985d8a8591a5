/**
 * How many instances of a service are wanted, and why: a pure function of what was measured, the entry and
 * the time. What is measured says how many would do; the most that any of it says counts; and that is damped,
 * so that nobody starts and stops instances all the time.
 */
import type { ServiceScaling } from '../../lib/config-entries/kinds/service-scaling.ts';
import { NS_PER_MS } from '../../lib/duration.ts';
import { memoryOver, NO_LOAD, type ServiceLoad, STEP_MS, sumOf } from '../../lib/load.ts';
import { livedIn, type Measured, type Step } from './measured.ts';
import { forecast } from './season.ts';

/** So many steps together are looked at: one alone may be a moment's. */
const TOGETHER = 2;
/** What was measured longer ago says nothing of now. */
const FRESH_STEPS = 4;
/** However few there are, so many more may be wanted. */
const MIN_RISE = 2;

/** Of a service, as the catalog has them. */
export interface Instances {
  /** On nodes that have not failed. */
  readonly there: number;
  /** Of those, that are not critical. */
  readonly living: number;
}

export interface Asked {
  readonly scaling: ServiceScaling;
  readonly measured: Measured | undefined;
  readonly instances: Instances;
  /** Milliseconds since 1970. */
  readonly now: number;
}

interface Looked extends Omit<Asked, 'instances'> {
  /** The steps that are over. */
  readonly over: readonly Step[];
  /** How many do the work, or could. */
  readonly instances: number;
}

export type By = 'cpu' | 'memory' | 'requests' | 'prediction of cpu' | 'prediction of requests';

export interface Signal {
  readonly By: By;
  /** Percent of what may be used, or requests a second of an instance. */
  readonly Measured: number;
  readonly Target: number;
  /** So many would do, in parts of an instance. */
  readonly Enough: number;
  /** Of how many instances anything was told. */
  readonly Told: number;
  /** Of a prediction: for when. */
  readonly At?: string;
}

export type HeldBy = 'nothing' | 'no measure' | 'tolerance' | 'rise' | 'fall' | 'Min' | 'Max';

export interface Wanted {
  readonly Wanted: number;
  readonly HeldBy: HeldBy;
  readonly Reason: string;
  readonly Signals: readonly Signal[];
}

export function wantedOf(asked: Asked): Wanted {
  const { Min, Max } = asked.scaling;
  const { there } = asked.instances;
  const looked = lookedAt(asked);
  const damped = withComing(looked, there, dampedOf(looked, there));
  const bounded = Math.min(Math.max(damped.Wanted, Min), Max);
  if (bounded === damped.Wanted) return damped;
  const [HeldBy, bound] = bounded === Min ? (['Min', Min] as const) : (['Max', Max] as const);
  const Reason = `${damped.Reason}; ${HeldBy} is ${bound}, and there are ${there}`;
  return { ...damped, Wanted: bounded, HeldBy, Reason };
}

/** Rows that somebody left behind do no work: to want as many as there are with them would start more for ever. */
function lookedAt(asked: Asked): Looked {
  const { there, living } = asked.instances;
  const over = stepsOver(asked);
  const last = over.at(-1);
  const telling = last !== undefined && isFresh(last, asked.now) ? last.load : NO_LOAD;
  const instances = Math.max(living, Math.min(there, Math.max(telling.told, telling.counted)));
  return { ...asked, over, instances };
}

/**
 * Those that are critical and tell nothing may have been started a moment ago: as many as were wanted lately
 * stay, as long as they would if they worked.
 */
function withComing(asked: Looked, there: number, damped: Wanted): Wanted {
  if (there <= asked.instances) return damped;
  const { over, scaling, now } = asked;
  const since = now - scaling.FallAfter / NS_PER_MS;
  const lately = over.flatMap((step, i) => (endOf(step) > since ? signalsAt(asked, i) : []));
  const most = Math.min(there, wholeOf(Math.max(0, ...lately.map((each) => each.Enough))));
  if (most <= damped.Wanted) return damped;
  const why = `${most} were wanted in the last ${seconds(scaling.FallAfter)}, of which some are critical`;
  return held(most, 'fall', `${damped.Reason}; ${why}`, damped.Signals);
}

function dampedOf(asked: Looked, there: number): Wanted {
  const { instances, scaling, over } = asked;
  const Signals = signalsAt(asked, over.length - 1);
  const most = Signals.reduce<Signal | undefined>(
    (a, b) => (a === undefined || b.Enough > a.Enough ? b : a),
    undefined,
  );
  if (most === undefined) {
    return held(there, 'no measure', 'Nothing was told of it in the last two minutes', []);
  }
  const why = `${most.By}: ${shown(most)}, ${most.Enough.toFixed(2)} instances would do`;
  if (instances > 0 && isNear(most.Enough, instances, scaling.TolerancePercent)) {
    return held(instances, 'tolerance', `${why}, which ${instances} are near enough`, Signals);
  }
  const enough = Math.max(1, wholeOf(most.Enough));
  if (enough > instances) return risen(asked, { enough, why, Signals });
  return fallen(asked, { enough, why, Signals });
}

interface Raw {
  readonly enough: number;
  readonly why: string;
  readonly Signals: readonly Signal[];
}

function risen(asked: Looked, { enough, why, Signals }: Raw): Wanted {
  const { instances, scaling } = asked;
  const since = asked.now - scaling.RiseOver / NS_PER_MS;
  const counts = asked.over.filter((step) => endOf(step) > since);
  const fewest = Math.min(instances, ...counts.map(livedIn));
  const room = Math.max(MIN_RISE, Math.ceil((fewest * scaling.RisePercent) / 100));
  const most = Math.max(instances, fewest + room);
  if (enough <= most) return { Wanted: enough, HeldBy: 'nothing', Reason: why, Signals };
  return held(most, 'rise', `${why}; for now at most ${room} more than ${fewest}`, Signals);
}

/**
 * As many as would have been enough at any moment of a while, of all of which something is known, with some
 * to spare: else the next moment that is a little worse would have them come back.
 */
function fallen(asked: Looked, { enough, why, Signals }: Raw): Wanted {
  const { instances, scaling, now } = asked;
  const since = now - scaling.FallAfter / NS_PER_MS;
  const all = asked.over;
  const first = all.findIndex((step) => endOf(step) > since);
  const from = first === -1 ? all.length : first;
  const isKnown = (all[0]?.at ?? Number.POSITIVE_INFINITY) * STEP_MS <= since;
  const spare = 1 + scaling.TolerancePercent / 100;
  let most = isKnown ? Math.max(...Signals.map((each) => each.Enough)) * spare : instances;
  for (let i = from; i < all.length; i++) {
    const then = signalsAt(asked, i).map((each) => each.Enough * spare);
    // Of that moment nobody knows whether fewer would have done.
    most = Math.max(most, ...(then.length === 0 ? [instances] : then));
  }
  const wanted = Math.min(instances, Math.max(1, wholeOf(most)));
  if (wanted <= enough) return { Wanted: enough, HeldBy: 'nothing', Reason: why, Signals };
  const spared = `${scaling.TolerancePercent}% to spare`;
  const after = `the last ${seconds(scaling.FallAfter)}`;
  const Reason = `${why}; ${wanted} for what there was in ${after}, with ${spared}`;
  return held(wanted, 'fall', Reason, Signals);
}

function held(Wanted: number, HeldBy: HeldBy, Reason: string, Signals: readonly Signal[]): Wanted {
  return { Wanted, HeldBy, Reason, Signals };
}

function isNear(enough: number, instances: number, percent: number): boolean {
  return Math.abs(enough - instances) * 100 <= instances * percent;
}

function seconds(ns: number): string {
  return `${ns / NS_PER_MS / 1000} s`;
}

/** A hair above a whole number is that number. */
function wholeOf(enough: number): number {
  return Math.ceil(enough - 1e-6);
}

function endOf({ at }: Step): number {
  return (at + 1) * STEP_MS;
}

function isFresh({ at }: Step, now: number): boolean {
  return at >= Math.floor(now / STEP_MS) - FRESH_STEPS;
}

/** Those that are over. */
function stepsOver({ measured, now }: Asked): readonly Step[] {
  const current = Math.floor(now / STEP_MS);
  return (measured?.steps ?? []).filter(({ at }) => at < current);
}

/** What was known when the step at this place was over; the last one must be fresh. */
function signalsAt(asked: Looked, place: number): readonly Signal[] {
  const { scaling, measured, now } = asked;
  const all = asked.over;
  const last = all[place];
  if (last === undefined) return [];
  const isNewest = place === all.length - 1;
  if (isNewest && !isFresh(last, now)) return [];
  const steps = all
    .slice(Math.max(0, place - TOGETHER + 1), place + 1)
    .filter(({ at }) => at > last.at - TOGETHER);
  const load = steps.reduce<ServiceLoad>((sum, step) => sumOf(sum, step.load), NO_LOAD);
  const { CPUPercent, MemoryPercent, RequestsPerSecond } = scaling;
  const of = { instances: livedIn(last), over: steps.length };
  const { told, ms, cpuMs, memoryMs, counted, requestMs, requests } = load;
  const shared = [
    ...signal('cpu', { used: cpuMs * 100, ms, heard: told, target: CPUPercent, ...of }),
    ...signal('memory', {
      used: memoryMs * 100,
      ms: memoryOver(load),
      heard: told,
      target: MemoryPercent,
      ...of,
    }),
    ...signal('requests', {
      used: requests * 1000,
      ms: requestMs,
      heard: counted,
      target: RequestsPerSecond,
      ...of,
    }),
  ];
  // What is predicted is of now, and is asked of now alone.
  return isNewest && measured !== undefined ? [...shared, ...predicted(asked, measured)] : shared;
}

interface Use {
  /** Per cent or requests, times the time. */
  readonly used: number;
  readonly ms: number;
  readonly target: number;
  /** In each of so many steps, added up. */
  readonly heard: number;
  readonly over: number;
  readonly instances: number;
}

/**
 * Instances of which nothing is told: where there are too few they count as if they did nothing, and where
 * there are too many as if they did what they should. So they never make anybody start or stop any.
 */
function signal(By: By, { used, ms, target, heard, over, instances }: Use): readonly Signal[] {
  if (target === 0 || ms <= 0) return [];
  const told = Math.min(instances, heard / over);
  const measured = used / ms;
  const needed = (measured * told) / target;
  const silent = Math.max(0, instances - told);
  const least = Math.max(needed, Math.min(instances, needed + silent));
  return [
    { By, Measured: round(measured), Target: target, Enough: round(least), Told: round(told) },
  ];
}

function predicted({ scaling, now }: Looked, { cpu, requests }: Measured): readonly Signal[] {
  const { CPUPercent, RequestsPerSecond, Ahead } = scaling;
  const ahead = Ahead / NS_PER_MS;
  const found = [
    { By: 'prediction of cpu', season: cpu, target: CPUPercent, factor: 100 },
    { By: 'prediction of requests', season: requests, target: RequestsPerSecond, factor: 1 },
  ] as const;
  return found.flatMap(({ By, season, target, factor }) => {
    const expected = season && target > 0 ? forecast(season, now, ahead) : undefined;
    if (expected === undefined) return [];
    const value = expected.value * factor;
    const At = new Date(expected.at).toISOString();
    const Enough = round(value / target);
    return [{ By, Measured: round(value), Target: target, Enough, Told: 0, At }];
  });
}

function shown({ By, Measured, Target, At }: Signal): string {
  if (At !== undefined) {
    const unit = By === 'prediction of cpu' ? '% in all' : '/s in all';
    return `${Measured}${unit} at ${At}, with ${Target} of each`;
  }
  const unit = By === 'requests' ? '/s' : '%';
  return `${Measured}${unit} of each, with ${Target}${unit} aimed at`;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
