import type { Clock } from '../../lib/clock.ts';
import type { State } from '../state/state.ts';

/** The log has a time only at its entries; in between it goes on as fast as this server's. */
export class LogTime {
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** The log's time at its last entry, and when that was seen to change. */
  #seen: { readonly t: number; readonly at: number } | undefined;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** About: it is right as far as it is asked often. */
  now({ t }: State): number {
    const at = this.#clock.monotonic();
    if (this.#seen?.t !== t) this.#seen = { t, at };
    return t + at - this.#seen.at;
  }
}
