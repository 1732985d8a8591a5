/** The metrics as Consul's in-memory sink shows them: /v1/agent/metrics. */
import { INTERVAL_MS, type Meter, readingsOf } from './meter.ts';
import type { Labels, Metric } from './metric.ts';
import { type Naming, shownName } from './names.ts';
import type { Tally } from './sample.ts';

const INTERVAL_S = INTERVAL_MS / 1000;

export function consulJson(meter: Meter, naming: Naming): object {
  const all = meter.metrics.flatMap((metric) => {
    const Name = shownName(metric, naming);
    return Name === undefined ? [] : [{ Name, metric }];
  });
  const Gauges = all.flatMap(({ Name, metric }) => gaugesOf(Name, metric));
  const Counters = all.flatMap(({ Name, metric }) => {
    const sum = meter.added(metric);
    // Go's client takes no fraction for a count, and seconds of the processor are one.
    const count = Math.ceil(sum);
    const each = { count, sum, sumOfSquares: sum, min: 1, max: 1 };
    return count === 0 ? [] : [aggregate(Name, each, metric.labels)];
  });
  const Samples = all.flatMap(({ Name, metric }) => {
    if (metric.kind !== 'sample') return [];
    const tally = meter.tally(metric);
    return tally.count === 0 ? [] : [aggregate(Name, tally, metric.labels)];
  });
  const Timestamp = timestamp(meter.shownMs);
  return {
    Timestamp,
    Gauges: Gauges.sort(byName),
    Points: [],
    Counters: Counters.sort(byName),
    Samples: Samples.sort(byName),
  };
}

function gaugesOf(Name: string, metric: Metric) {
  if (metric.kind !== 'gauge') return [];
  return readingsOf(metric).map(({ value: Value, labels: Labels }) => ({ Name, Value, Labels }));
}

type Sums = Pick<Tally, 'count' | 'sum' | 'sumOfSquares' | 'min' | 'max'>;

function aggregate(Name: string, sums: Sums, Labels: Labels = {}) {
  const { count: Count, sum: Sum, sumOfSquares, min: Min, max: Max } = sums;
  const spread = Count < 2 ? 0 : (Count * sumOfSquares - Sum * Sum) / (Count * (Count - 1));
  // Of numbers that are all the same, what is left of the subtraction may be below zero.
  const Stddev = Math.sqrt(Math.max(0, spread));
  return { Name, Count, Rate: Sum / INTERVAL_S, Sum, Min, Max, Mean: Sum / Count, Stddev, Labels };
}

function byName(a: { Name: string }, b: { Name: string }): number {
  if (a.Name === b.Name) return 0;
  return a.Name < b.Name ? -1 : 1;
}

/** '2026-11-21 17:18:50 +0000 UTC'. */
function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}
