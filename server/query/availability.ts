/**
 * How available something was: a pure function of what is remembered of it. Time of which nothing is known
 * counts neither way. Times are milliseconds, and what comes out is exact to them.
 */
import type { Condition, Gap } from '../../lib/history.ts';
import type { Change } from '../state/history/changes.ts';

export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** What is known of an instance. */
export interface InstancePast {
  /** When it was there: 'registered' and 'absent' in turns, as all changes the oldest first. */
  readonly life: readonly Change[];
  /** Of each check that counts for it, its own and its node's. */
  readonly checks: readonly (readonly Change[])[];
  /** Not all is known of what was before. */
  readonly since: number;
}

/** Up is there with every check passing; absent is not registered. */
export type Standing = 'absent' | 'unknown' | 'down' | 'up';

/** From `t` on, up to that of the next one. */
export interface Span {
  readonly t: number;
  readonly standing: Standing;
}

/** What an instance was, from `frame.from` on. */
export function spansOf({ life, checks, since }: InstancePast, { from, to }: Stretch): Span[] {
  const course = new Course(life, checks);
  const spans: Span[] = [];
  const push = (t: number) => {
    const standing = t < since ? 'unknown' : course.standing;
    if (spans.at(-1)?.standing !== standing) spans.push({ t, standing });
  };
  const events = eventsOf([life, ...checks], to);
  const times = since > from && since < to ? withTime(events, since) : events;
  let at = 0;
  while (at < times.length && (times[at] as Event).t <= from) course.take(times[at++] as Event);
  push(from);
  while (at < times.length) {
    const { t } = times[at] as Event;
    // What happens in one moment is seen as one.
    while (at < times.length && (times[at] as Event).t === t) course.take(times[at++] as Event);
    push(t);
  }
  return spans;
}

interface Event {
  readonly t: number;
  /** Which of the tracks: the life is the first. -1 for none, where only the time counts. */
  readonly track: number;
  readonly to: Condition;
}

function eventsOf(tracks: readonly (readonly Change[])[], to: number): Event[] {
  const events = tracks.flatMap((changes, track) =>
    changes.filter(({ t }) => t < to).map((change) => ({ t: change.t, track, to: change.to })),
  );
  return events.sort((a, b) => a.t - b.t);
}

function withTime(events: readonly Event[], t: number): Event[] {
  return [...events, { t, track: -1, to: 'unknown' as const }].sort((a, b) => a.t - b.t);
}

/** What its tracks come to, event by event. */
class Course {
  readonly #now: Condition[];
  #failing = 0;
  #unknown = 0;

