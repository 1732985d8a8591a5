import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';

/** After the first failure a server is left alone for so long, doubled at each further one. */
const FIRST_PAUSE_MS = 250;
/** A server that is back gets its keys back within this time. */
const MAX_PAUSE_MS = 2000;

/**
 * Knows which servers failed of late, so that not every request has to find it out. A paused server
 * is still asked when there is no other.
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #failing = new Map<string, { failures: number; until: number }>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  isOpen(id: string): boolean {
    const failing = this.#failing.get(id);
    if (failing === undefined) return false;
    if (this.#clock.monotonic() < failing.until) return true;
    // This one request finds out; the others go on to the next server until it has.
    failing.until = this.#clock.monotonic() + FIRST_PAUSE_MS;
    return false;
  }

  /** Whether it did not answer when it was last asked. */
  isFailing(id: string): boolean {
    return this.#failing.has(id);
  }

  failed(id: string): void {
    const failures = (this.#failing.get(id)?.failures ?? 0) + 1;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), MAX_PAUSE_MS);
    // Between half of it and all of it, so that agents do not come back in step.
    const until = this.#clock.monotonic() + pause * (0.5 + this.#random.next() / 2);
    this.#failing.set(id, { failures, until });
  }

  succeeded(id: string): void {
    this.#failing.delete(id);
  }

  forget(id: string): void {
    this.#failing.delete(id);
  }
}
