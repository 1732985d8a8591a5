import type { Gap } from '../../../lib/history.ts';

/** Beyond so many nothing is known of what was before the newest of them. */
const MAX_GAPS = 1000;

/** Times of which nothing is known. */
export class Gaps {
  /** Nothing is known of what was before; 0 where nothing was. */
  since = 0;
  #all: readonly Gap[] = [];

  /** The oldest first. Never changed in place. */
  get all(): readonly Gap[] {
    return this.#all;
  }

  add(from: number, to: number): void {
    const all = [...this.#all, [from, to] as const];
    const [oldest] = all;
    if (all.length > MAX_GAPS && oldest !== undefined) {
      this.since = oldest[1];
      all.shift();
    }
    this.#all = all;
  }

  load(since: number, all: readonly Gap[]): void {
    this.since = since;
    this.#all = all;
  }
}