  constructor(life: readonly Change[], checks: readonly (readonly Change[])[]) {
    this.#now = [life, ...checks].map(before);
    for (const condition of this.#now.slice(1)) this.#count(condition, 1);
  }

  take({ track, to }: Event): void {
    const was = this.#now[track];
    if (was === undefined) return;
    this.#now[track] = to;
    if (track === 0) return;
    this.#count(was, -1);
    this.#count(to, 1);
  }

  get standing(): Standing {
    const [life] = this.#now;
    if (life === 'absent' || life === 'unknown') return life;
    if (this.#failing > 0) return 'down';
    return this.#unknown > 0 ? 'unknown' : 'up';
  }

  #count(condition: Condition, by: number): void {
    if (condition === 'unknown') this.#unknown += by;
    else if (condition !== 'passing' && condition !== 'absent') this.#failing += by;
  }
}

/** What it was before the first change that is remembered: where others were forgotten, nobody knows. */
function before(changes: readonly Change[]): Condition {
  const [first] = changes;
  return first === undefined || first.from === 'absent' ? 'absent' : 'unknown';
}

/** From `t` on: how many instances passed, of how many of which it is known. */
export interface ServiceSpan extends Span {
  readonly up: number;
  readonly known: number;
}

/**
 * A service is up while one instance is, and down while none is, also where none is registered; before
 * the first one that is remembered it is absent.
 */
export function serviceSpans(instances: readonly (readonly Span[])[]): ServiceSpan[] {
  const steps = instances.flatMap((spans) =>
    spans.map(({ t, standing }, i) => ({ t, was: spans[i - 1]?.standing ?? 'absent', standing })),
  );
  steps.sort((a, b) => a.t - b.t);
  const counts = { absent: 0, unknown: 0, down: 0, up: 0 };
  let begun = false;
  const spans: ServiceSpan[] = [];
  for (const [i, { t, was, standing }] of steps.entries()) {
    counts[was]--;
    counts[standing]++;
    begun ||= standing !== 'absent';
    if (steps[i + 1]?.t === t) continue;
    const { up, down, unknown } = counts;
    const none = begun ? 'down' : 'absent';
    const idle = unknown > 0 ? 'unknown' : none;
    spans.push({ t, standing: up > 0 ? 'up' : idle, up, known: up + down });
  }
  return spans;
}

/** Where a time of which nothing is known begins or ends. */
export interface Edge {
  readonly t: number;
  readonly by: 1 | -1;
}

/** In order; of those that end before `from` none is left, for they cut nothing out of what is after it. */
export function edgesOf(gaps: readonly Gap[], from: number): Edge[] {
  const edges = gaps
    .filter(([, to]) => to > from)
    .flatMap(([begin, end]): Edge[] => [
      { t: begin, by: 1 },
      { t: end, by: -1 },
    ]);
  return edges.sort((a, b) => a.t - b.t);
}

/** The spans with what is not known cut out of them. Many are cut by the same edges. */
export function withGaps<S extends Span>(
  spans: readonly S[],
  { edges, unknown }: { readonly edges: readonly Edge[]; readonly unknown: S },
): S[] {
  const cut: S[] = [];
  let current: S | undefined;
  let [span, edge, open] = [0, 0, 0];
  while (span < spans.length || edge < edges.length) {
    const t = Math.min(spans[span]?.t ?? END, edges[edge]?.t ?? END);
    // What happens in one moment is seen as one.
    while (spans[span]?.t === t) current = spans[span++];
    while (edges[edge]?.t === t) open += edges[edge++]?.by ?? 0;
    if (current !== undefined) cut.push({ ...(open > 0 ? unknown : current), t });
  }
  return cut;
}

const END = Number.POSITIVE_INFINITY;

export interface Figures {
  /** Of the stretch: how long it is known, and of this how long it was up. What was absent is in neither. */
  readonly knownMs: number;
  readonly unknownMs: number;
  readonly upMs: number;
  /** How often it went down, or was when the stretch began. */
  readonly outages: number;
  /** Of those that it recovered from within the stretch, as far as it is known when they began. */
  readonly recovered: number;
  readonly recoveryMs: number;
  readonly longestRecoveryMs: number;
}

export function figuresOf(spans: readonly Span[], stretch: Stretch): Figures {
  const tally = new Tally(stretch);
  for (const [i, span] of spans.entries()) {
    tally.take(span, Math.min(spans[i + 1]?.t ?? stretch.to, stretch.to));
  }
  return tally.figures;
}

class Tally {
  readonly #stretch: Stretch;
  #was: Standing = 'absent';
  /** Since when it is down; undefined where it is not, or nobody knows when that began. */
  #fell: number | undefined;
  readonly figures = {
    ...{ knownMs: 0, unknownMs: 0, upMs: 0 },
    ...{ outages: 0, recovered: 0, recoveryMs: 0, longestRecoveryMs: 0 },
  };

  constructor(stretch: Stretch) {
    this.#stretch = stretch;
  }

  take({ t, standing }: Span, end: number): void {
    const { figures } = this;
    const ms = Math.max(0, end - Math.max(t, this.#stretch.from));
    if (standing === 'unknown') figures.unknownMs += ms;
    if (standing === 'up' || standing === 'down') figures.knownMs += ms;
    if (standing === 'up') {
      figures.upMs += ms;
      this.#recover(t);
    }
    if (standing === 'down') this.#fall(t, ms);
    this.#was = standing;
  }

  #recover(t: number): void {
    const { from, to } = this.#stretch;
    if (this.#was !== 'down' || this.#fell === undefined || t < from || t >= to) return;
    const took = t - this.#fell;
    this.figures.recovered++;
    this.figures.recoveryMs += took;
    this.figures.longestRecoveryMs = Math.max(this.figures.longestRecoveryMs, took);
  }

  #fall(t: number, ms: number): void {
    if (this.#was !== 'down') this.#fell = this.#was === 'up' ? t : undefined;
    // One that was under way when the stretch began counts too.
    if (ms > 0 && (this.#was !== 'down' || t <= this.#stretch.from)) this.figures.outages++;
  }
}

/** How large a share of its instances passed, while there was one of which it is known. */
export function shareOf(
  spans: readonly ServiceSpan[],
  { from, to }: Stretch,
): { readonly knownMs: number; readonly upMs: number } {
  let [knownMs, upMs] = [0, 0];
  for (const [i, { t, standing, up, known }] of spans.entries()) {
    const end = Math.min(spans[i + 1]?.t ?? to, to);
    const ms = Math.max(0, end - Math.max(t, from));
    if (known === 0 || standing === 'unknown') continue;
    knownMs += ms;
    upMs += (ms * up) / known;
  }
  return { knownMs, upMs };
}
