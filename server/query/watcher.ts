import type { Cancel } from '../../lib/clock.ts';
import { KEY_PREFIX, TREE_PREFIX } from '../state/topic-names.ts';

/**
 * Tells who reads a topic that it was touched. A `kv-tree:` topic is touched by every key under it:
 * nobody touches it by name.
 */
export class Watcher {
  readonly #byTopic = new Map<string, Set<() => void>>();
  /** How many tree topics there are of each length, so that a key is cut only where it matters. */
  readonly #treeLengths = new Map<number, number>();

  /** Calls `onTouch` at each touch of any of the topics, until cancelled. */
  watch(topics: readonly string[], onTouch: () => void): Cancel {
    for (const topic of topics) this.#add(topic, onTouch);
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      for (const topic of topics) this.#remove(topic, onTouch);
    };
  }

  /** How many topics are watched. */
  get size(): number {
    return this.#byTopic.size;
  }

  /** A tree is told once, however many of its keys were touched: both may be very many. */
  notify(touched: Iterable<string>): void {
    const trees = new Set<string>();
    for (const topic of touched) {
      this.#call(topic);
      if (topic.startsWith(KEY_PREFIX)) this.#addTrees(topic.slice(KEY_PREFIX.length), trees);
    }
    for (const tree of trees) this.#call(tree);
  }

  /** After a restore: everything may be otherwise. */
  notifyAll(): void {
    for (const watching of [...this.#byTopic.values()]) for (const fn of [...watching]) fn();
  }

  #addTrees(key: string, trees: Set<string>): void {
    for (const length of this.#treeLengths.keys()) {
      if (length <= key.length) trees.add(TREE_PREFIX + key.slice(0, length));
    }
  }

  #call(topic: string): void {
    const watching = this.#byTopic.get(topic);
    if (watching !== undefined) for (const fn of [...watching]) fn();
  }

  #add(topic: string, fn: () => void): void {
    const watching = this.#byTopic.get(topic);
    if (watching !== undefined) {
      watching.add(fn);
      return;
    }
    this.#byTopic.set(topic, new Set([fn]));
    this.#countTree(topic, 1);
  }

  #remove(topic: string, fn: () => void): void {
    const watching = this.#byTopic.get(topic);
    if (watching?.delete(fn) !== true || watching.size > 0) return;
    this.#byTopic.delete(topic);
    this.#countTree(topic, -1);
  }

  #countTree(topic: string, by: 1 | -1): void {
    if (!topic.startsWith(TREE_PREFIX)) return;
    const length = topic.length - TREE_PREFIX.length;
    const count = (this.#treeLengths.get(length) ?? 0) + by;
    if (count > 0) this.#treeLengths.set(length, count);
    else this.#treeLengths.delete(length);
  }
}
