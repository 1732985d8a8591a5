/**
 * What a process tells of itself in numbers. Each part counts in plain fields of its own and lists
 * rows that read them: nothing is looked up by a name while a request is answered. A row is named as
 * Consul names the same thing, or begins with `proconsul.` where Consul has no such thing.
 */
import type { Sample } from './sample.ts';

export type Labels = Readonly<Record<string, string>>;

/** One of several values of a gauge. Who lists them bounds how many. */
export interface Reading {
  readonly labels: Labels;
  readonly value: number;
}

interface Named {
  readonly name: string;
  /** For docs/monitoring/metrics.md and Prometheus' HELP. */
  readonly does: string;
  /** From a closed set that the code names: never what a user has named. */
  readonly labels?: Labels;
}

/** How it stands now. */
export interface Gauge extends Named {
  readonly kind: 'gauge';
  readonly read: () => number | readonly Reading[];
  /** Readings of which an operator says by name that he wants them: so many at most. */
  readonly most?: number;
}

/** How often it happened: it only ever grows. */
export interface Counter extends Named {
  readonly kind: 'counter';
  readonly read: () => number;
}

/** What it took each time. Of several they are counted together. */
export interface Timing extends Named {
  readonly kind: 'sample';
  readonly samples: readonly Sample[];
  /** Milliseconds, or a number of things. */
  readonly unit: 'ms' | 'things';
  /** Shown to Prometheus in buckets, which can be added up over servers. */
  readonly buckets?: true;
}

export type Metric = Gauge | Counter | Timing;

/** Whoever has something to tell. */
export interface Measured {
  metrics(): readonly Metric[];
}

const OWN = 'proconsul.';

export function isOwn(name: string): boolean {
  return name.startsWith(OWN);
}

export function gauge(name: string, does: string, read: Gauge['read'], most?: number): Gauge {
  return { kind: 'gauge', name, does, read, ...(most !== undefined && { most }) };
}

export function counter(name: string, does: string, read: () => number, labels?: Labels): Counter {
  return { kind: 'counter', name, does, read, ...(labels && { labels }) };
}

type TimingMore = Partial<Pick<Timing, 'labels' | 'unit' | 'buckets'>>;

export function timing(
  name: string,
  does: string,
  samples: Sample | readonly Sample[],
  more: TimingMore = {},
): Timing {
  const all = 'observe' in samples ? [samples] : samples;
  return { kind: 'sample', name, does, samples: all, unit: 'ms', ...more };
}
