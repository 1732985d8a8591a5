/**
 * Who has an id that is unique on its node alone. Made when it is first asked for, and kept from then
 * on: only those need it who report without saying where, and it takes room for every row.
 */
import { One } from './table.ts';
import { fold } from './topic-names.ts';

export class Holders<V> {
  readonly #rows: () => Iterable<readonly [key: string, row: V]>;
  readonly #idOf: (row: V) => string;
  /** Most ids have one holder, which stands here by itself. */
  #byId: Map<string, One<V> | Map<string, V>> | undefined;

  constructor(rows: () => Iterable<readonly [key: string, row: V]>, idOf: (row: V) => string) {
    this.#rows = rows;
    this.#idOf = idOf;
  }

  /** The rows with this id, in no order that means anything. */
  of(id: string): readonly V[] {
    const found = this.#made().get(fold(id));
    if (found === undefined) return [];
    return found instanceof Map ? [...found.values()] : [found.row];
  }

  /** A row's id is part of its key, so that it never changes. */
  replace(key: string, before: V | undefined, after: V | undefined): void {
    if (this.#byId === undefined) return;
    if (after !== undefined) this.#set(this.#byId, key, after);
    else if (before !== undefined) this.#delete(this.#byId, key, before);
  }

  #made(): Map<string, One<V> | Map<string, V>> {
    if (this.#byId !== undefined) return this.#byId;
    const byId = new Map<string, One<V> | Map<string, V>>();
    for (const [key, row] of this.#rows()) this.#set(byId, key, row);
    this.#byId = byId;
    return byId;
  }

  #set(byId: Map<string, One<V> | Map<string, V>>, key: string, row: V): void {
    const id = fold(this.#idOf(row));
    const there = byId.get(id);
    if (there === undefined || (there instanceof One && there.key === key)) {
      byId.set(id, new One(key, row));
    } else if (there instanceof One) {
      byId.set(
        id,
        new Map([
          [there.key, there.row],
          [key, row],
        ]),
      );
    } else there.set(key, row);
  }

  #delete(byId: Map<string, One<V> | Map<string, V>>, key: string, row: V): void {
    const id = fold(this.#idOf(row));
    const there = byId.get(id);
    if (there instanceof Map) {
      there.delete(key);
      if (there.size === 0) byId.delete(id);
    } else if (there?.key === key) byId.delete(id);
  }
}
