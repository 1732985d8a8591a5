/**
 * Which services there are, and with which tags. Counted instance by instance, so that a new copy
 * of a known service wakes nobody who watches the list of names.
 */
import type { Instance } from '../../lib/model.ts';
import { fold, SERVICES } from './topic-names.ts';
import type { Topics } from './topics.ts';

interface Counts {
  /** As the first of its instances wrote it. */
  readonly name: string;
  instances: number;
  readonly tags: Map<string, number>;
}

export class ServiceNames {
  readonly #services = new Map<string, Counts>();
  readonly #topics: Topics;

  constructor(topics: Topics) {
    this.#topics = topics;
  }

  get size(): number {
    return this.#services.size;
  }

  /** Each service's name and its tags, sorted. */
  *entries(): IterableIterator<[name: string, tags: string[]]> {
    for (const key of [...this.#services.keys()].sort()) {
      const counts = this.#services.get(key);
      if (counts !== undefined) yield [counts.name, [...counts.tags.keys()].sort()];
    }
  }

  change(before: Instance | undefined, after: Instance | undefined): void {
    if (before?.Service === after?.Service && before?.Tags === after?.Tags) return;
    // In first: a service whose last instance is only replaced never leaves.
    if (after !== undefined) this.#count(after);
    if (before !== undefined) this.#discount(before);
  }

  #count(instance: Instance): void {
    const key = fold(instance.Service);
    let counts = this.#services.get(key);
    if (counts === undefined) {
      counts = { name: instance.Service, instances: 0, tags: new Map() };
      this.#services.set(key, counts);
      this.#topics.touch(SERVICES);
    }
    counts.instances++;
    for (const tag of instance.Tags) {
      const count = counts.tags.get(tag) ?? 0;
      if (count === 0) this.#topics.touch(SERVICES);
      counts.tags.set(tag, count + 1);
    }
  }

  #discount(instance: Instance): void {
    const key = fold(instance.Service);
    const counts = this.#services.get(key);
    if (counts === undefined) return;
    counts.instances--;
    for (const tag of instance.Tags) {
      const count = counts.tags.get(tag) ?? 0;
      if (count > 1) counts.tags.set(tag, count - 1);
      else if (counts.tags.delete(tag)) this.#topics.touch(SERVICES);
    }
    if (counts.instances > 0) return;
    this.#services.delete(key);
    this.#topics.touch(SERVICES);
  }
}
