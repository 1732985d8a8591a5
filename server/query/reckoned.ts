/**
 * What was reckoned of each thing of the catalog, made anew of those alone that have changed since: one who
 * looks at all of a hundred thousand instances must not have all of them counted at each change of one.
 */
import type { Catalog } from '../state/catalog.ts';
import { fold } from '../state/topic-names.ts';
import { Told } from './told.ts';

interface Known<T> {
  readonly index: number;
  readonly value: T;
}

/** Of one catalog. */
export interface Each<T> {
  /** By name, folded; what has not changed is the same object. */
  readonly values: ReadonlyMap<string, T>;
  /** What somebody made of them and showed. */
  readonly told: Told;
}

export class Reckoned<T> {
  /** As large as what there is: what is gone is forgotten when somebody looks. */
  readonly #knownOf = new WeakMap<Catalog, ReadonlyMap<string, Known<T>>>();
  readonly #toldOf = new WeakMap<Catalog, Told>();

  /** `indexOf` says when one last changed. */
  of(catalog: Catalog, { names, indexOf, make }: Asked<T>): Each<T> {
    const before = this.#knownOf.get(catalog);
    const told = this.#toldOf.get(catalog) ?? new Told();
    this.#toldOf.set(catalog, told);
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
    return { values, told };
  }
}

interface Asked<T> {
  readonly names: Iterable<string>;
  readonly indexOf: (name: string) => number;
  /** It may look at nothing but what `indexOf` speaks of. */
  readonly make: (name: string) => T;
}
