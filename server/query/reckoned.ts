/**
 * What was reckoned of each thing of the catalog, made anew of those alone that have changed since: one who
 * looks at all of a hundred thousand instances must not have all of them counted at each change of one.
 */
import type { Catalog } from '../state/catalog.ts';
import { fold } from '../state/topic-names.ts';
import { Told } from './told.ts';

/** One thing. Its names and topics are kept: to make and hash them takes longer than to look at them. */
interface Known<T> {
  readonly key: string;
  readonly topics: readonly string[];
  index: number;
  value: T;
  /** The last pass in which it was there. */
  seen: number;
}

/** Of one catalog. */
export interface Each<T> {
  /** By name, folded; what has not changed is the same object. For this moment: it is what it is at the next look. */
  readonly values: ReadonlyMap<string, T>;
  /** What somebody made of them and showed. */
  readonly told: Told;
}

export class Reckoned<T> {
  /** As large as what there is: what is gone is forgotten when somebody looks. */
  readonly #of = new WeakMap<Catalog, Pass<T>>();

  of(catalog: Catalog, asked: Asked<T>): Each<T> {
    const pass = this.#of.get(catalog) ?? new Pass<T>();
    this.#of.set(catalog, pass);
    pass.run(asked);
    return pass;
  }
}

interface Asked<T> {
  /** Each spelling of each. */
  readonly names: Iterable<string>;
  /** What says when one last changed. */
  readonly topicsOf: (name: string) => readonly string[];
  readonly indexOf: (topic: string) => number;
  /** It may look at nothing but what its topics speak of. */
  readonly make: (name: string) => T;
}

class Pass<T> implements Each<T> {
  readonly values = new Map<string, T>();
  readonly told = new Told();
  readonly #byName = new Map<string, Known<T>>();
  readonly #byKey = new Map<string, Known<T>>();
  #pass = 0;

  run({ names, topicsOf, indexOf, make }: Asked<T>): void {
    this.#pass++;
    let [spellings, things] = [0, 0];
    for (const name of names) {
      spellings++;
      const known = this.#byName.get(name) ?? this.#meet(name, topicsOf(name));
      if (known.seen === this.#pass) continue;
      known.seen = this.#pass;
      things++;
      let index = 0;
      for (const topic of known.topics) index = Math.max(index, indexOf(topic));
      if (index === known.index) continue;
      known.value = make(name);
      known.index = index;
      this.values.set(known.key, known.value);
    }
    if (spellings < this.#byName.size || things < this.#byKey.size) this.#forget();
  }

  #meet(name: string, topics: readonly string[]): Known<T> {
    const key = fold(name);
    const known = this.#byKey.get(key) ?? {
      key,
      topics,
      index: -1,
      value: undefined as T,
      seen: 0,
    };
    this.#byName.set(name, known);
    this.#byKey.set(key, known);
    return known;
  }

  /** What is gone; and spellings, which are met again. */
  #forget(): void {
    this.#byName.clear();
    for (const [key, { seen }] of this.#byKey) {
      if (seen === this.#pass) continue;
      this.#byKey.delete(key);
      this.values.delete(key);
    }
  }
}
