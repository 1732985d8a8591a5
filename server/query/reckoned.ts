/**
 * What was reckoned of each thing of the catalog, made anew of those alone that have changed since: one who
 * looks at all of a hundred thousand instances must not have all of them counted at each change of one.
 */
import type { Catalog } from '../state/catalog.ts';
import { fold } from '../state/topic-names.ts';

interface Known<T> {
  readonly index: number;
  readonly value: T;
}

export class Reckoned<T> {
  /** As large as what there is: what is gone is forgotten when somebody looks. */
  readonly #knownOf = new WeakMap<Catalog, ReadonlyMap<string, Known<T>>>();

  /** By name, folded. `indexOf` says when it last changed. */
  of(catalog: Catalog, { names, indexOf, make }: Asked<T>): ReadonlyMap<string, T> {
    const before = this.#knownOf.get(catalog);
    const known = new Map<string, Known<T>>();
    const values = new Map<string, T>();
    for (const name of names) {
      const key = fold(name);
      if (known.has(key)) continue;
      const index = indexOf(name);
      const old = before?.get(key);
      const each = old?.index === index ? old : { index, value: make(name) };
      known.set(key, each);
      values.set(key, each.value);
    }
    this.#knownOf.set(catalog, known);
    return values;
  }
}

interface Asked<T> {
  readonly names: Iterable<string>;
  readonly indexOf: (name: string) => number;
  /** It may look at nothing but what `indexOf` speaks of. */
  readonly make: (name: string) => T;
}
