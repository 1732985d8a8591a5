/** The key/value table, ordered by key, with what is left of deleted keys. */
import { BTree } from '../../lib/b-tree.ts';
import { compareKeys } from '../../lib/key-order.ts';
import type { KeyValue } from '../../lib/model.ts';
import { Folders, isFolder } from './folders.ts';
import { KeyRange } from './key-range.ts';
import { PrefixIndexes, type Walked } from './prefix-indexes.ts';
import { type Journal, Lookup } from './table.ts';
import { KEY_PREFIX, keyTopic, LOCKS } from './topic-names.ts';
import { dueToSink, type Topics } from './topics.ts';

interface Tombstone {
  readonly index: number;
  readonly t: number;
}

/** To share the tree costs each change a little: those of fewer keys are collected in a millisecond. */
const MANY = 4096;

export class KeyValues {
  readonly #rows = new BTree<string, KeyValue>(undefined, compareKeys);
  readonly #bySession = new Lookup<string>();
  /** In the order of deletion by `#graves`, in the order of keys by `#byKey`. */
  readonly #graves = new Map<string, Tombstone>();
  readonly #byKey = new BTree<string, number>(undefined, compareKeys);
  readonly #folders = new Folders();
  readonly #prefixes = new PrefixIndexes();
  /** What the current entry has taken out, and not put back. */
  readonly #gone = new Set<string>();
  #floor = 1;
  readonly #journal: Journal;
  readonly #topics: Topics;

  constructor(journal: Journal, topics: Topics) {
    this.#journal = journal;
    this.#topics = topics;
  }

  get(key: string): KeyValue | undefined {
    return this.#rows.get(key);
  }

  get size(): number {
    return this.#rows.size;
  }

