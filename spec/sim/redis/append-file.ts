/** What a Redis comes back with: every write in its order, the older ones folded into what they came to. */
import { type Effect, Store } from './store.ts';

/** No crash loses what was written so long before. */
const FOLDED_MS = 10_000;
const MAX_TAIL = 5000;

interface Write {
  readonly at: number;
  readonly effect: Effect;
}

export class AppendFile {
  #base = new Store();
  #tail: Write[] = [];

  /** `wall`: the time of day, by which keys end. */
  add(at: number, effect: Effect, wall: number): void {
    this.#tail.push({ at, effect });
    if (this.#tail.length > MAX_TAIL) this.#fold(at - FOLDED_MS, wall);
  }

  /** What was written later than at a moment. */
  lose(after: number): void {
    this.#tail = this.#tail.filter(({ at }) => at <= after);
  }

  /** A store that holds all of it. */
  read(wall: number): Store {
    const store = this.#base.copy();
    for (const { effect } of this.#tail) store.execute(effect, wall);
    return store;
  }

  copy(): AppendFile {
    const copy = new AppendFile();
    copy.#base = this.#base.copy();
    copy.#tail = [...this.#tail];
    return copy;
  }

  #fold(until: number, wall: number): void {
    const later = this.#tail.findIndex(({ at }) => at > until);
    const old = this.#tail.splice(0, later < 0 ? this.#tail.length : later);
    for (const { effect } of old) this.#base.execute(effect, wall);
  }
}
