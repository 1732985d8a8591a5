/**
 * What it costs to judge a caller's requests. One that is said by some bytes again may be kilobytes, and each pattern of
 * a permission is tried on them: a caller, denied or not, would hold up all others.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Asked } from '../http/matching.ts';
import type { PermissionList, Refusal } from './verdict.ts';

/** Of a text, for each pattern: so much is free. */
const USUAL_LETTERS = 256;
/** Of letters beyond that: some twentieth of a processor. */
const LETTERS_PER_SECOND = 2_000_000;
/** Who was judged for more than that lately. */
const MAX_OWING = 4096;

interface Owing {
  letters: number;
  at: number;
}

export class JudgingBudget {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #owing = new Map<string, Owing>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** As the list judges it, where the caller's budget of this second is not used up. */
  judged<T extends Asked>(who: string, list: PermissionList, asked: T): T | Refusal | 'too much' {
    const owes = this.#owes(who);
    if (owes > LETTERS_PER_SECOND) return 'too much';
    const { cost } = list;
    const before = cost.letters;
    const permitted = list.permitted(asked);
    const letters = cost.letters - before - USUAL_LETTERS * (1 + cost.patterns);
    if (letters > 0) this.#owe(who, owes + letters);
    return permitted;
  }

  #owes(who: string): number {
    const owing = this.#owing.get(who);
    if (owing === undefined) return 0;
    const paid = ((this.#clock.monotonic() - owing.at) / 1000) * LETTERS_PER_SECOND;
    if (paid < owing.letters) return owing.letters - paid;
    this.#owing.delete(who);
    return 0;
  }

  #owe(who: string, letters: number): void {
    const [oldest] = this.#owing.keys();
    const isNew = !this.#owing.has(who);
    if (isNew && this.#owing.size >= MAX_OWING && oldest !== undefined) this.#owing.delete(oldest);
    this.#owing.set(who, { letters, at: this.#clock.monotonic() });
  }
}
