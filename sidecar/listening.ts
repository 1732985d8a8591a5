/** How a listener of the sidecar ends without cutting anybody off. */
import type { Clock } from '../lib/clock.ts';

/** Whoever waits until the last connection has gone. */
export class LastGone {
  #tell: () => void = () => undefined;

  /** It has gone. */
  now(): void {
    this.#tell();
  }

  /** Resolves then, or after so long. */
  within(clock: Pick<Clock, 'after'>, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.after(ms, resolve);
      this.#tell = () => {
        cancel();
        resolve();
      };
    });
  }
}
