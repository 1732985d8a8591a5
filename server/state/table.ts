/** Remembers how to take back what the current entry has changed so far. */
export class Journal {
  #undos: (() => void)[] = [];
  readonly #done = new Set<string>();
  readonly #ends: (() => void)[] = [];

  /** Called when the entry has ended, whatever has become of it. */
  onEnd(call: () => void): void {
    this.#ends.push(call);
  }

  note(undo: () => void): void {
    this.#undos.push(undo);
  }

  /** Everything since the last commit stands as it stood before. */
  rollback(): void {
    const undos = this.#undos;
    this.#undos = [];
    for (const undo of undos.reverse()) undo();
    // What the undoing itself noted would undo the undoing.
    this.#undos = [];
  }

  commit(): void {
    this.#undos = [];
    this.#done.clear();
    for (const end of this.#ends) end();
  }

  /** Whether the current entry does this for the first time: thousands of its rows may have it done. */
  isFirst(what: string): boolean {
    if (this.#done.has(what)) return false;
    this.#done.add(what);
    return true;
  }
}

/** `key` as the table keeps it: who keeps it as well takes no room for another. */
export type OnChange<V> = (before: V | undefined, after: V | undefined, key: string) => void;

/**
 * Rows by key. Rows are immutable. Lookups beside the table and the topics that a change touches
 * are kept by `onChange`, which also sees a change being taken back: so neither can be forgotten.
 */
export class Table<V> {
  readonly #rows = new Map<string, V>();
  readonly #journal: Journal;
  readonly #onChange: OnChange<V>;

  constructor(journal: Journal, onChange: OnChange<V> = () => undefined) {
    this.#journal = journal;
    this.#onChange = onChange;
  }

  get(key: string): V | undefined {
    return this.#rows.get(key);
  }

  get size(): number {
    return this.#rows.size;
  }

  values(): IterableIterator<V> {
    return this.#rows.values();
  }

  set(key: string, row: V): void {
    const before = this.#rows.get(key);
    this.#journal.note(() => this.#put(key, before));
    this.#put(key, row);
  }

  delete(key: string): boolean {
    const before = this.#rows.get(key);
    if (before === undefined) return false;
    this.#journal.note(() => this.#put(key, before));
    this.#put(key, undefined);
    return true;
  }

  #put(key: string, row: V | undefined): void {
    const before = this.#rows.get(key);
    if (row === undefined) this.#rows.delete(key);
    else this.#rows.set(key, row);
    this.#onChange(before, row, key);
  }
}

/** A row that is the only one of its name: a Map of it would take five times as much. */
export class One<V> {
  readonly key: string;
  readonly row: V;

  constructor(key: string, row: V) {
    this.key = key;
    this.row = row;
  }
}

type Group<V> = One<V> | Map<string, V>;

/** A lookup from one name to many rows; a name without rows takes no room. */
export class Lookup<V> {
  readonly #groups = new Map<string, Group<V>>();

  /** The first of them that came and is there. */
  first(name: string): readonly [key: string, row: V] | undefined {
    const group = this.#groups.get(name);
    if (group instanceof One) return [group.key, group.row];
    for (const entry of group ?? []) return entry;
    return undefined;
  }

  /** The rows, in no order that means anything, as often as they are gone through. */
  rows(name: string): Iterable<V> {
    return this.#groups.has(name) ? new Rows(this.#groups, name) : NONE;
  }

  names(): IterableIterator<string> {
    return this.#groups.keys();
  }

  has(name: string): boolean {
    return this.#groups.has(name);
  }

  hasRow(name: string, key: string): boolean {
    const group = this.#groups.get(name);
    return group instanceof One ? group.key === key : (group?.has(key) ?? false);
  }

  count(name: string): number {
    const group = this.#groups.get(name);
    return group instanceof One ? 1 : (group?.size ?? 0);
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  set(name: string, key: string, row: V): void {
    const group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, new One(key, row));
    else if (group instanceof Map) group.set(key, row);
    else if (group.key === key) this.#groups.set(name, new One(group.key, row));
    else this.#groups.set(name, new Map([[group.key, group.row]]).set(key, row));
  }

  /**
   * Puts the row in place of the one before it, under its name or another; undefined is in none. One
   * that keeps its name keeps its place: a Map whose first keys are taken out and put back at its end is
   * walked through from its old beginning by whoever looks for one row.
   */
  replace(before: string | undefined, after: string | undefined, key: string, row: V): void {
    if (before !== undefined && before !== after) this.delete(before, key);
    if (after !== undefined) this.set(after, key, row);
  }

  delete(name: string, key: string): void {
    const group = this.#groups.get(name);
    if (group instanceof Map) {
      group.delete(key);
      if (group.size === 0) this.#groups.delete(name);
    } else if (group?.key === key) this.#groups.delete(name);
  }
}

const NONE: readonly never[] = [];

/** As they are whenever they are gone through. A Map's own are gone through once: who did so again found none, and no error. */
class Rows<V> implements Iterable<V> {
  readonly #groups: ReadonlyMap<string, Group<V>>;
  readonly #name: string;

  constructor(groups: ReadonlyMap<string, Group<V>>, name: string) {
    this.#groups = groups;
    this.#name = name;
  }

  [Symbol.iterator](): Iterator<V> {
    const group = this.#groups.get(this.#name);
    if (group instanceof One) return [group.row].values();
    return (group ?? NONE).values();
  }
}
