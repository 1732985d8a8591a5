/**
 * Rows that are told all at once, with the index since which each is as it is: whoever has seen all of them is
 * told what has changed since, and nothing of the rest.
 */
import { Written } from '../../lib/json-bytes.ts';

/** Of more than so many nobody knows any more when they went. */
const MAX_GONE = 1000;

interface Kept {
  /** Of what it was made: the same object is the same row. */
  readonly from: object;
  readonly name: string;
  readonly row: Written;
  readonly since: number;
  /** The last time that it was there. */
  noted: number;
}

/** What has come about since an index. */
export interface Since {
  readonly Since: number;
  readonly Changed: readonly Written[];
  /** By their names; one that has come back since is among the changed. */
  readonly Gone: readonly string[];
}

export class Told {
  readonly #rows = new Map<string, Kept>();
  #order: readonly string[] = [];
  /** When each went, the oldest first. */
  readonly #gone = new Map<string, number>();
  /** Before it nobody kept anything; 0 where nobody has yet. */
  #knownSince = 0;
  #notes = 0;

  /** All that there is at an index, by keys that stay; `nameOf` is what whoever is told knows a row by. */
  note<T extends object>(
    index: number,
    rows: Iterable<readonly [key: string, row: T]>,
    nameOf: (row: T) => string,
  ): this {
    this.#knownSince ||= index;
    this.#notes++;
    let [count, isSame] = [0, true];
    for (const [key, from] of rows) {
      count++;
      let kept = this.#rows.get(key);
      if (kept === undefined) isSame = false;
      if (kept?.from !== from) {
        kept = this.#next(kept, { from, name: nameOf(from), index });
        this.#rows.set(key, kept);
      }
      kept.noted = this.#notes;
    }
    if (count < this.#rows.size) {
      isSame = false;
      this.#forget(index);
    }
    if (!isSame) this.#order = [...this.#rows.keys()].sort();
    return this;
  }

  #forget(index: number): void {
    for (const [key, { name, noted }] of this.#rows) {
      if (noted === this.#notes) continue;
      this.#rows.delete(key);
      this.#goes(name, index);
    }
  }

  /** In the order of their keys. */
  all(): readonly Written[] {
    return this.#order.flatMap((key) => this.#rows.get(key)?.row ?? []);
  }

  /** Undefined where nobody knows any more: then it takes all of them. */
  since(index: number): Since | undefined {
    if (index < this.#knownSince) return undefined;
    const changed: Kept[] = [];
    for (const kept of this.#rows.values()) if (kept.since > index) changed.push(kept);
    const gone = [...this.#gone].filter(([, at]) => at > index);
    return {
      Since: index,
      Changed: changed.map(({ row }) => row),
      Gone: gone.map(([name]) => name),
    };
  }

  /** Much changes of which nothing is told: then it has been so since before. */
  #next(old: Kept | undefined, { from, name, index }: Noted): Kept {
    const row = new Written(() => from);
    if (old?.row.text === row.text) return { ...old, from, row };
    // Spelt otherwise, it is another to whoever was told.
    if (old !== undefined && old.name !== name) this.#goes(old.name, index);
    return { from, name, row, since: index, noted: 0 };
  }

  #goes(name: string, index: number): void {
    this.#gone.delete(name);
    this.#gone.set(name, index);
    if (this.#gone.size <= MAX_GONE) return;
    for (const [oldest, at] of this.#gone) {
      this.#gone.delete(oldest);
      this.#knownSince = at;
      return;
    }
  }
}

interface Noted {
  readonly from: object;
  readonly name: string;
  readonly index: number;
}
