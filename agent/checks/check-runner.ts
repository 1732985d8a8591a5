/** Runs one probe again and again until it is stopped; of what kind it is, it does not know. */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { critical, type Look, type Probe } from './probe.ts';

export interface CheckRunnerOptions {
  readonly clock: Clock;
  readonly probe: Probe;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly report: (look: Look) => void;
}

export class CheckRunner {
  readonly #options: CheckRunnerOptions;
  #cancelNext: Cancel = () => undefined;
  #cancelTimeout: Cancel = () => undefined;
  #run: AbortController | undefined;
  #stopped = false;

  constructor(options: CheckRunnerOptions) {
    this.#options = options;
  }

  /** Looks first after `delayMs`: an agent staggers its checks, lest all of them look at once. */
  start(delayMs: number): void {
    if (this.#stopped) return;
    this.#cancelNext = this.#options.clock.after(delayMs, () => void this.#look());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelNext();
    this.#cancelTimeout();
    this.#run?.abort();
  }

  async #look(): Promise<void> {
    const { clock, probe, timeoutMs, intervalMs, report } = this.#options;
    const run = new AbortController();
    this.#run = run;
    this.#cancelTimeout = clock.after(timeoutMs, () => run.abort());
    const look = await probe(run.signal).catch((error: unknown) =>
      critical(error instanceof Error ? error.message : String(error)),
    );
    this.#cancelTimeout();
    this.#run = undefined;
    if (this.#stopped) return;
    report(look);
    // Only now: a slow probe puts the next look off, and never runs twice at the same time.
    this.start(intervalMs);
  }
}
