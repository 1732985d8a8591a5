import type { CheckStatus } from '../../lib/model.ts';
import type { Look } from './probing/probe.ts';

export interface Thresholds {
  readonly SuccessBeforePassing: number;
  readonly FailuresBeforeWarning: number;
  readonly FailuresBeforeCritical: number;
}

/** Lets a status change only after so many looks in a row that say the same. */
export class Threshold {
  readonly #limits: Thresholds;
  #successes = 0;
  #failures = 0;

  constructor(limits: Thresholds) {
    this.#limits = limits;
  }

  /** What is to be reported of this look; undefined while there were too few of its kind. */
  take(look: Look): Look | undefined {
    if (look.status !== 'critical') {
      this.#failures = 0;
      this.#successes++;
      return this.#successes >= this.#limits.SuccessBeforePassing ? look : undefined;
    }
    this.#successes = 0;
    this.#failures++;
    const status = this.#statusOfFailure();
    return status === undefined ? undefined : { status, output: look.output };
  }

  #statusOfFailure(): CheckStatus | undefined {
    const { FailuresBeforeCritical, FailuresBeforeWarning } = this.#limits;
    if (this.#failures >= FailuresBeforeCritical) return 'critical';
    const warns = FailuresBeforeWarning > 0 && this.#failures >= FailuresBeforeWarning;
    return warns ? 'warning' : undefined;
  }
}
