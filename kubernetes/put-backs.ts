/**
 * What is written again as it was written before: somebody writes over it each time, as a webhook of the cluster does. It is put
 * back at once a few times, and then less and less soon.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';

/** In a row: a person who looks what happens needs no more. */
const AT_ONCE = 3;
/** After so long it is another's change, and not the same one again. */
const CALM_MS = 60_000;

/** As the log says it. */
export const CHANGED_EACH_TIME = 'somebody changes it each time it is written';

interface Written {
  readonly digest: string;
  readonly times: number;
  readonly at: number;
}

export class PutBacks {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #last = new Map<string, Written>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** To be called after each write. Whether the next one has to wait. */
  wrote(about: string, wanted: unknown): boolean {
    const digest = createHash('sha256').update(JSON.stringify(wanted)).digest('base64url');
    const [last, at] = [this.#last.get(about), this.#clock.monotonic()];
    const isAgain = last?.digest === digest && at - last.at < CALM_MS;
    const times = isAgain ? last.times + 1 : 1;
    this.#last.set(about, { digest, times, at });
    return times > AT_ONCE;
  }

  forget(about: string): void {
    this.#last.delete(about);
  }
}
