/**
 * Keeps the intervals of ten seconds that Consul shows metrics by, and when each row last changed.
 * It alone rolls samples on, so a process has one.
 */
import type { Cancel, Clock } from '../clock.ts';
import type { Gauge, Metric, Reading, Timing } from './metric.ts';
import { sumOf, type Tally } from './sample.ts';

export const INTERVAL_MS = 10_000;
/** Of one gauge: there may be very many servers, and each of them would be a series for ever. */
const MAX_READINGS = 100;

export class Meter {
  readonly #clock: Clock;
  #metrics: readonly Metric[] = [];
  /** Of counters, as the interval that goes on began. */
  readonly #began = new Map<Metric, number>();
  /** Of counters, in the interval that is over. */
  readonly #added = new Map<Metric, number>();
  readonly #changedAt = new Map<Metric, number>();
  #cancel: Cancel = () => undefined;
  #intervals = 0;
  #beganMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(metrics: readonly Metric[]): void {
    this.#metrics = metrics;
    const now = this.#clock.monotonic();
    for (const metric of metrics) {
      if (metric.kind === 'counter' && metric.read() > 0) this.#changedAt.set(metric, now);
    }
    this.#begin();
  }

  stop(): void {
    this.#cancel();
  }

  get metrics(): readonly Metric[] {
    return this.#metrics;
  }

  /** When the interval began that is shown: the last one that is over, or the very first. */
  get shownMs(): number {
    return this.#beganMs - (this.#intervals > 0 ? INTERVAL_MS : 0);
  }

  /** How often it happened in the interval that is shown. */
  added(metric: Metric): number {
    if (metric.kind !== 'counter') return 0;
    if (this.#intervals > 0) return this.#added.get(metric) ?? 0;
    return metric.read() - (this.#began.get(metric) ?? 0);
  }

  /** What the interval that is shown came to. */
  tally({ samples }: Timing): Tally {
    return sumOf(samples.map(({ last, current }) => (this.#intervals > 0 ? last : current)));
  }

  /** Whether it has changed, as of this moment, since so long ago. */
  changedWithin(metric: Metric, ms: number): boolean {
    if (metric.kind === 'gauge') return true;
    if (this.#hasGrown(metric)) return true;
    const at = this.#changedAt.get(metric);
    return at !== undefined && this.#clock.monotonic() - at <= ms;
  }

  /** Since the interval began that goes on. */
  #hasGrown(metric: Metric): boolean {
    if (metric.kind === 'counter') return metric.read() !== this.#began.get(metric);
    return metric.kind === 'sample' && metric.samples.some(({ current }) => current.count > 0);
  }

  #begin(): void {
    const now = this.#clock.now();
    this.#beganMs = now - (now % INTERVAL_MS);
    for (const metric of this.#metrics) {
      if (metric.kind === 'counter') this.#began.set(metric, metric.read());
    }
    this.#cancel = this.#clock.after(this.#beganMs + INTERVAL_MS - now, () => this.#roll());
  }

  #roll(): void {
    const now = this.#clock.monotonic();
    for (const metric of this.#metrics) {
      if (this.#hasGrown(metric)) this.#changedAt.set(metric, now);
      if (metric.kind !== 'counter') continue;
      this.#added.set(metric, metric.read() - (this.#began.get(metric) ?? 0));
    }
    // Two rows may show one sample, which must not be rolled twice.
    const samples = this.#metrics.flatMap((each) => (each.kind === 'sample' ? each.samples : []));
    for (const sample of new Set(samples)) sample.roll();
    this.#intervals++;
    this.#begin();
  }
}

/** Its values, as many as may be shown. */
export function readingsOf({ read, labels = {}, most = MAX_READINGS }: Gauge): readonly Reading[] {
  const value = read();
  return typeof value === 'number' ? [{ labels, value }] : value.slice(0, most);
}
