import type { BTree } from '../../lib/b-tree.ts';
import { compareKeys } from '../../lib/key-order.ts';
import type { KeyValue } from '../../lib/model.ts';

type Tree = InstanceType<typeof BTree<string, KeyValue>>;

/** So many keys of one folder are passed one by one; of a longer one it is quicker to look for the end. */
const SHORT_FOLDER = 16;
/** With it a folder's name is ordered after all its keys, but for those that have it in the same place. */
const LAST_CHARACTER = '\u{10ffff}';

/** Keys that begin alike, as they were at one moment: some are read at a time, and nothing is collected. */
export class KeyRange {
  readonly length: number;
  readonly #rows: Tree;
  readonly #prefix: string;
  /** How many were read, and the last of them. */
  #read = 0;
  #last: string | undefined;

  /** `rows` changes no more; `length` of its keys begin with the prefix. */
  constructor(rows: Tree, prefix: string, length: number) {
    this.#rows = rows;
    this.#prefix = prefix;
    this.length = length;
  }

  /** Whoever reads on has what comes next at once; to go back is to begin anew. */
  slice(from: number, to: number): KeyValue[] {
    if (from < this.#read) {
      this.#read = 0;
      this.#last = undefined;
    }
    const found: KeyValue[] = [];
    const after = this.#last;
    this.#walk(after ?? this.#prefix, (key, row) => {
      if (key === after) return true;
      if (this.#read >= to) return false;
      if (this.#read++ >= from) found.push(row);
      this.#last = key;
      return true;
    });
    return found;
  }

  /**
   * In order and each once, the names up to the next separator of those that are seen, the first so many. A long folder
   * is not walked through.
   */
  names(separator: string, atMost = Number.POSITIVE_INFINITY, sees: Sees = () => true): string[] {
    const found: string[] = [];
    let passed = 0;
    this.#walk(this.#prefix, (key, row) => {
      const seen = sees(row);
      if (seen !== true) return seen === 'unseen' || seen;
      const name = nameIn(key, this.#prefix, separator);
      if (found.at(-1) === name) return ++passed > SHORT_FOLDER ? { passes: name } : true;
      if (found.length >= atMost) return false;
      found.push(name);
      passed = 0;
      return true;
    });
    return found;
  }

  /** The first so many that are seen: of the rest none is kept. */
  first(atMost: number, sees: Sees): KeyValue[] {
    const found: KeyValue[] = [];
    this.#walk(this.#prefix, (_, row) => {
      if (found.length >= atMost) return false;
      const seen = sees(row);
      if (seen === true) found.push(row);
      return seen === 'unseen' || seen;
    });
    return found;
  }

  /** Called back, for to be handed one after the other takes four times as long; until it says false. */
  #walk(begin: string, each: (key: string, row: KeyValue) => boolean | Passing): void {
    const last = this.#rows.maxKey();
    if (last === undefined) return;
    for (let from: string | undefined = begin; from !== undefined; ) {
      let beyond: string | undefined;
      this.#rows.forRange(from, last, true, (key, row) => {
        if (!key.startsWith(this.#prefix)) return STOP;
        const goesOn = each(key, row);
        if (typeof goesOn === 'boolean') return goesOn ? undefined : STOP;
        const end = goesOn.passes + LAST_CHARACTER;
        // What has it in the same place is passed one by one.
        if (compareKeys(key, end) >= 0) return undefined;
        beyond = end;
        return STOP;
      });
      from = beyond;
    }
  }
}

/** All that begins so may be passed over. */
interface Passing {
  readonly passes: string;
}

/** Whether it is seen; where it is not, what is passed over with it, if anything. */
export type Sees = (row: KeyValue) => true | 'unseen' | Passing;

const STOP = { break: true };

/** A key under the prefix up to the next separator, which is not empty. */
export function nameIn(key: string, prefix: string, separator: string): string {
  const at = key.indexOf(separator, prefix.length);
  return at < 0 ? key : key.slice(0, at + separator.length);
}
