/**
 * When a call is so slow that a second one is begun beside it, at another host: the first answer counts. Of all
 * calls that is a small part, so where everything is slow nothing is made worse.
 */
import { RetryBudget } from './retry-budget.ts';

export interface HedgeRules {
  /** Slower than that part of the last calls is slow: 0.95. */
  readonly quantile: number;
  /** What takes less is never slow. */
  readonly leastMs: number;
  /** Second calls are at most that part of all: 0.05. */
  readonly ratio: number;
  /** Of requests by HTTP, those that change something and may be asked of two all the same; none. */
  readonly methods?: readonly string[];
}

/** RFC 9110, 9.2.1: they change nothing. */
const SAFE = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** What is slow is reckoned from so many calls, and from fewer not at all. */
const REMEMBERED = 256;
const ENOUGH = 32;
/** Anew after so many. */
const RECKONED_EACH = 16;

export class Hedging {
  readonly #rules: HedgeRules;
  readonly #budget: RetryBudget;
  readonly #methods: ReadonlySet<string>;
  readonly #ms = new Float64Array(REMEMBERED);
  #count = 0;
  #slowMs: number | undefined;

  constructor(rules: HedgeRules) {
    this.#rules = rules;
    this.#budget = new RetryBudget({ ratio: rules.ratio, minPerSecond: 0 });
    this.#methods = new Set([...SAFE, ...(rules.methods ?? [])]);
  }

  /**
   * Whether two hosts may have a request at once. To have it twice in turn is another thing: of two at once the second to come to it
   * may answer first, and that what a DELETE was for is not there.
   */
  isFor(method: string): boolean {
    return this.#methods.has(method);
  }

  called(now: number): void {
    this.#budget.called(now);
  }

  /** After so long a call is slow; undefined where not enough is known. */
  get slowMs(): number | undefined {
    return this.#slowMs;
  }

  /** Whether a second one may begin now; it is counted then. */
  take(now: number): boolean {
    return this.#budget.take(now);
  }

  /** How long a call took, or had taken when another was faster. */
  took(ms: number): void {
    if (!(ms >= 0)) return;
    this.#ms[this.#count++ % REMEMBERED] = ms;
    if (this.#count < ENOUGH || this.#count % RECKONED_EACH !== 0) return;
    const known = this.#ms.slice(0, Math.min(this.#count, REMEMBERED)).sort();
    const { quantile, leastMs } = this.#rules;
    const at = Math.min(known.length - 1, Math.floor(known.length * quantile));
    this.#slowMs = Math.max(leastMs, known[at] ?? 0);
  }
}
