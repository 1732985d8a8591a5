/**
 * When a batch goes. Those who were just answered mostly write again at once: for how long they are waited for, and whether
 * all of them share one batch, or two halves take turns, of which the log has one while the other is answered and asks again.
 */
import { Trials } from './trials.ts';

/** A batch that came back. */
export interface Back {
  readonly count: number;
  /** How many wait already, and how many are with the log still. */
  readonly waiting: number;
  readonly others: number;
  readonly tookMs: number;
}

/** Who is waited for, and for how long; `quietMs` while none of them comes. */
export interface Expected {
  readonly count: number;
  readonly until: number;
  readonly quietMs: number;
}

/** Of what the log took: little for a quick one. */
const PATIENCE = 0.5;
const MAX_PATIENCE_MS = 3;
const QUIET = 0.15;

/** How much of it is forgotten with each batch that sees less of it. */
const FORGOTTEN = 1 / 8;
/** Halves of fewer are nothing. */
const LEAST_CROWD = 4;

const NOBODY: Expected = { count: 0, until: 0, quietMs: 0 };

export class Pace {
  readonly #now: () => number;
  readonly #most: number;
  readonly #largest: number;
  readonly #trials: Trials;
  #expected = NOBODY;
  /** How many write at the same time. */
  #crowd = 0;

  /** `most`: how many batches the log takes at once. `largest`: how many a batch may hold. */
  constructor(now: () => number, most: number, largest: number) {
    this.#now = now;
    this.#most = most;
    this.#largest = largest;
    this.#trials = new Trials(now());
  }

  get expected(): Expected {
    return this.#expected;
  }

  get inHalves(): boolean {
    return this.#most > 1 && this.#crowd >= LEAST_CROWD && this.#trials.inHalves;
  }

  /** How many share a batch at most. */
  get together(): number {
    return this.inHalves ? this.#half : this.#largest;
  }

  /** Whether a batch of those who wait goes now, beside those with the log: how many batches, of how many in all. */
  goes(waiting: number, batches: number, others: number): boolean {
    if (batches === 0) return waiting > 0;
    return this.inHalves && batches < this.#most && waiting >= Math.min(others, this.#largest);
  }

  back({ count, waiting, others, tookMs }: Back): void {
    const at = this.#now();
    if (this.#most > 1) this.#trials.back(at, count);
    const seen = count + waiting + others;
    this.#crowd = Math.max(seen, this.#crowd + (seen - this.#crowd) * FORGOTTEN);
    this.#expected = {
      count: this.inHalves ? this.#half : Math.min(seen, this.#largest),
      until: at + Math.min(tookMs * PATIENCE, MAX_PATIENCE_MS),
      quietMs: tookMs * QUIET,
    };
  }

  /** A batch goes: whoever was waited for has come, or was waited for long enough. */
  gone(): void {
    this.#expected = NOBODY;
  }

  get #half(): number {
    return Math.min(Math.ceil(this.#crowd / 2), this.#largest);
  }
}
