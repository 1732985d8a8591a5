import type { Cancel, Clock } from '../../lib/clock.ts';

interface Waiter {
  readonly index: number;
  readonly pass: (reached: boolean) => void;
}

/**
 * How far a history has been applied, and the one way to wait until it is further. Every wait has a
 * deadline: what is to bring the entry (Redis, a disk) may be gone before it does.
 */
export class IndexGate {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();
  #index = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get index(): number {
    return this.#index;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** To be called whenever the history has moved, also when it moved back. */
  moved(index: number): void {
    this.#index = index;
    for (const waiter of this.#waiters) if (waiter.index <= index) waiter.pass(true);
  }

  /**
   * Whether the index was reached before the deadline, by the clock's monotonic time, and before the
   * signal aborted. Never rejects.
   */
  wait(index: number, deadline: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#index >= index) return Promise.resolve(true);
    const leftMs = deadline - this.#clock.monotonic();
    if (leftMs <= 0 || signal?.aborted === true) return Promise.resolve(false);
    return new Promise((resolve) => {
      let cancel: Cancel = () => undefined;
      const waiter: Waiter = {
        index,
        pass: (reached) => {
          cancel();
          signal?.removeEventListener('abort', giveUp);
          if (this.#waiters.delete(waiter)) resolve(reached);
        },
      };
      const giveUp = () => waiter.pass(false);
      // After the process stood still, what has come in meanwhile is read before anyone gives up.
      cancel = this.#clock.after(leftMs, () => setImmediate(giveUp));
      signal?.addEventListener('abort', giveUp);
      this.#waiters.add(waiter);
    });
  }
}
