import type { Cancel, Clock } from '../../../lib/clock.ts';
import { until } from '../until.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
}

/** A clock that stands still until a spec moves it. Timers go by its monotonic time. */
export class FakeClock implements Clock {
  /** Far from any wall time: whoever takes one for the other is found out. */
  #now = 5_000_000;
  #wallMs: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(now = 1_700_000_000_000) {
    this.#wallMs = now - this.#now;
  }

  now(): number {
    return this.#now + this.#wallMs;
  }

  monotonic(): number {
    return this.#now;
  }

  after(ms: number, fn: () => void): Cancel {
    const timer = { at: this.#now + Math.max(0, ms), order: this.#order++, fn };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** How many timers wait: a spec that ends with some has leaked them. */
  get armed(): number {
    return this.#timers.size;
  }

  /** Resolves when at least `count` timers wait: the code under test has come to its wait. */
  async untilArmed(count = 1): Promise<void> {
    await until(
      () => this.#timers.size >= count,
      () => `${this.#timers.size} timers armed`,
    );
  }

  /** Sets the wall clock on or, below 0, back, as NTP does or an operator. No time passes. */
  setWall(ms: number): void {
    this.#wallMs += ms;
  }

  /** The process stands still: time passes, and timers that are due by then fire late. */
  async stall(ms: number): Promise<void> {
    this.#now += ms;
    await this.advance(0);
  }

  /** Moves time on, firing each timer at its own moment, and lets what they started settle. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#next(end);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.fn();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      const earlier =
        first === undefined ||
        timer.at < first.at ||
        (timer.at === first.at && timer.order < first.order);
      if (earlier) first = timer;
    }
    return first;
  }
}

/** Lets promises and I/O that are ready now run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
