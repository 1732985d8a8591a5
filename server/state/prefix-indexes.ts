/**
 * When anything under a prefix that is no folder last changed, of those that were asked about lately and begin many keys:
 * to walk through those for each question would take as long as to list them all, however few are asked for.
 */

/** Each write looks whether it is of one of them. */
const MOST_PREFIXES = 64;
/** Fewer are walked through in some microseconds. */
const MANY_KEYS = 256;

export interface Walked {
  readonly index: number;
  readonly keys: number;
}

export class PrefixIndexes {
  /** Whoever was asked about last is the last. */
  readonly #indexes = new Map<string, number>();

  /** `walk` goes through what is under it now. */
  of(prefix: string, walk: () => Walked): number {
    const known = this.#indexes.get(prefix);
    if (known !== undefined) {
      this.#keep(prefix, known);
      return known;
    }
    const { index, keys } = walk();
    if (keys >= MANY_KEYS) this.#keep(prefix, index);
    return index;
  }

  /** Indexes only rise: what was changed or went at one is remembered by a later one, or by the floor. */
  changed(key: string, index: number): void {
    for (const prefix of this.#indexes.keys())
      if (key.startsWith(prefix)) this.#indexes.set(prefix, index);
  }

  forget(): void {
    this.#indexes.clear();
  }

  #keep(prefix: string, index: number): void {
    this.#indexes.delete(prefix);
    this.#indexes.set(prefix, index);
    const [oldest] = this.#indexes.keys();
    if (this.#indexes.size > MOST_PREFIXES && oldest !== undefined) this.#indexes.delete(oldest);
  }
}
