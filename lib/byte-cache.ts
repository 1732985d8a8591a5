/**
 * A cache that is bounded in bytes. Who keeps something says how much it holds and how much that
 * keeps alive, and says so again when it changes; what was used longest ago goes first.
 */
import type { Clock } from './clock.ts';

/** The entry itself, its place in the map and in the order, and the header of its key. */
export const ENTRY_BYTES = 256;

export interface ByteCacheOptions<V> {
  readonly maxBytes: number;
  /** What nobody used for so long goes when something new is kept, though there is room. */
  readonly idle?: { readonly maxMs: number; readonly clock: Pick<Clock, 'monotonic'> };
  /** Told once of each that had to make room; it is out of the cache by then. */
  readonly onEvict?: (value: V) => void;
}

/** An entry in the hands of whoever keeps it. Once it is out of the cache, none of it does anything. */
export interface Kept<V> {
  readonly value: V;
  /** What it takes, its key and the entry included; 0 once it is out of the cache. */
  readonly bytes: number;
  /** Says anew what it holds and keeps alive, which may make others go, or itself. */
  resize(bytes: number): void;
  /** It stays until it was unpinned as often, whatever the bound: who pins must bound how many. */
  pin(): void;
  unpin(): void;
}

export class ByteCache<K, V> {
  readonly #maxBytes: number;
  readonly #onEvict: ((value: V) => void) | undefined;
  readonly #entries = new Map<K, Cached<K, V>>();
  /** Those that may go. Pinned ones are not among them: nothing ever has to walk past those. */
  readonly #byUse: ByUse<K, V>;
  readonly #idle: ByteCacheOptions<V>['idle'];
  #bytes = 0;

  constructor({ maxBytes, idle, onEvict }: ByteCacheOptions<V>) {
    this.#maxBytes = maxBytes;
    this.#idle = idle;
    this.#onEvict = onEvict;
    this.#byUse = new ByUse(idle === undefined ? () => 0 : () => idle.clock.monotonic());
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  *values(): Generator<V> {
    for (const { value } of this.#entries.values()) yield value;
  }

  /** What is kept for the key, which then is what was used last. */
  get(key: K): Kept<V> | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.pins === 0) this.#byUse.touch(entry);
    return entry;
  }

  /** The same for whoever does not use it. */
  peek(key: K): Kept<V> | undefined {
    return this.#entries.get(key);
  }

  /**
   * Keeps the value, in place of any other. `bytes` is what it holds and keeps alive, without a key
   * that is a text. What was used last stays, be it over the bound alone: someone is at work with it.
   */
  keep(key: K, value: V, bytes: number): Kept<V> {
    this.delete(key);
    const entry = new Cached(key, value, this.#holder);
    this.#entries.set(key, entry);
    this.#byUse.touch(entry);
    this.#dropIdle();
    entry.resize(bytes);
    return entry;
  }

  /** As `get`; else keeps what `make` gives. Where it throws, nothing is kept. */
  getOrKeep(key: K, make: () => { readonly value: V; readonly bytes: number }): Kept<V> {
    const known = this.get(key);
    if (known !== undefined) return known;
    const { value, bytes } = make();
    return this.keep(key, value, bytes);
  }

  /** Takes it out, pinned or not. What becomes of its value is the caller's affair. */
  delete(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#remove(entry);
    return entry?.value;
  }

  clear(): void {
    for (const entry of this.#entries.values()) this.#remove(entry);
  }

  readonly #holder: Holder<K, V> = {
    resized: (by) => {
      this.#bytes += by;
      this.#makeRoom();
    },
    pinned: (entry) => this.#byUse.remove(entry),
    unpinned: (entry) => {
      this.#byUse.touch(entry);
      this.#makeRoom();
    },
  };

  #makeRoom(): void {
    while (this.#bytes > this.#maxBytes && this.#dropOldest());
  }

  #dropIdle(): void {
    if (this.#idle === undefined) return;
    const before = this.#idle.clock.monotonic() - this.#idle.maxMs;
    while ((this.#byUse.oldest?.usedAt ?? before) < before && this.#dropOldest());
  }

  /** False where only the one is left that was used last. */
  #dropOldest(): boolean {
    const { oldest, newest } = this.#byUse;
    if (oldest === undefined || oldest === newest) return false;
    this.#remove(oldest);
    this.#onEvict?.(oldest.value);
    return true;
  }

  #remove(entry: Cached<K, V>): void {
    this.#entries.delete(entry.key);
    this.#byUse.remove(entry);
    this.#bytes -= entry.bytes;
    entry.leave();
  }
}

/** What is told by each thing that the cache holds. */
interface Holder<K, V> {
  readonly resized: (by: number) => void;
  readonly pinned: (entry: Cached<K, V>) => void;
  readonly unpinned: (entry: Cached<K, V>) => void;
}

class Cached<K, V> implements Kept<V> {
  readonly key: K;
  readonly value: V;
  bytes = 0;
  pins = 0;
  usedAt = 0;
  older: Cached<K, V> | undefined;
  newer: Cached<K, V> | undefined;
  #holder: Holder<K, V> | undefined;

  constructor(key: K, value: V, holder: Holder<K, V>) {
    this.key = key;
    this.value = value;
    this.#holder = holder;
  }

  resize(bytes: number): void {
    if (this.#holder === undefined) return;
    const all = bytes + bytesOf(this.key) + ENTRY_BYTES;
    const by = all - this.bytes;
    this.bytes = all;
    this.#holder.resized(by);
  }

  pin(): void {
    if (++this.pins === 1) this.#holder?.pinned(this);
  }

  unpin(): void {
    if (--this.pins === 0) this.#holder?.unpinned(this);
  }

  leave(): void {
    this.bytes = 0;
    this.#holder = undefined;
  }
}

/**
 * Entries in the order in which they were used. A list of its own and not the order of the map: the
 * first key of a Map whose first keys are always taken is found by walking past all that went.
 */
class ByUse<K, V> {
  oldest: Cached<K, V> | undefined;
  newest: Cached<K, V> | undefined;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  touch(entry: Cached<K, V>): void {
    entry.usedAt = this.#now();
    if (entry === this.newest) return;
    this.remove(entry);
    entry.older = this.newest;
    if (this.newest === undefined) this.oldest = entry;
    else this.newest.newer = entry;
    this.newest = entry;
  }

  /** Nothing, where it is not in it. */
  remove(entry: Cached<K, V>): void {
    const { older, newer } = entry;
    if (older !== undefined) older.newer = newer;
    else if (this.oldest === entry) this.oldest = newer;
    if (newer !== undefined) newer.older = older;
    else if (this.newest === entry) this.newest = older;
    entry.older = undefined;
    entry.newer = undefined;
  }
}

/** A character of a text takes one byte or two, which cannot be seen. Another key is in the value's. */
function bytesOf(key: unknown): number {
  return typeof key === 'string' ? 2 * key.length : 0;
}
