/** How available a service was: what is remembered of it, brought to figures. */

import type { Availability, AvailabilityWindow, InstanceAvailability } from '../../lib/answers.ts';
import { NS_PER_MS, parseDuration } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { type Check, SERF_HEALTH } from '../../lib/model.ts';
import type { Steps } from '../../lib/slices.ts';
import type { Change } from '../state/history/changes.ts';
import type { Past } from '../state/history/past.ts';
import { fold } from '../state/topic-names.ts';
import {
  edgesOf,
  type Figures,
  figuresOf,
  type ServiceSpan,
  type Span,
  type Stretch,
  serviceSpans,
  shareOf,
  spansOf,
  withGaps,
} from './availability.ts';
import type { Reader } from './reader.ts';
import type { Remembered } from './remembered.ts';

const HOUR = 3_600_000;
const WINDOWS = [
  ['1h', HOUR],
  ['24h', 24 * HOUR],
  ['720h', 30 * 24 * HOUR],
] as const;
type WindowName = (typeof WINDOWS)[number][0];
/** The longest of them. */
const LONGEST = 720 * HOUR;

/** They and what they come to are held until all have been gone through: some megabytes. */
const MAX_CHANGES = 20_000;
/** What it takes beside the writing of it, as slices count: of an instance, of a change, of a window's figures. */
const COST = { hidden: 64, instance: 640, change: 64, figures: 1000, step: 128 };

function tooMuch(service: string): ProconsulError {
  const why = `more than ${MAX_CHANGES} changes of it are remembered`;
  return new ProconsulError('too-large', `The availability of "${service}" is not told: ${why}`);
}

/** What is asked of, by now. */
export interface AskedFor {
  readonly service: string;
  readonly now: number;
  /** Of how many instances figures are wanted. */
  readonly instances: number;
  /** Of how many parts of each window besides. */
  readonly steps: number;
}

/**
 * As of `now`, and it may take a while: what is written meanwhile is later. Beside that it shows what is there when it
 * comes to it.
 */
export function* availabilityOf(
  { remembered }: Pick<Reader, 'remembered'>,
  { service, now, instances, steps }: AskedFor,
): Steps<Availability> {
  const { gaps, forgotten } = remembered.history;
  const { pasts, spans } = yield* spansOfAll(remembered, service, now);
  // Whoever may see none of it is not told that there was one.
  const until = pasts.length === 0 ? 0 : (forgotten.get(fold(service)) ?? 0);
  const since = Math.max(gaps.since, until);
  const edges = edgesOf([[0, since], ...gaps.all], now - LONGEST);
  const unknown = { edges, unknown: NOTHING_KNOWN };
  const whole = withGaps(serviceSpans(spans), unknown);
  const cost = COST.figures + whole.length * COST.change;
  yield 2 * cost;
  const Windows: AvailabilityWindow[] = [];
  for (const [name, ms] of WINDOWS) {
    const window = { from: now - ms, to: now };
    const parts = steps === 0 ? {} : { Steps: ofSteps(whole, window, steps) };
    Windows.push({ ...ofService(name, whole, window), ...parts });
    yield cost + steps * COST.step;
  }
  const shown = pasts.slice(0, instances);
  const Instances: InstanceAvailability[] = [];
  for (const [i, past] of shown.entries()) {
    const own = withGaps<Span>(spans[i] ?? [], unknown);
    Instances.push({
      ...{ Node: past.node, ServiceID: past.id, ...ofInstance(own, now) },
      Detection: detectionOf(remembered.checksFor(past), ofAnAgent(remembered)),
    });
    yield WINDOWS.length * (COST.figures + own.length * COST.change);
  }
  return {
    Time: timeOf(now),
    KnownSince: since === 0 ? null : timeOf(since),
    Standing: whole.at(-1)?.standing ?? 'absent',
    ...{ Windows, Instances, InstancesLeftOut: pasts.length - shown.length },
  };
}

function* spansOfAll(remembered: Remembered, service: string, now: number) {
  const frame = { from: now - LONGEST, to: now };
  const nodes = new Nodes(remembered);
  const pasts: Past[] = [];
  const spans: Span[][] = [];
  let changes = 0;
  for (const past of remembered.ofService(service)) {
    if (past === undefined) {
      yield COST.hidden;
      continue;
    }
    const known = nodes.pastOf(past);
    const own = known.checks.reduce((sum, { length }) => sum + length, known.life.length);
    changes += own;
    if (changes > MAX_CHANGES) throw tooMuch(service);
    pasts.push(past);
    spans.push(spansOf(known, frame));
    yield COST.instance + own * COST.change;
  }
  return { pasts, spans };
}

