/** What a Redis comes back with: every write in its order, the older ones folded into what they came to. */
import { execute } from './commands.ts';
import { type Effect, REPEATED, Store } from './store.ts';

/** No crash loses what was written so long before. */
const FOLDED_MS = 10_000;
const MAX_TAIL = 5000;
/** Folded so many at once: one by one each would move all that come after it. */
const FOLDED_AT_ONCE = 1000;

interface Write {
  readonly at: number;
  readonly effect: Effect;
}

export class AppendFile {
  #base = new Store();
  #tail: Write[] = [];
  #foldAt = MAX_TAIL;

  add(at: number, effect: Effect): void {
    this.#tail.push({ at, effect });
    if (this.#tail.length <= this.#foldAt) return;
    this.#fold(at - FOLDED_MS);
    this.#foldAt = Math.max(MAX_TAIL, this.#tail.length + FOLDED_AT_ONCE);
  }

  /** What was written later than at a moment. */
  lose(after: number): void {
    this.#tail = this.#tail.filter(({ at }) => at <= after);
  }

  /** A store that holds all of it. */
  read(): Store {
    const store = this.#base.copy();
    for (const { effect } of this.#tail) execute(store, effect, REPEATED);
    return store;
  }

  copy(): AppendFile {
    const copy = new AppendFile();
    copy.#base = this.#base.copy();
    copy.#tail = [...this.#tail];
    return copy;
  }

  #fold(until: number): void {
    const later = this.#tail.findIndex(({ at }) => at > until);
    const old = this.#tail.splice(0, later < 0 ? this.#tail.length : later);
    for (const { effect } of old) execute(this.#base, effect, REPEATED);
  }
}
