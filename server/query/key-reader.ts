/** Keys as a query sees them: a part of the Reader. */
import { permissionDenied } from '../../lib/acl/refusals.ts';
import type { KeyValue } from '../../lib/model.ts';
import type { KeyRange, Sees } from '../state/key-range.ts';
import type { Revision } from '../state/revisions.ts';
import type { State } from '../state/state.ts';
import { keyTopic, LOCKS, revisionsTopic, treeTopic } from '../state/topic-names.ts';
import type { Sight } from './sight.ts';

type ReadOf = Pick<State, 'kv' | 'revisions' | 'topics'>;

/** `standsOnFloor`: the index is that of what was forgotten, or will be. */
type NoteAt = (topic: string, index: number, standsOnFloor?: boolean) => void;

export class KeyReader {
  readonly #state: ReadOf;
  readonly #sight: Sight;
  readonly #noteAt: NoteAt;

  constructor(state: ReadOf, sight: Sight, noteAt: NoteAt) {
    this.#state = state;
    this.#sight = sight;
    this.#noteAt = noteAt;
  }

  /** A key's index is its own; one that is not there follows the folder around it. */
  named(key: string): KeyValue | undefined {
    this.#refuseUnseen(key);
    const { kv } = this.#state;
    const row = kv.get(key);
    if (row === undefined) this.#noteAround(key, kv.indexOf(key));
    else this.#noteAt(keyTopic(key), row.ModifyIndex);
    return row;
  }

  /** What it said before and says now, the oldest first. */
  revisionsOf(key: string): readonly Revision[] {
    this.#refuseUnseen(key);
    const topic = revisionsTopic(key);
    const { topics } = this.#state;
    this.#noteAt(topic, topics.indexOf(topic), topics.standsOnFloor(topic));
    return this.#state.revisions.of(key);
  }

  /**
   * In order of keys. Where there are none, and were none lately, it follows the folder around. With
   * `asWhole` it throws where the folder may not be listed, whatever may be seen of what is in it. Of more than
   * `atMost` there may be more in the range, and none is collected.
   */
  under(prefix: string, asWhole: boolean, atMost: number): KeyRange | readonly KeyValue[] {
    this.#refuseUnlisted(prefix, asWhole);
    const { kv } = this.#state;
    if (this.seesAllUnder(prefix)) {
      const rows = kv.rangeUnder(prefix, atMost);
      this.#noteTree(prefix, rows.length > 0, rows.length > 0);
      return rows;
    }
    return this.#seenOf(prefix, (sees) => kv.walkUnder(prefix).first(atMost, sees));
  }

  /** Of the same each once, up to the next separator: the first so many. */
  namesUnder(
    prefix: string,
    separator: string,
    asWhole: boolean,
    atMost: number,
  ): readonly string[] {
    this.#refuseUnlisted(prefix, asWhole);
    const { kv } = this.#state;
    return this.#seenOf(prefix, (sees) => kv.walkUnder(prefix).names(separator, atMost, sees));
  }

  /** What is hidden takes no longer to pass than there are rules about it. */
  #seenOf<T>(prefix: string, walk: (sees: Sees) => readonly T[]) {
    const seesAll = this.seesAllUnder(prefix);
    let [isAny, isKeptBack] = [false, false];
    const found = walk((row) => {
      isAny = true;
      if (seesAll || this.#sight.key(row)) return true;
      isKeptBack = true;
      const passes = this.#sight.hiddenWith(row.Key, prefix);
      return passes === undefined ? 'unseen' : { passes };
    });
    this.#sight.asked(!isKeptBack);
    this.#noteTree(prefix, isAny, found.length > 0);
    return found;
  }

  /** The keys that a session has locked, in order: wakes at a change of any lock. */
  heldBy(session: string): readonly string[] {
    const { kv, topics } = this.#state;
    this.#noteAt(LOCKS, topics.indexOf(LOCKS));
    return [...this.#sight.of(kv.heldBy(session), (key) => this.#sight.keyNamed(key))];
  }

  /** Whether there could be no key under the prefix that it does not hand out. */
  seesAllUnder(prefix: string): boolean {
    return this.#sight.keysUnder(prefix);
  }

  #refuseUnseen(key: string): void {
    if (!this.#sight.keyNamed(key)) throw permissionDenied();
  }

  #refuseUnlisted(prefix: string, asWhole: boolean): void {
    if (asWhole && !this.#sight.keysListed(prefix)) throw permissionDenied();
  }

  /** Whether there are any, and whether any of them is shown. */
  #noteTree(prefix: string, isAny: boolean, isShown: boolean): void {
    const { kv } = this.#state;
    const index = kv.indexUnder(prefix);
    const isSeen = isShown || this.#sight.keyNamed(prefix);
    this.#sight.asked(isSeen);
    if (!isSeen) this.#noteAt(treeTopic(prefix), 1);
    else if (isAny || kv.isBuried(prefix)) this.#noteAt(treeTopic(prefix), index, true);
    else this.#noteAround(prefix, index);
  }

  #noteAround(name: string, own: number): void {
    const { folder, index } = this.#state.kv.folderAround(name);
    this.#noteAt(treeTopic(folder), Math.max(own, index), true);
  }
}
