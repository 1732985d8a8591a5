/**
 * What it costs to judge a caller's requests. One that is said by some bytes again may be kilobytes, and each pattern of
 * a permission is tried on them: a caller, denied or not, would hold up all others.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Asked } from '../http/matching.ts';
import type { PermissionList, Refusal } from './verdict.ts';

/** Of letters beyond those of usual requests: some twentieth of a processor. */
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

  /**
   * As the list judges it. What a usual request takes is never refused: a caller may be a frontend, where anybody could
   * use up what all its others need. More is refused where he owes too much, and ends when it has taken that.
   */
  judged<T extends Asked>(who: string, list: PermissionList, asked: T): T | Refusal | 'too much' {
    const owes = this.#owes(who);
    const { cost } = list;
    const most = owes > LETTERS_PER_SECOND ? cost.usual : Number.POSITIVE_INFINITY;
    const before = cost.letters;
    const permitted = cost.within(most, () => list.permitted(asked));
    const letters = cost.letters - before - cost.usual;
    if (letters > 0) this.#owe(who, owes + letters);
    return permitted ?? 'too much';
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
