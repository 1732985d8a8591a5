/** Runs one probe again and again until it is stopped; of what kind it is, it does not know. */

import type { Cancel, Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import { critical, type Look, type Probe } from './probing/probe.ts';

export interface CheckRunnerOptions {
  readonly clock: Clock;
  readonly probe: Probe;
  /** How long after a look the next one comes. */
  readonly pauseMs: () => number;
  readonly timeoutMs: number;
  readonly report: (look: Look) => void;
  /** Has it wait for its turn where only so many may look at a time; its own time begins after that. */
  readonly turn?: Turn;
}

export type Turn = <T>(work: () => Promise<T>) => Promise<T>;

const atOnce: Turn = (work) => work();

/** How long a probe may take to notice that its time is over, and say so in its own words. */
const GRACE_MS = 100;

export class CheckRunner {
  readonly #options: CheckRunnerOptions;
  #cancelNext: Cancel = () => undefined;
  #cancelTimeout: Cancel = () => undefined;
  #run: AbortController | undefined;
  #giveUp: () => void = () => undefined;
  #stopped = false;

  constructor(options: CheckRunnerOptions) {
    this.#options = options;
  }

  /** Looks first after `delayMs`: an agent staggers its checks, or all of them would look at once. */
  start(delayMs: number): void {
    if (this.#stopped) return;
    this.#cancelNext = this.#options.clock.after(delayMs, () => void this.#look());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelNext();
    this.#cancelTimeout();
    this.#run?.abort();
    // A probe that hangs settles never, and whoever waits for its turn would wait for ever.
    this.#giveUp();
  }

  /** Ends the look under way, which finds nothing; the next comes after its pause. */
  putOff(): void {
    this.#cancelTimeout();
    this.#run?.abort();
    this.#giveUp();
  }

  async #look(): Promise<void> {
    const { pauseMs, report, turn = atOnce } = this.#options;
    const look = await turn(async () => (this.#stopped ? undefined : await this.#lookOnce()));
    this.#cancelTimeout();
    this.#run = undefined;
    if (this.#stopped) return;
    if (look !== undefined) report(look);
    // Only now: a slow probe puts the next look off, and never runs twice at the same time. (One
    // that hangs for ever does; what it holds open is for its kind to close at the signal.)
    this.start(pauseMs());
  }

  /**
   * Never rejects and never hangs, whatever the probe does: throw, reject, or not settle at all.
   * Undefined where it was stopped or put off meanwhile.
   */
  #lookOnce(): Promise<Look | undefined> {
    const { clock, probe, timeoutMs } = this.#options;
    const run = new AbortController();
    this.#run = run;
    return new Promise((resolve) => {
      this.#giveUp = () => resolve(undefined);
      this.#cancelTimeout = clock.after(timeoutMs, () => {
        run.abort();
        this.#cancelTimeout = clock.after(GRACE_MS, () =>
          resolve(critical('Timed out running check, which does not end')),
        );
      });
      new Promise<Look>((settle) => settle(probe(run.signal))).then(resolve, (error: unknown) =>
        resolve(critical(messageOf(error))),
      );
    });
  }
}
