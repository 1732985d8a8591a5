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

  /** All that there is at an index, by keys that stay; `nameOf` is what whoever is told knows a row by. */
  note<T extends object>(
    index: number,
    rows: ReadonlyMap<string, T>,
    nameOf: (row: T) => string,
  ): this {
    this.#knownSince ||= index;
    let isSame = true;
    for (const [key, from] of rows) {
      const old = this.#rows.get(key);
      if (old?.from === from) continue;
      if (old === undefined) isSame = false;
      this.#rows.set(key, this.#next(old, { from, name: nameOf(from), index }));
    }
    if (rows.size < this.#rows.size) {
      isSame = false;
      for (const [key, { name }] of this.#rows) {
        if (rows.has(key)) continue;
        this.#rows.delete(key);
        this.#goes(name, index);
      }
    }
    if (!isSame) this.#order = [...this.#rows.keys()].sort();
    return this;
  }

  /** In the order of their keys. */
  all(): readonly Written[] {
    return this.#order.flatMap((key) => this.#rows.get(key)?.row ?? []);
  }

  /** Undefined where nobody knows any more: then it takes all of them. */
  since(index: number): Since | undefined {
    if (index < this.#knownSince) return undefined;
    const changed = [...this.#rows.values()].filter((kept) => kept.since > index);
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
    return { from, name, row, since: index };
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
