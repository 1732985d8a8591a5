import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Condition, Gap } from '../../../lib/history.ts';
import {
  edgesOf,
  figuresOf,
  type InstancePast,
  type ServiceSpan,
  serviceSpans,
  shareOf,
  spansOf,
  withGaps,
} from '../../../server/query/availability.ts';
import type { Change } from '../../../server/state/history/changes.ts';
import { SEED } from '../../support/seed.ts';

const S = 1000;
/** As long as a naive count can count, second by second. */
const END = 600;

/** At which second what it became. */
type Steps = readonly (readonly [second: number, to: Condition])[];

function changesOf(steps: Steps, before: Condition = 'absent'): Change[] {
  return steps.map(([t, to], i) => ({ t: t * S, from: steps[i - 1]?.[1] ?? before, to, text: 0 }));
}

function conditionAt(changes: readonly Change[], second: number): Condition {
  const last = changes.findLast(({ t }) => t <= second * S);
  if (last !== undefined) return last.to;
  return changes[0] === undefined || changes[0].from === 'absent' ? 'absent' : 'unknown';
}

const isIn = (second: number, [from, to]: Gap) => second * S >= from && second * S < to;

/** What anybody would say of one second of an instance. */
function naive({ life, checks, since }: InstancePast, second: number) {
  if (second * S < since) return 'unknown';
  const there = conditionAt(life, second);
  if (there !== 'registered') return there;
  const all = checks.map((check) => conditionAt(check, second));
  if (all.some((each) => !['passing', 'absent', 'unknown'].includes(each))) return 'down';
  return all.includes('unknown') ? 'unknown' : 'up';
}

/** The same of a service; nothing of an answer where nothing is known. */
function naiveService(pasts: readonly InstancePast[], gaps: readonly Gap[], second: number) {
  const all = pasts.map((past) => naive(past, second));
  const [up = 0, down = 0, unknown = 0] = ['up', 'down', 'unknown'].map(
    (standing) => all.filter((each) => each === standing).length,
  );
  const isUnknown = gaps.some((gap) => isIn(second, gap)) || (up === 0 && unknown > 0);
  return { isUnknown, up, known: up + down, isThere: up + down + unknown > 0 };
}

const seconds = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

function count(pasts: readonly InstancePast[], gaps: readonly Gap[], from: number, to: number) {
  const all = seconds(0, to).map((second) => naiveService(pasts, gaps, second));
  const begins = all.findIndex(({ isThere }) => isThere);
  const window = all.map((each, second) => ({ ...each, begun: begins >= 0 && second >= begins }));
  const within = window.slice(from);
  const told = within.filter(({ isUnknown }) => !isUnknown);
  const shared = told.filter(({ known }) => known > 0);
  return {
    unknown: within.length - told.length,
    known: told.filter(({ begun }) => begun).length,
    up: told.filter(({ up }) => up > 0).length,
    shared: shared.length,
    share: shared.reduce((sum, { up, known }) => sum + up / known, 0),
  };
}

function told(pasts: readonly InstancePast[], gaps: readonly Gap[], from: number, to: number) {
  const frame = { from: 0, to: END * S };
  const unknown: ServiceSpan = { t: 0, standing: 'unknown', up: 0, known: 0 };
  const spans = withGaps(serviceSpans(pasts.map((past) => spansOf(past, frame))), {
    edges: edgesOf(gaps, frame.from),
    unknown,
  });
  const stretch = { from: from * S, to: to * S };
  return { figures: figuresOf(spans, stretch), share: shareOf(spans, stretch) };
}

function stepsOf(...conditions: Condition[]): fc.Arbitrary<Steps> {
  const step = fc.tuple(fc.nat(END - 1), fc.constantFrom(...conditions));
  return fc
    .uniqueArray(step, { maxLength: 12, selector: ([second]) => second })
    .map((steps) => steps.sort(([a], [b]) => a - b));
}

