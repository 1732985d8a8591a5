/** Whether the server can be reached: as those find it who wait for its answers, and nobody else says so. */
import { signal } from '@preact/signals';

export interface Loss {
  /** By the reader's clock. */
  readonly since: number;
  /** What it said, if it said anything. */
  readonly said: string;
}

export interface Waiting {
  /** Asks at once. */
  readonly start: () => void;
}

export class Reach {
  /** Undefined while all is well. */
  readonly loss = signal<Loss | undefined>(undefined);
  readonly #now: () => number;
  readonly #lost = new Set<Waiting>();
  /** Who has had an answer since. */
  #heard = new Set<Waiting>();

  constructor(now: () => number) {
    this.#now = now;
  }

  lost(by: Waiting, said: string): void {
    if (this.loss.peek() === undefined) {
      this.loss.value = { since: this.#now(), said };
      this.#heard = new Set();
    }
    this.#lost.add(by);
    this.#heard.delete(by);
  }

  /**
   * What was lost together comes back together, also what waits in vain for an answer to a question of before.
   * Only one that was lost itself brings the others: else each answer would start what fails for a reason of its own.
   */
  answered(by: Waiting, all: Iterable<Waiting>): void {
    if (this.loss.peek() === undefined) return;
    const hasComeBack = this.#lost.delete(by);
    this.#heard.add(by);
    if (this.#lost.size === 0) this.loss.value = undefined;
    if (!hasComeBack) return;
    for (const each of all) if (!this.#heard.has(each)) each.start();
  }

  /** Nobody looks at it any more. The loss stands until somebody is answered. */
  left(by: Waiting): void {
    this.#lost.delete(by);
    this.#heard.delete(by);
  }
}
