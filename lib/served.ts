/** What a service has answered, as it or its proxy counts it: docs/api/scale.md says in what shape. */

/** Milliseconds up to which an answer counts in its place; the last place is for all that took longer. */
const LATENCY_BOUNDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] as const;
export const LATENCY_PLACES = LATENCY_BOUNDS.length + 1;

/** In which an answer counts that took so long. */
export function latencyPlace(ms: number): number {
  const at = LATENCY_BOUNDS.findIndex((bound) => ms <= bound);
  return at < 0 ? LATENCY_BOUNDS.length : at;
}

/** Amounts, so that what several have told adds up. */
export interface Served {
  readonly requests: number;
  /** Of those, that failed at the service. */
  readonly errors: number;
  /** How many took how long, place by place; shorter where nothing follows. Empty where nobody measures. */
  readonly latency: readonly number[];
}

export const NOTHING_SERVED: Served = { requests: 0, errors: 0, latency: [] };

export function servedSum(a: Served, b: Served): Served {
  return combined(a, b, (x, y) => x + y);
}

/** What came to it since; all of it where it began anew, with fewer requests than before. */
export function servedSince(now: Served, before: Served): Served {
  if (now.requests < before.requests) return now;
  return servedLess(now, before);
}

export function servedLess(a: Served, b: Served): Served {
  return combined(a, b, (x, y) => Math.max(0, x - y));
}

export function servedPart(of: Served, part: number): Served {
  return combined(of, NOTHING_SERVED, (x) => x * part);
}

function combined(a: Served, b: Served, each: (x: number, y: number) => number): Served {
  const places = Math.max(a.latency.length, b.latency.length);
  return {
    requests: each(a.requests, b.requests),
    errors: each(a.errors, b.errors),
    latency: Array.from({ length: places }, (_, i) => each(a.latency[i] ?? 0, b.latency[i] ?? 0)),
  };
}

/**
 * So many milliseconds took this share of the answers at most, as if those within a place were spread over
 * it evenly; undefined where none was measured. Of what took longer than the last bound only that is known.
 */
export function latencyOf({ latency }: Served, share: number): number | undefined {
  const all = latency.reduce((sum, count) => sum + count, 0);
  if (all <= 0) return undefined;
  let left = share * all;
  for (const [i, count] of latency.entries()) {
    const [from, to] = [LATENCY_BOUNDS[i - 1] ?? 0, LATENCY_BOUNDS[i]];
    if (to === undefined) return from;
    if (left <= count) return from + ((to - from) * left) / count;
    left -= count;
  }
  return LATENCY_BOUNDS[latency.length - 1] ?? LATENCY_BOUNDS.at(-1);
}
