import type { Clock } from '../../../../lib/clock.ts';

interface Waiter {
  readonly index: number;
  readonly wake: (reached: boolean) => void;
}

/** Lets a writer wait until its own server has applied what it wrote. */
export class Applied {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();
  #index = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be called whenever the history has moved, also when it moved back. */
  moved(index: number): void {
    this.#index = index;
    for (const waiter of [...this.#waiters]) if (waiter.index <= index) waiter.wake(true);
  }

  /** False when the signal aborts or time is up first. */
  async wait(index: number, deadline: number, signal: AbortSignal): Promise<boolean> {
    if (this.#index >= index) return true;
    if (signal.aborted) return false;
    return await new Promise((resolve) => {
      const wake = (reached: boolean) => {
        cancel();
        signal.removeEventListener('abort', onAbort);
        this.#waiters.delete(waiter);
        resolve(reached);
      };
      const waiter = { index, wake };
      const onAbort = () => wake(false);
      const cancel = this.#clock.after(deadline - this.#clock.monotonic(), () => wake(false));
      signal.addEventListener('abort', onAbort);
      this.#waiters.add(waiter);
    });
  }
}
