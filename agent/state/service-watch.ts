import type { Clock } from '../../lib/clock.ts';
import type { LocalState } from './local-state.ts';

/** Wakes whoever waits for a change of one local service. */
export class ServiceWatch {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #stopObserving: () => void;

  constructor(local: LocalState, clock: Clock) {
    this.#clock = clock;
    this.#stopObserving = local.observe({
      serviceChanged: (id) => {
        for (const wake of this.#waiting.get(id) ?? []) wake();
      },
    });
  }

  /** Resolves at the next change, after `ms`, or when the client has gone. */
  wait(id: string, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, waiting);
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        waiting.delete(end);
        if (waiting.size === 0) this.#waiting.delete(id);
        resolve();
      };
      const cancel = this.#clock.after(ms, end);
      signal.addEventListener('abort', end, { once: true });
      waiting.add(end);
    });
  }

  /** All that wait are answered. */
  stop(): void {
    this.#stopObserving();
    for (const waiting of [...this.#waiting.values()]) for (const end of [...waiting]) end();
  }
}
