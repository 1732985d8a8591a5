/** The metrics of a process: of its parts, and of itself. */
import type { Config } from '../../lib/config/config.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Measured } from '../../lib/metrics/metric.ts';
import { Telemetry } from '../../lib/metrics/telemetry.ts';
import { systemOf } from '../../lib/system.ts';
import { ProcessMetrics } from './process-metrics.ts';

export class ProcessTelemetry {
  readonly shown: Telemetry;
  readonly #own = new ProcessMetrics();

  constructor(config: Config, logger: Logger) {
    this.shown = new Telemetry({ config: config.telemetry, system: systemOf(logger) });
  }

  /** When all parts are there. */
  start(parts: readonly Measured[]): void {
    this.#own.start();
    this.shown.start([...parts, this.#own].flatMap((part) => part.metrics()));
  }

  stop(): void {
    this.shown.stop();
    this.#own.stop();
  }
}
