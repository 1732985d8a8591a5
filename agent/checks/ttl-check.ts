import type { Cancel, Clock } from '../../lib/clock.ts';

/** A check that turns critical by itself unless someone reports in time. */
export class TtlCheck {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #expire: () => void;
  #deadline = 0;
  #cancel: Cancel | undefined;
  #stopped = false;

  constructor(clock: Clock, ttlMs: number, expire: () => void) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#expire = expire;
  }

  /** `firstMs` is how long the first report may take: less than the TTL after a restart. */
  start(firstMs = this.#ttlMs): void {
    this.#deadline = this.#clock.monotonic() + firstMs;
    this.#arm(firstMs);
  }

  /** Someone reported: the time starts anew. Cheap, for the timer itself stays where it is. */
  renew(): void {
    this.#deadline = this.#clock.monotonic() + this.#ttlMs;
    if (this.#cancel === undefined) this.#arm(this.#ttlMs);
  }

  /** How long until it turns critical. */
  get leftMs(): number {
    return Math.max(0, this.#deadline - this.#clock.monotonic());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(ms: number): void {
    if (this.#stopped) return;
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = undefined;
      const left = this.leftMs;
      // Less than a millisecond is a timer that fired a little early.
      if (left >= 1) this.#arm(left);
      else this.#expire();
    });
  }
}
