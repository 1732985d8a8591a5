/**
 * Which services there are, and with which tags. Counted instance by instance, so that a new copy
 * of a known service wakes nobody who watches the list of names. Names that differ in case alone
 * are listed apart, as Consul does, though every lookup takes them for one.
 */
import type { Instance } from '../../lib/model.ts';
import { fold, ORDINARY, ordinaryTopic, SERVICES } from './topic-names.ts';
import type { Topics } from './topics.ts';

interface Counts {
  instances: number;
  ordinary: number;
  readonly tags: Map<string, number>;
}

export class ServiceNames {
  readonly #services = new Map<string, Counts>();
  /** Ordinary instances by their name, folded: one topic is of all its spellings. */
  readonly #ordinary = new Map<string, number>();
  readonly #topics: Topics;

  constructor(topics: Topics) {
    this.#topics = topics;
  }

  get size(): number {
    return this.#services.size;
  }

  /** Each spelling of each, in no order. */
  names(): Iterable<string> {
    return this.#services.keys();
  }

  /** Each service's name and its tags, sorted. */
  *entries(): IterableIterator<[name: string, tags: string[]]> {
    for (const name of [...this.#services.keys()].sort()) {
      const counts = this.#services.get(name);
      if (counts !== undefined) yield [name, [...counts.tags.keys()].sort()];
    }
  }

  /** The ordinary ones, each once, in one order. */
  ordinary(): string[] {
    const spelt = new Map<string, string>();
    for (const name of [...this.#services.keys()].sort()) {
      const isOrdinary = this.#services.get(name)?.ordinary !== 0;
      if (isOrdinary && !spelt.has(fold(name))) spelt.set(fold(name), name);
    }
    return [...spelt.values()];
  }

  change(before: Instance | undefined, after: Instance | undefined): void {
    const isSame = before?.Service === after?.Service && before?.Kind === after?.Kind;
    if (isSame && before?.Tags === after?.Tags) return;
    // In first: a service whose last instance is only replaced never leaves.
    if (after !== undefined) this.#count(after);
    if (before !== undefined) this.#discount(before);
  }

  #count(instance: Instance): void {
    let counts = this.#services.get(instance.Service);
    if (counts === undefined) {
      counts = { instances: 0, ordinary: 0, tags: new Map() };
      this.#services.set(instance.Service, counts);
      this.#topics.touch(SERVICES);
    }
    counts.instances++;
    if (isOrdinary(instance)) {
      this.#addOrdinary(instance.Service, 1);
      if (counts.ordinary++ === 0) {
        this.#topics.touch(ORDINARY);
        this.#topics.touch(ordinaryTopic(instance.Service));
      }
    }
    for (const tag of instance.Tags) {
      const count = counts.tags.get(tag) ?? 0;
      if (count === 0) this.#topics.touch(SERVICES);
      counts.tags.set(tag, count + 1);
    }
  }

  #discount(instance: Instance): void {
    const counts = this.#services.get(instance.Service);
    if (counts === undefined) return;
    counts.instances--;
    if (isOrdinary(instance)) {
      const left = this.#addOrdinary(instance.Service, -1);
      if (--counts.ordinary === 0) {
        const topic = ordinaryTopic(instance.Service);
        this.#topics.touch(ORDINARY);
        if (left === 0) this.#topics.bury(topic);
        else this.#topics.touch(topic);
      }
    }
    for (const tag of instance.Tags) {
      const count = counts.tags.get(tag) ?? 0;
      if (count > 1) counts.tags.set(tag, count - 1);
      else if (counts.tags.delete(tag)) this.#topics.touch(SERVICES);
    }
    if (counts.instances > 0) return;
    this.#services.delete(instance.Service);
    this.#topics.touch(SERVICES);
  }

  #addOrdinary(service: string, change: 1 | -1): number {
    const name = fold(service);
    const count = (this.#ordinary.get(name) ?? 0) + change;
    if (count === 0) this.#ordinary.delete(name);
    else this.#ordinary.set(name, count);
    return count;
  }
}

const SERVERS = 'consul';

/** No proxy and no gateway, and not the servers' own. */
export function isOrdinary({ Kind, Service }: Instance): boolean {
  return Kind === '' && Service !== SERVERS;
}
