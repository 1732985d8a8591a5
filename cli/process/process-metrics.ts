/** What a process measures of itself, whatever its role: memory, garbage, and how late its loop is. */
import {
  type IntervalHistogram,
  monitorEventLoopDelay,
  PerformanceObserver,
} from 'node:perf_hooks';
import { counter, gauge, type Metric, timing } from '../../lib/metrics/metric.ts';
import { Sample } from '../../lib/metrics/sample.ts';

/** How often the loop is looked at, in the C++ of Node. */
const LOOK_MS = 20;
const SECOND_MS = 1000;
const NS_PER_MS = 1e6;
const US_PER_S = 1e6;

export class ProcessMetrics {
  /** The longest time of each second in which nothing was done for anybody. */
  readonly #lag = new Sample();
  readonly #pauses = new Sample();
  readonly #collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) this.#pauses.observe(duration);
  });
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: LOOK_MS });
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    this.#collections.observe({ entryTypes: ['gc'] });
    this.#delay.enable();
    this.#timer = setInterval(() => this.#look(), SECOND_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#collections.disconnect();
    this.#delay.disable();
  }

  metrics(): readonly Metric[] {
    const memory = () => process.memoryUsage();
    return [
      gauge('runtime.alloc_bytes', 'the heap in use', () => memory().heapUsed),
      gauge('runtime.sys_bytes', 'all memory of the process', () => memory().rss),
      gauge('runtime.total_gc_runs', 'collections of garbage', () => this.#pauses.count),
      gauge('runtime.total_gc_pause_ns', 'what they took', () =>
        Math.round(this.#pauses.all().sum * NS_PER_MS),
      ),
      timing('proconsul.gc.pause', 'what a collection of garbage took', this.#pauses),
      timing(
        'proconsul.event_loop.lag',
        'the longest time of each second in which nobody was heard',
        this.#lag,
        { buckets: true },
      ),
      counter('proconsul.process.cpu_seconds', 'time of processors', cpuSeconds),
      gauge('proconsul.process.start_time_seconds', 'when it began, since 1970', () =>
        Math.round(performance.timeOrigin / SECOND_MS),
      ),
    ];
  }

  #look(): void {
    const { max } = this.#delay;
    this.#delay.reset();
    // Where it has looked not once since, there is no longest time.
    if (Number.isFinite(max) && max > 0) {
      this.#lag.observe(Math.max(0, max / NS_PER_MS - LOOK_MS));
    }
  }
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / US_PER_S;
}
