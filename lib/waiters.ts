import type { Clock } from './clock.ts';

/** Those who wait for one thing to happen: each for so long, or until its client has gone. */
export class Waiters {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves when it happens, after `ms`, or when the signal comes. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        this.#waiting.delete(end);
        resolve();
      };
      const cancel = this.#clock.after(ms, end);
      signal.addEventListener('abort', end, { once: true });
      this.#waiting.add(end);
    });
  }

  wakeAll(): void {
    for (const end of [...this.#waiting]) end();
  }
}