const before = fc.constantFrom<Condition>('absent', 'absent', 'passing', 'unknown');
const track = (...conditions: Condition[]) =>
  fc.tuple(stepsOf(...conditions), before).map(([steps, was]) => changesOf(steps, was));
const instance: fc.Arbitrary<InstancePast> = fc.record({
  life: track('registered', 'registered', 'absent'),
  checks: fc.array(track('passing', 'passing', 'critical', 'warning', 'absent', 'other'), {
    maxLength: 3,
  }),
  since: fc.constantFrom(0, 0, 0, 100 * S),
});
const gap: fc.Arbitrary<Gap> = fc
  .tuple(fc.nat(END - 2), fc.integer({ min: 1, max: 60 }))
  .map(([from, length]) => [from * S, (from + length) * S]);

describe(`availability (seed ${SEED})`, function () {
  this.timeout(20_000);

  it('is what a count second by second comes to', () => {
    const pasts = fc.array(instance, { minLength: 1, maxLength: 4 });
    const gaps = fc.array(gap, { maxLength: 2 });
    const window = fc.tuple(fc.nat(END - 1), fc.integer({ min: 1, max: END }));
    fc.assert(
      fc.property(pasts, gaps, window, (all, cut, [from, length]) => {
        const to = Math.min(END, from + length);
        const sums = count(all, cut, from, to);
        const { figures, share } = told(all, cut, from, to);
        assert.equal(figures.upMs, sums.up * S);
        assert.equal(figures.knownMs, sums.known * S);
        assert.equal(figures.unknownMs, sums.unknown * S);
        assert.equal(share.knownMs, sums.shared * S);
        assert(Math.abs(share.upMs - sums.share * S) < 1e-6 * S);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('is exact over a thousand flips, recoveries too', () => {
    const flips: [number, Condition][] = [];
    let at = 0;
    let [up, down, longest] = [0, 0, 0];
    for (let i = 0; i < 1000; i++) {
      const [upFor, downFor] = [((i * 7919) % 97) + 1, ((i * 104_729) % 31) + 1];
      flips.push([at, 'passing'], [at + upFor, 'critical']);
      at += upFor + downFor;
      up += upFor;
      down += downFor;
      if (i < 999) longest = Math.max(longest, downFor);
    }
    const past = { life: changesOf([[0, 'registered']]), checks: [changesOf(flips)], since: 0 };
    const stretch = { from: 0, to: at * S };
    const figures = figuresOf(spansOf(past, stretch), stretch);
    assert.deepEqual(figures, {
      knownMs: (up + down) * S,
      unknownMs: 0,
      upMs: up * S,
      outages: 1000,
      recovered: 999,
      recoveryMs: (down - (((999 * 104_729) % 31) + 1)) * S,
      longestRecoveryMs: longest * S,
    });
  });

  it('tells no recovery of an outage of which nobody knows when it began', () => {
    const life = changesOf([[0, 'registered']]);
    const checks = [changesOf([[50, 'passing']], 'critical')];
    const stretch = { from: 0, to: 100 * S };
    const figures = figuresOf(spansOf({ life, checks, since: 0 }, stretch), stretch);
    assert.deepEqual([figures.recovered, figures.unknownMs, figures.upMs], [0, 50 * S, 50 * S]);
  });

  it('counts an outage that began before the stretch, with the whole of its recovery', () => {
    const steps: Steps = [
      [0, 'passing'],
      [10, 'critical'],
      [60, 'passing'],
    ];
    const past = { life: changesOf([[0, 'registered']]), checks: [changesOf(steps)], since: 0 };
    const spans = spansOf(past, { from: 0, to: 100 * S });
    const figures = figuresOf(spans, { from: 50 * S, to: 100 * S });
    assert.deepEqual(
      [figures.outages, figures.recovered, figures.recoveryMs, figures.upMs],
      [1, 1, 50 * S, 40 * S],
    );
  });
});
