/** What DNS asks, answered from this server's own state. */
import type {
  AddressOwner,
  Found,
  HealthEntry,
  Looked,
  Lookups,
  QueryFound,
} from '../lib/dns-lookups.ts';
import type { Check, Instance } from '../lib/model.ts';
import type { Random } from '../lib/random.ts';
import { ownerOf } from './query/addresses.ts';
import { execute, resolveQuery } from './query/prepared.ts';
import type { Readiness } from './readiness.ts';
import type { State } from './state/state.ts';
import {
  CATALOG,
  COORDINATES,
  connectTopic,
  healthTopic,
  nodeTopic,
  QUERIES,
} from './state/topic-names.ts';

export interface LocalLookupsOptions {
  /** Throws 'unavailable' before the log was read. */
  readonly state: () => State;
  readonly readiness: Pick<Readiness, 'ready'>;
  /** The node that this server is: what `_agent` means in a prepared query. */
  readonly node: string;
  readonly random: Random;
  /** dns_config.allow_stale: whether what this server knows will do. */
  readonly allowStale: boolean;
}

/** Answers at once, unless stale answers will not do. */
export class LocalLookups implements Lookups {
  readonly #options: LocalLookupsOptions;
  #newest: State | undefined;
  #generation = 0;

  constructor(options: LocalLookupsOptions) {
    this.#options = options;
  }

  service(name: string, tag: string): Looked<readonly HealthEntry[]> {
    const wanted = tag.toLowerCase();
    return this.#look([healthTopic(name)], (state) => {
      const all = [...state.catalog.instancesOf(name)];
      const tagged = (i: Instance) => i.Tags.some((t) => t.toLowerCase() === wanted);
      return entriesOf(state, tag === '' ? all : all.filter(tagged));
    });
  }

  connect(name: string): Looked<readonly HealthEntry[]> {
    return this.#look([connectTopic(name)], (state) =>
      entriesOf(state, state.catalog.connectTo(name)),
    );
  }

  node(name: string) {
    return this.#look([nodeTopic(name)], (state) => state.catalog.node(name));
  }

  query(idOrName: string): Looked<QueryFound | undefined> {
    const { node, random } = this.#options;
    const resolved = (state: State) =>
      state.queries.resolve(idOrName) === undefined ? undefined : resolveQuery(state, idOrName);
    return this.#ready(() => {
      const state = this.#options.state();
      const query = resolved(state);
      if (query === undefined) return this.#found(state, [QUERIES], undefined);
      const { Service } = query;
      const topic = (Service.Connect ? connectTopic : healthTopic)(Service.Service);
      const ordered = Service.Near !== '';
      const topics = [QUERIES, topic, ...(ordered ? [COORDINATES] : [])];
      const execution = { asking: node, near: '', limit: 0, connect: false };
      const entries = execute(state, query, execution, random) as readonly HealthEntry[];
      const value = { service: Service.Service, ttl: query.DNS.TTL, entries, ordered };
      return this.#found(state, topics, value);
    });
  }

  address(ip: string): Looked<AddressOwner | undefined> {
    return this.#look([CATALOG], (state) => ownerOf(state, ip));
  }

  #look<T>(topics: readonly string[], read: (state: State) => T): Looked<T> {
    return this.#ready(() => {
      const state = this.#options.state();
      return this.#found(state, topics, read(state));
    });
  }

  #ready<T>(look: () => Found<T>): Looked<T> {
    const { allowStale, readiness } = this.#options;
    const ready = readiness.ready(allowStale ? 'stale' : 'leader');
    return ready === undefined ? look() : ready.then(look);
  }

  /** Current as long as none of the topics was touched; never where each answer must be fresh. */
  #found<T>(state: State, topics: readonly string[], value: T): Found<T> {
    const { allowStale } = this.#options;
    const index = newest(state, topics);
    const generation = this.#generationOf(state);
    const isCurrent = () => {
      const now = this.#options.state();
      if (!allowStale || this.#generationOf(now) !== generation) return false;
      return newest(now, topics) === index;
    };
    return { value, isCurrent };
  }

  /** Told by number: an answer that is remembered must not keep a state that was replaced. */
  #generationOf(state: State): number {
    if (state !== this.#newest) {
      this.#newest = state;
      this.#generation++;
    }
    return this.#generation;
  }
}

function newest({ topics: of }: State, topics: readonly string[]): number {
  let index = 0;
  for (const topic of topics) index = Math.max(index, of.indexOf(topic));
  return index;
}

function entriesOf({ catalog }: State, instances: Iterable<Instance>): HealthEntry[] {
  const entries: HealthEntry[] = [];
  for (const instance of instances) {
    const node = catalog.node(instance.Node);
    if (node === undefined) continue;
    const checks: Check[] = [];
    for (const check of catalog.checksOf(instance.Node, '')) checks.push(check);
    for (const check of catalog.checksOf(instance.Node, instance.ID)) checks.push(check);
    entries.push({ Node: node, Service: instance, Checks: checks });
  }
  return entries;
}
