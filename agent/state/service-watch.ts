import type { Clock } from '../../lib/clock.ts';
import { Waiters } from '../../lib/waiters.ts';
import type { LocalState } from './local-state.ts';

/** Wakes whoever waits for a change of one local service. */
export class ServiceWatch {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiters>();
  readonly #stopObserving: () => void;

  constructor(local: LocalState, clock: Clock) {
    this.#clock = clock;
    this.#stopObserving = local.observe({
      serviceChanged: (id) => this.#waiting.get(id)?.wakeAll(),
    });
  }

  /** Resolves at the next change, after `ms`, or when the client has gone. */
  async wait(id: string, ms: number, signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(id) ?? new Waiters(this.#clock);
    this.#waiting.set(id, waiting);
    await waiting.wait(ms, signal);
    if (waiting.size === 0 && this.#waiting.get(id) === waiting) this.#waiting.delete(id);
  }

  /** All that wait are answered. */
  stop(): void {
    this.#stopObserving();
    for (const waiting of this.#waiting.values()) waiting.wakeAll();
  }
}
