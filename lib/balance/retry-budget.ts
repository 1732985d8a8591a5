/**
 * How many calls may be tried again: a part of all calls, so that a service that is down for everybody gets
 * a little more than its calls, and not three times as many.
 */

export interface RetryBudgetRules {
  /** 0.2: one second try for each five calls. */
  readonly ratio: number;
  /** So many may be tried again whatever the ratio is, so that a service with few calls has some too. */
  readonly minPerSecond: number;
}

const SECOND_MS = 1000;
/** What was not used up is forgotten after so many seconds. */
const WINDOW = 10;

interface Second {
  at: number;
  calls: number;
  retries: number;
}

export class RetryBudget {
  readonly #rules: RetryBudgetRules;
  readonly #seconds: readonly Second[] = Array.from({ length: WINDOW }, () => ({
    ...{ at: -1, calls: 0, retries: 0 },
  }));

  constructor(rules: RetryBudgetRules) {
    this.#rules = rules;
  }

  called(now: number): void {
    this.#second(now).calls++;
  }

  /** Whether one more call may be tried again; it is counted then. */
  take(now: number): boolean {
    if (!this.hasRoom(now)) return false;
    this.#second(now).retries++;
    return true;
  }

  /** As `take`, and nothing is counted: for a try that costs something only if it is in vain. */
  hasRoom(now: number): boolean {
    const { at } = this.#second(now);
    let [calls, retries] = [0, 0];
    for (const second of this.#seconds) {
      if (second.at <= at - WINDOW) continue;
      calls += second.calls;
      retries += second.retries;
    }
    const { ratio, minPerSecond } = this.#rules;
    return retries + 1 <= calls * ratio + minPerSecond * WINDOW;
  }

  #second(now: number): Second {
    const at = Math.floor(now / SECOND_MS);
    const second = this.#seconds[at % WINDOW] as Second;
    if (second.at !== at) {
      second.at = at;
      second.calls = 0;
      second.retries = 0;
    }
    return second;
  }
}
