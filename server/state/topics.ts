/**
 * What a query reads and an entry touches. A topic's index is that of the last entry that touched
 * it; it is what X-Consul-Index says.
 *
 * The topics of things that are gone must be remembered for a while: whoever waits on a service
 * that left must not see its index go back. After that they sink into the floor, an index that
 * stands for all topics that nobody remembers.
 */

import { FLOOR, KEY_PREFIX } from './topic-names.ts';

/** As long as Consul keeps its tombstones. */
export const TOMBSTONE_MS = 15 * 60_000;
export const MAX_TOMBSTONES = 100_000;
/**
 * They sink together, once in so long: each time the floor rises, answers that stand on it are made anew, and whoever
 * waits for the next of one is answered once.
 */
const SINK_EVERY_MS = 60_000;
const LEFT_OF_MANY = (MAX_TOMBSTONES * 15) / 16;

/** How many of what is gone are to sink now. `gone`: when each went, the oldest first. */
export function dueToSink(gone: Iterable<number>, size: number, now: number): number {
  const isFull = size > MAX_TOMBSTONES;
  let due = 0;
  for (const t of gone) {
    const isOver = t + TOMBSTONE_MS <= now;
    if (due === 0 && !isFull && t + TOMBSTONE_MS + SINK_EVERY_MS > now) break;
    if (!isOver && (!isFull || size - due <= LEFT_OF_MANY)) break;
    due++;
  }
  return due;
}

export class Topics {
  readonly #indexes = new Map<string, number>();
  /** Topics of things that are gone, by when they went, the oldest first. */
  readonly #gone = new Map<string, number>();
  #floor = 1;
  #touched = new Set<string>();
  #buried = new Set<string>();

  /** At least 1, for 0 is what a client sends to ask for no wait. */
  indexOf(topic: string): number {
    return this.#indexes.get(topic) ?? this.#floor;
  }

  /** Whether the floor says its index, or will when it sinks. */
  standsOnFloor(topic: string): boolean {
    return !this.#indexes.has(topic) || this.#gone.has(topic);
  }

  get floor(): number {
    return this.#floor;
  }

  /** What the current entry has touched so far. */
  get pending(): ReadonlySet<string> {
    return this.#touched;
  }

  /** The current entry changes what a reader of this topic sees. */
  touch(topic: string): void {
    this.#touched.add(topic);
    this.#buried.delete(topic);
  }

  /** As touch, and what the topic was about is gone. */
  bury(topic: string): void {
    this.#touched.add(topic);
    this.#buried.add(topic);
  }

  /** Ends an entry: its touches count. Returns the topics that it touched. */
  commit(index: number, t: number): Set<string> {
    if (this.#touched.size === 0) return this.#touched;
    // Sorted: what is buried first sinks first, and rows are gone through in an order that a restore
    // does not keep.
    const touched = this.#touched.size === 1 ? this.#touched : new Set([...this.#touched].sort());
    for (const topic of touched) {
      // A key carries its own index: see KeyValues.
      if (topic.startsWith(KEY_PREFIX)) continue;
      this.#indexes.set(topic, index);
      this.#gone.delete(topic);
      if (this.#buried.has(topic)) this.#gone.set(topic, t);
    }
    this.#touched = new Set();
    this.#buried = new Set();
    if (this.#sink(t)) touched.add(FLOOR);
    return touched;
  }

  /** Ends an entry that was taken back: it has touched nothing. */
  rollback(): void {
    this.#touched.clear();
    this.#buried.clear();
  }

  /** Whether the floor has risen. */
  #sink(now: number): boolean {
    const before = this.#floor;
    let due = dueToSink(this.#gone.values(), this.#gone.size, now);
    for (const topic of this.#gone.keys()) {
      if (due-- === 0) break;
      this.#gone.delete(topic);
      this.#floor = Math.max(this.#floor, this.#indexes.get(topic) ?? 0);
      this.#indexes.delete(topic);
    }
    return this.#floor > before;
  }

  /** Everything is of this index: another state came in place of the one that this was of. */
  forget(floor: number): void {
    this.rollback();
    this.#indexes.clear();
    this.#gone.clear();
    this.#floor = floor;
  }

  /** For the snapshot. */
  dump(): TopicsDump {
    return { floor: this.#floor, indexes: [...this.#indexes], gone: [...this.#gone] };
  }

  /** Into topics that are new. */
  load({ floor, indexes, gone }: TopicsDump): void {
    this.#floor = floor;
    for (const [topic, index] of indexes) this.#indexes.set(topic, index);
    for (const [topic, t] of gone) this.#gone.set(topic, t);
  }
}

export interface TopicsDump {
  readonly floor: number;
  readonly indexes: readonly (readonly [string, number])[];
  readonly gone: readonly (readonly [string, number])[];
}