  /** In order of keys; `atMost` so many, where there are more. */
  under(prefix: string, atMost = Number.POSITIVE_INFINITY): KeyValue[] {
    const found: KeyValue[] = [];
    const last = this.#rows.maxKey();
    if (last === undefined) return found;
    // Called back, for to be handed one after the other takes four times as long.
    this.#rows.forRange(prefix, last, true, (key, row) => {
      if (!key.startsWith(prefix) || found.length >= atMost) return { break: true };
      found.push(row);
      return undefined;
    });
    return found;
  }

  /** The same as they are now, not collected where they are known to be many. */
  rangeUnder(prefix: string, atMost: number): KeyRange | readonly KeyValue[] {
    const length = isFolder(prefix) ? this.#folders.keysIn(prefix) : 0;
    if (length < MANY) return this.under(prefix, atMost);
    return new KeyRange(this.#rows.clone(), prefix, length);
  }

  /** To be walked through at once, however many they are: of these its length is not known. */
  walkUnder(prefix: string): KeyRange {
    return new KeyRange(this.#rows, prefix, Number.NaN);
  }

  /** All of them in order, as they are now, whatever is written until they are read: nothing is copied for it. */
  frozen(): Iterable<KeyValue> {
    const rows = this.#rows.clone();
    return { [Symbol.iterator]: () => rows.values() };
  }

  /** The keys that a session holds, in order. */
  heldBy(session: string): string[] {
    return [...this.#bySession.rows(session)].sort(compareKeys);
  }

  /** A key's own ModifyIndex, as Patroni compares it; for a missing key, when it went. */
  indexOf(key: string): number {
    return this.#rows.get(key)?.ModifyIndex ?? this.#byKey.get(key) ?? this.#floor;
  }

  /** The last change under the prefix, deletions too. */
  indexUnder(prefix: string): number {
    if (isFolder(prefix)) return this.#indexOfFolder(prefix);
    return Math.max(
      this.#floor,
      this.#prefixes.of(prefix, () => this.#walked(prefix)),
    );
  }

  #walked(prefix: string): Walked {
    let [index, keys] = [this.#floor, 0];
    const take = (key: string, changed: number) => {
      if (!key.startsWith(prefix)) return false;
      keys++;
      index = Math.max(index, changed);
      return true;
    };
    // None is collected: there may be as many as there are keys.
    const last = this.#rows.maxKey() ?? prefix;
    this.#rows.forRange(prefix, last, true, (key, { ModifyIndex }) =>
      take(key, ModifyIndex) ? undefined : { break: true },
    );
    for (const [key, gone] of this.#byKey.entries(prefix)) if (!take(key, gone)) break;
    return { index, keys };
  }

  /** Whether keys under the prefix went a while ago: what is left of them is still remembered. */
  isBuried(prefix: string): boolean {
    for (const [key] of this.#byKey.entries(prefix)) return key.startsWith(prefix);
    return false;
  }

  /** What was said to whoever asked for it last. */
  seenIndexOf(key: string): number {
    const row = this.#rows.get(key);
    if (row !== undefined) return row.ModifyIndex;
    return Math.max(this.indexOf(key), this.folderAround(key).index);
  }

  /** Where whatever changes may concern a key or prefix that is not there: see Folders. */
  folderAround(name: string): { readonly folder: string; readonly index: number } {
    const folder = this.#folders.around(name);
    return { folder, index: this.#indexOfFolder(folder) };
  }

  #indexOfFolder(folder: string): number {
    return Math.max(this.#floor, this.#folders.indexOf(folder));
  }

  set(row: KeyValue): void {
    const before = this.#put(row.Key, row);
    this.#topics.touch(keyTopic(row.Key));
    if (before?.Session !== row.Session) this.#topics.touch(LOCKS);
  }

  delete(key: string): boolean {
    if (!this.#rows.has(key)) return false;
    const before = this.#put(key, undefined);
    this.#topics.bury(keyTopic(key));
    if (before?.Session !== undefined) this.#topics.touch(LOCKS);
    return true;
  }

  /** Everything under the prefix: a hundred thousand keys one by one take everybody's time twice. */
  deleteUnder(prefix: string): void {
    const rows = this.under(prefix);
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined) return;
    this.#journal.note(() => {
      for (const row of rows) this.#put(row.Key, row);
    });
    this.#rows.deleteRange(first.Key, last.Key, true);
    for (const { Key, Session } of rows) {
      if (Session !== undefined) {
        this.#bySession.delete(Session, Key);
        this.#topics.touch(LOCKS);
      }
      this.#folders.countKeys(Key, -1);
      this.#gone.add(Key);
      this.#topics.bury(keyTopic(Key));
    }
  }

  /** Ends an entry: what it deleted leaves a tombstone, what it wrote has none. Whether the floor has risen. */
  commit(touched: ReadonlySet<string>, index: number, t: number): boolean {
    // An entry that changed nothing lets nothing sink either: it leaves the state as it is.
    if (touched.size === 0) {
      this.#gone.clear();
      return false;
    }
    for (const topic of touched) {
      if (!topic.startsWith(KEY_PREFIX)) continue;
      const key = topic.slice(KEY_PREFIX.length);
      this.#fill(key);
      if (this.#gone.has(key)) this.#dig(key, { index, t });
      this.#folders.changed(key, index);
      this.#prefixes.changed(key, index);
    }
    this.#gone.clear();
    return this.#sink(t);
  }

  #sink(now: number): boolean {
    const before = this.#floor;
    let due = dueToSink(timesOf(this.#graves.values()), this.#graves.size, now);
    for (const [key, { index }] of this.#graves) {
      if (due-- === 0) break;
      this.#fill(key);
      this.#floor = Math.max(this.#floor, index);
    }
    return this.#floor > before;
  }

  #dig(key: string, grave: Tombstone): void {
    this.#graves.set(key, grave);
    this.#byKey.set(key, grave.index);
    this.#folders.countGraves(key, 1);
  }

  #fill(key: string): void {
    if (!this.#graves.delete(key)) return;
    this.#byKey.delete(key);
    this.#folders.countGraves(key, -1);
  }

  /** What was there. */
  #put(key: string, row: KeyValue | undefined): KeyValue | undefined {
    const before = this.#rows.get(key);
    this.#journal.note(() => void this.#put(key, before));
    if (before?.Session !== undefined) this.#bySession.delete(before.Session, key);
    if (row?.Session !== undefined) this.#bySession.set(row.Session, key, key);
    if (row === undefined) {
      this.#rows.delete(key);
      this.#gone.add(key);
    } else {
      this.#rows.set(key, row);
      this.#gone.delete(key);
    }
    if (before === undefined && row !== undefined) this.#folders.countKeys(key, 1);
    if (before !== undefined && row === undefined) this.#folders.countKeys(key, -1);
    return before;
  }

  /** Whatever is not there went at this index. */
  forgetGraves(floor: number): void {
    for (const key of [...this.#graves.keys()]) this.#fill(key);
    this.#prefixes.forget();
    this.#floor = floor;
  }

  /** For the snapshot. */
  dumpGraves(): { floor: number; graves: (readonly [string, number, number])[] } {
    const graves = [...this.#graves].map(([key, { index, t }]) => [key, index, t] as const);
    return { floor: this.#floor, graves };
  }

  loadGraves({ floor, graves }: ReturnType<KeyValues['dumpGraves']>): void {
    this.#floor = floor;
    this.#prefixes.forget();
    for (const [key, index, t] of graves) {
      this.#dig(key, { index, t });
      this.#folders.changed(key, index);
    }
  }

  /** A row from a snapshot. */
  load(row: KeyValue): void {
    this.set(row);
    this.#prefixes.forget();
    this.#folders.changed(row.Key, row.ModifyIndex);
  }
}

function* timesOf(graves: Iterable<Tombstone>): Generator<number> {
  for (const { t } of graves) yield t;
}
