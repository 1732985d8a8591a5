/**
 * Rows that are told all at once, each with the mark since which it is as it is: whoever has seen all of them is
 * told what has changed since, and nothing of the rest. Where he stands, only the mark says that he was given
 * with them: an index says nothing of what another server has told, nor of rows that he might not see.
 */
import { Written } from '../../lib/json-bytes.ts';
import { systemRandom } from '../../lib/random.ts';

/** Of more than so many nobody knows any more when they went. */
const MAX_GONE = 1000;

/** What a mark looks like: whose it is, and the number. */
const MARK = /^([0-9a-f-]{36})\.(\d{1,15})$/;

interface Kept {
  /** Of what it was made: the same object is the same row. */
  readonly from: object;
  readonly name: string;
  readonly row: Written;
  /** The number from which it is as it is. */
  readonly since: number;
  /** The last pass in which it was there. */
  noted: number;
}

/** What has come about since a mark. */
export interface Since {
  readonly Since: string;
  readonly Changed: readonly Written[];
  /** By their names; one that has come back since is among the changed. */
  readonly Gone: readonly string[];
}

export class Told {
  /** By chance, lest two servers ever give the same mark. */
  readonly #id = systemRandom.uuid();
  readonly #rows = new Map<string, Kept>();
  #order: readonly string[] = [];
  /** When each went, the oldest first. */
  readonly #gone = new Map<string, number>();
  /** Before it, some of what went is forgotten. */
  #knownSince = 0;
  /** Goes up when rows have become others; so what was seen at one number is always the same. */
  #number = 0;
  #pass = 0;

  /** All that there is now, by keys that stay; `nameOf` is what whoever is told knows a row by. */
  note<T extends object>(
    rows: Iterable<readonly [key: string, row: T]>,
    nameOf: (row: T) => string,
  ): this {
    this.#pass++;
    const next = this.#number + 1;
    let [count, isSame] = [0, true];
    for (const [key, from] of rows) {
      count++;
      let kept = this.#rows.get(key);
      if (kept === undefined) isSame = false;
      if (kept?.from !== from) {
        kept = this.#next(kept, { from, name: nameOf(from), since: next });
        this.#rows.set(key, kept);
      }
      kept.noted = this.#pass;
    }
    if (count < this.#rows.size) {
      isSame = false;
      this.#forget(next);
    }
    if (!isSame) this.#order = [...this.#rows.keys()].sort();
    return this;
  }

  #forget(at: number): void {
    for (const [key, { name, noted }] of this.#rows) {
      if (noted === this.#pass) continue;
      this.#rows.delete(key);
      this.#goes(name, at);
    }
  }

  /** Of what was noted last, for whoever is told all of it. */
  get mark(): string {
    return `${this.#id}.${this.#number}`;
  }

  /** In the order of their keys. */
  all(): readonly Written[] {
    return this.#order.flatMap((key) => this.#rows.get(key)?.row ?? []);
  }

  /** Undefined where that is no mark of this one's, or it knows no more: then it takes all of them. */
  since(mark: string): Since | undefined {
    const [, id, digits] = MARK.exec(mark) ?? [];
    const number = Number(digits);
    if (id !== this.#id || number < this.#knownSince || number > this.#number) return undefined;
    const changed: Kept[] = [];
    for (const kept of this.#rows.values()) if (kept.since > number) changed.push(kept);
    const gone = [...this.#gone].filter(([, at]) => at > number);
    return {
      Since: mark,
      Changed: changed.map(({ row }) => row),
      Gone: gone.map(([name]) => name),
    };
  }

  /** Much changes of which nothing is told: then it has been so since before. */
  #next(old: Kept | undefined, { from, name, since }: Noted): Kept {
    const row = new Written(() => from);
    if (old?.row.text === row.text) return { ...old, from, row };
    // Spelt otherwise, it is another to whoever was told.
    if (old !== undefined && old.name !== name) this.#goes(old.name, since);
    this.#number = since;
    return { from, name, row, since, noted: 0 };
  }

  #goes(name: string, at: number): void {
    this.#number = at;
    this.#gone.delete(name);
    this.#gone.set(name, at);
    if (this.#gone.size <= MAX_GONE) return;
    for (const [oldest, when] of this.#gone) {
      this.#gone.delete(oldest);
      this.#knownSince = when;
      return;
    }
  }
}

/** What else looks like none is none: it is not to be told apart. */
export function markIn(said: string): string {
  return MARK.test(said) ? said : '';
}

type Noted = Pick<Kept, 'from' | 'name' | 'since'>;
