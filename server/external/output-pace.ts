import type { Clock } from '../../lib/clock.ts';

/**
 * An output that changes while the status stays is written once in a while: whoever watches a service
 * must not be woken by a check that says the time. What is passed over is said again with the next look.
 */
export class OutputPace {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #intervalMs: number;
  /** When each was last allowed, the oldest first. */
  readonly #allowed = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonic'>, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** Whether the output of this one may be written now: it is then, and not again for a while. */
  allows(key: string): boolean {
    const now = this.#clock.monotonic();
    for (const [old, at] of this.#allowed) {
      if (now - at < this.#intervalMs) break;
      this.#allowed.delete(old);
    }
    if (this.#allowed.has(key)) return false;
    this.#allowed.set(key, now);
    return true;
  }
}
