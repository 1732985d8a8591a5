/** The metrics of a process as the configuration wants them shown and sent. */
import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import type { System } from '../system.ts';
import { consulJson } from './consul-json.ts';
import { exposition } from './exposition.ts';
import { Meter } from './meter.ts';
import type { Metric } from './metric.ts';
import type { Naming } from './names.ts';
import { Statsd } from './statsd.ts';

export interface TelemetryOptions {
  readonly config: Config['telemetry'];
  readonly system: Pick<System, 'clock' | 'logger'>;
}

export class Telemetry {
  #config: Config['telemetry'];
  #naming: Naming;
  readonly #meter: Meter;
  readonly #statsd: Statsd;

  constructor({ config, system }: TelemetryOptions) {
    const { clock, logger } = system;
    this.#config = config;
    this.#naming = namingOf(config);
    this.#meter = new Meter(clock);
    const naming = () => this.#naming;
    this.#statsd = new Statsd({ sinks: config.sinks, meter: this.#meter, naming, clock, logger });
  }

  /** When all that is measured is there. */
  start(metrics: readonly Metric[]): void {
    this.#meter.start(metrics);
    this.#statsd.start();
  }

  stop(): void {
    this.#meter.stop();
    this.#statsd.stop();
  }

  /** As in Consul, a reload takes over the rules of the filter, and nothing else. */
  takeOver({ filter: { allowed, blocked } }: Config['telemetry']): void {
    const { byDefault } = this.#config.filter;
    this.#config = { ...this.#config, filter: { allowed, blocked, byDefault } };
    this.#naming = namingOf(this.#config);
  }

  json(): object {
    return consulJson(this.#meter, this.#naming);
  }

  /** Undefined where it is not switched on. */
  prometheus(): string | undefined {
    const { prometheusRetentionMs } = this.#config;
    if (prometheusRetentionMs <= 0) return undefined;
    return exposition(this.#meter, this.#naming, prometheusRetentionMs);
  }
}

function namingOf({ metricsPrefix, filter, ...config }: Config['telemetry']): Naming {
  // As Consul: where nothing is sent anywhere, whoever asks knows which host it is.
  const isSent = config.sinks.length > 0 || config.prometheusRetentionMs > 0;
  return {
    prefix: metricsPrefix,
    host: isSent && !config.disableHostname ? hostname() : '',
    filter,
  };
}