const NOTHING_KNOWN: ServiceSpan = { t: 0, standing: 'unknown', up: 0, known: 0 };

/** What the nodes' own checks were, each looked up once. */
class Nodes {
  readonly #from: Remembered;
  readonly #checks = new Map<string, readonly (readonly Change[])[] | undefined>();

  constructor(from: Remembered) {
    this.#from = from;
  }

  pastOf(past: Past) {
    const { history } = this.#from;
    const own = past.checks.map((check) => [...history.changesOf(check)]);
    const key = fold(past.node);
    if (!this.#checks.has(key)) this.#checks.set(key, this.#checksOf(past));
    const checks = this.#checks.get(key);
    return {
      life: [...history.changesOf(past)],
      checks: [...own, ...(checks ?? [])],
      // Where nobody remembers the node, nobody knows what it was.
      since: checks === undefined ? Number.POSITIVE_INFINITY : past.since,
    };
  }

  #checksOf(past: Past): readonly (readonly Change[])[] | undefined {
    const node = this.#from.nodeOf(past);
    return node?.checks.map((check) => [...this.#from.history.changesOf(check)]);
  }
}

function ofInstance(spans: readonly Span[], now: number) {
  return {
    Standing: spans.at(-1)?.standing ?? 'absent',
    Windows: WINDOWS.map(([name, ms]) => ({
      Window: name,
      ...shownFigures(figuresOf(spans, { from: now - ms, to: now })),
    })),
  };
}

function ofService(Window: WindowName, spans: readonly ServiceSpan[], stretch: Stretch) {
  const share = shareOf(spans, stretch);
  return {
    Window,
    ...shownFigures(figuresOf(spans, stretch)),
    InstancesAvailable: share.knownMs === 0 ? null : share.upMs / share.knownMs,
  };
}

/** Of each part it goes through what is of that part alone. */
function ofSteps(spans: readonly ServiceSpan[], { from, to }: Stretch, steps: number) {
  const ms = (to - from) / steps;
  let first = 0;
  return Array.from({ length: steps }, (_, i) => {
    const step = { from: from + i * ms, to: from + (i + 1) * ms };
    while ((spans[first + 1]?.t ?? step.to) < step.from) first++;
    let last = first;
    while ((spans[last]?.t ?? step.to) < step.to) last++;
    // The one behind says where the last one ends.
    const own = spans.slice(first, last + 1);
    const { knownMs, upMs } = figuresOf(own, step);
    const share = shareOf(own, step);
    return {
      Available: knownMs === 0 ? null : upMs / knownMs,
      InstancesAvailable: share.knownMs === 0 ? null : share.upMs / share.knownMs,
    };
  });
}

function shownFigures(figures: Figures) {
  const { knownMs, upMs, unknownMs, outages, recovered, recoveryMs, longestRecoveryMs } = figures;
  return {
    Available: knownMs === 0 ? null : upMs / knownMs,
    UpSeconds: upMs / 1000,
    KnownSeconds: knownMs / 1000,
    UnknownSeconds: unknownMs / 1000,
    Outages: outages,
    Recovered: recovered,
    MeanRecoverySeconds: recovered === 0 ? null : recoveryMs / recovered / 1000,
    LongestRecoverySeconds: recovered === 0 ? null : longestRecoveryMs / 1000,
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** How long a failure goes unseen at most, of the checks of which the catalog knows how they look. */
function detectionOf(checks: Iterable<Check>, agent: Parts) {
  return [...checks].flatMap(({ CheckID, Definition }) => {
    const parts = CheckID === SERF_HEALTH ? agent : partsOf(Definition);
    const ms = parts.reduce((sum, [, each]) => sum + each, 0);
    const MadeOf = parts.map(([name, each]) => `${name} ${each / 1000}s`);
    return parts.length === 0 ? [] : [{ CheckID, WithinSeconds: ms / 1000, MadeOf }];
  });
}

type Parts = readonly (readonly [name: string, ms: number])[];

function ofAnAgent({ beats: { everyMs, lateMs } }: Remembered): Parts {
  return [
    ['beat every', everyMs],
    ['beats may be late by', lateMs],
  ];
}

function partsOf(definition: Check['Definition']): Parts {
  const parts: [string, number][] = [];
  for (const field of ['TTL', 'Interval', 'Timeout']) {
    const ns = parseDuration(String(definition[field] ?? '')) ?? 0;
    if (ns > 0) parts.push([field, ns / NS_PER_MS]);
  }
  return parts;
}
