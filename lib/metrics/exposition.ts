/** The metrics as a text for Prometheus: Consul's names as its own sink writes them, and ours. */
import { type Meter, readingsOf } from './meter.ts';
import { isOwn, type Labels, type Metric, type Timing } from './metric.ts';
import { type Naming, shownName } from './names.ts';
import { sumOf } from './sample.ts';

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const QUANTILES = [0.5, 0.9, 0.99];
/** From 64 µs, doubled up to 17 s: each is where a bucket of a sample ends. */
const BOUNDS_MS = Array.from({ length: 19 }, (_, i) => 0.064 * 2 ** i).map(toBucketEnd);

/**
 * Of Consul's names those are left out that have not changed for longer than `retentionMs`, as it
 * does. Ours stay: an alert on what is rare needs its 0. But nobody needs twenty zeros for each
 * endpoint that was never asked.
 */
export function exposition(
  meter: Pick<Meter, 'metrics' | 'changedWithin'>,
  naming: Naming,
  retentionMs: number,
): string {
  const families = new Map<string, Family>();
  for (const metric of meter.metrics) {
    const dotted = shownName(metric, naming);
    if (dotted === undefined) continue;
    if (isOwn(metric.name) ? isUnused(metric) : !meter.changedWithin(metric, retentionMs)) continue;
    const name = exposedName(dotted, metric);
    const family = families.get(name) ?? { head: headOf(name, metric), lines: [] };
    family.lines.push(...linesOf(name, metric));
    families.set(name, family);
  }
  const sorted = [...families].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted
    .flatMap(([, { head, lines }]) => [head, ...lines.map((each) => `${each}\n`)])
    .join('');
}

function isUnused(metric: Metric): boolean {
  return metric.kind === 'sample' && metric.samples.every(({ count }) => count === 0);
}

/** Of a row that is shown under this name, with dots. */
export function exposedName(dotted: string, metric: Metric): string {
  return promName(dotted) + unitOf(metric);
}

/** All lines of one name must stand together. */
interface Family {
  readonly head: string;
  readonly lines: string[];
}

function headOf(name: string, metric: Metric): string {
  const help = metric.does.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return `# HELP ${name} ${help}\n# TYPE ${name} ${typeOf(metric)}\n`;
}

function typeOf(metric: Metric): string {
  if (metric.kind !== 'sample') return metric.kind;
  return metric.buckets ? 'histogram' : 'summary';
}

/** Ours say their unit, as Prometheus wants it; Consul's are in milliseconds and do not. */
function unitOf(metric: Metric): string {
  if (!isOwn(metric.name)) return '';
  if (metric.kind === 'counter') return '_total';
  return isSeconds(metric) ? '_seconds' : '';
}

function isSeconds(metric: Metric): boolean {
  return isOwn(metric.name) && metric.kind === 'sample' && metric.unit === 'ms';
}

function linesOf(name: string, metric: Metric): string[] {
  const { labels = {} } = metric;
  switch (metric.kind) {
    case 'gauge':
      return readingsOf(metric).map((each) => line(name, each.labels, each.value));
    case 'counter':
      return [line(name, labels, metric.read())];
    case 'sample':
      return metric.buckets
        ? bucketLines(name, metric, labels)
        : summaryLines(name, metric, labels);
  }
}

function summaryLines(name: string, metric: Timing, labels: Labels): string[] {
  const scale = isSeconds(metric) ? 1000 : 1;
  const recent = sumOf(metric.samples.map((sample) => sample.recent()));
  const { sum, count } = sumOf(metric.samples.map((sample) => sample.all()));
  return [
    ...QUANTILES.map((q) =>
      line(name, { ...labels, quantile: String(q) }, recent.quantile(q) / scale),
    ),
    line(`${name}_sum`, labels, sum / scale),
    line(`${name}_count`, labels, count),
  ];
}

function bucketLines(name: string, metric: Timing, labels: Labels): string[] {
  const scale = isSeconds(metric) ? 1000 : 1;
  const all = sumOf(metric.samples.map((sample) => sample.all()));
  const bucket = (le: string, value: number) => line(`${name}_bucket`, { ...labels, le }, value);
  return [
    ...BOUNDS_MS.map((bound) => bucket(String(bound / scale), all.upTo(bound))),
    bucket('+Inf', all.count),
    line(`${name}_sum`, labels, all.sum / scale),
    line(`${name}_count`, labels, all.count),
  ];
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${promName(key)}="${escaped(text)}"`);
  const shown = Number.isFinite(value) ? String(value) : notFinite(value);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${shown}`;
}

function notFinite(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

/** The prefix is the user's, and the host's name whoever's. */
function promName(dotted: string): string {
  const plain = dotted.replace(/[^a-zA-Z0-9_:]/g, '_');
  return /^\d/.test(plain) ? `_${plain}` : plain;
}

/** Without the noise of binary fractions. */
function toBucketEnd(ms: number): number {
  return Number(ms.toPrecision(12));
}
