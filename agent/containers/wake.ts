import type { Cancel, Clock } from '../../lib/clock.ts';

/** Lets one loop sleep until there is something to do. What comes while it's awake is not lost. */
export class Wake {
  readonly #clock: Clock;
  #called = false;
  #resolve: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the wait that is under way, or else the next one. */
  call(): void {
    this.#called = true;
    this.#resolve?.();
  }

  /** Resolves when called, or after `ms` when some are given. */
  async wait(ms?: number): Promise<void> {
    let cancel: Cancel | undefined;
    if (!this.#called) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
        if (ms !== undefined) cancel = this.#clock.after(ms, resolve);
      });
    }
    cancel?.();
    this.#resolve = undefined;
    this.#called = false;
  }
}
