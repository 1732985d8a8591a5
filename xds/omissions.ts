/** What cannot be told is left out, and whoever reads the log hears of it: once for as long as it is so. */
import { cut } from '../lib/cut.ts';
import type { Logger } from '../lib/logger.ts';

/** Says what is left out, and why. */
export type LeaveOut = (what: string, why: string) => void;

/** Of one thing that is made. */
const MAX_SAID = 20;
const MAX_CHARACTERS = 300;

export class Omissions {
  readonly #logger: Logger;
  /** With how many make something without it. */
  readonly #known = new Map<string, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Calls for what one leaves out from now on, instead of what it left out before. */
  take(now: ReadonlyMap<string, string>, before: ReadonlyMap<string, string>): void {
    for (const [what, why] of now) {
      if (before.has(what)) continue;
      const others = this.#known.get(what) ?? 0;
      this.#known.set(what, others + 1);
      if (others === 0) this.#logger.warn(`xds: ${what} is left out: ${why}`);
    }
    for (const what of before.keys()) {
      if (now.has(what)) continue;
      const left = (this.#known.get(what) ?? 1) - 1;
      if (left > 0) this.#known.set(what, left);
      else this.#known.delete(what);
    }
  }
}

/** Notes what is said in one run; more than so much of it is not remembered. */
export function noting(into: Map<string, string>): LeaveOut {
  return (what, why) => {
    if (into.size < MAX_SAID) into.set(cut(what, MAX_CHARACTERS), cut(why, MAX_CHARACTERS));
  };
}
