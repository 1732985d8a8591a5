import type { Clock } from './clock.ts';

export interface RateLimit {
  /** Below 0: none. */
  readonly perSecond: number;
  /** So many at once, after a rest. */
  readonly burst: number;
}

/** Lets through so many a second: a client that asks without end is told, and the servers are not. */
export class Rate {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  #left: number;
  #at: number;

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
    this.#left = limit.burst;
    this.#at = clock.monotonic();
  }

  /** Whether one more may go; it is counted then. */
  take(): boolean {
    const { perSecond, burst } = this.#limit;
    if (perSecond < 0) return true;
    const now = this.#clock.monotonic();
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / 1000) * perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
