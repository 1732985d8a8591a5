/** What DNS asks, answered from this server's own state. */
import { withDefaultToken } from '../lib/acl/default-token.ts';
import { type AccessControl, type Caller, EVERYTHING } from '../lib/acl/rights.ts';
import type {
  AddressOwner,
  Found,
  HealthEntry,
  Lookup,
  Lookups,
  QueryFound,
} from '../lib/dns-lookups.ts';
import type { Instance } from '../lib/model.ts';
import type { Random } from '../lib/random.ts';
import { ownerOf } from './query/addresses.ts';
import { type Checked, joined } from './query/listed.ts';
import { execute, queryToRun } from './query/prepared.ts';
import { Reader } from './query/reader.ts';
import type { Demand, Readiness } from './readiness.ts';
import type { State } from './state/state.ts';

export interface LocalLookupsDeps {
  /** Throws 'unavailable' before the log was read. */
  readonly state: () => State;
  readonly readiness: Pick<Readiness, 'consistency' | 'read'>;
  readonly access: AccessControl;
  /** The node that this server is: what `_agent` means in a prepared query. */
  readonly node: string;
  readonly random: Random;
}

export interface Staleness {
  /** dns_config.allow_stale: whether what this server knows will do. */
  readonly allowStale: boolean;
  /** dns_config.max_stale: and how old it may be. */
  readonly maxStaleMs: number;
}

/** Answers at once, unless stale answers will not do. */
export class LocalLookups implements Lookups {
  readonly #deps: LocalLookupsDeps;
  readonly #demand: Demand;
  readonly #access: AccessControl;
  #newest: State | undefined;
  #generation = 0;

  /** `token`: whose rights DNS has, for a question brings none; '' for those of a stranger. */
  constructor(deps: LocalLookupsDeps, { allowStale, maxStaleMs }: Staleness, token: () => string) {
    this.#deps = deps;
    this.#access = withDefaultToken(deps.access, token);
    this.#demand = { consistency: allowStale ? 'stale' : 'leader', maxStaleMs };
  }

  service(name: string, tag: string): Lookup<readonly HealthEntry[]> {
    const wanted = tag.toLowerCase();
    const tagged = (i: Instance) =>
      tag === '' || i.Tags.some((each) => each.toLowerCase() === wanted);
    return this.#look((reader) => entriesOf(reader.healthOf(name), tagged));
  }

  connect(name: string): Lookup<readonly HealthEntry[]> {
    return this.#look((reader) => entriesOf(reader.mesh.connectTo(name)));
  }

  ingress(name: string): Lookup<readonly HealthEntry[]> {
    return this.#look((reader) => entriesOf(reader.mesh.ingressTo(name)));
  }

  node(name: string) {
    return this.#look((reader) => reader.node(name));
  }

  query(idOrName: string): Lookup<QueryFound | undefined> {
    const { node, random } = this.#deps;
    const run = (reader: Reader): QueryFound | undefined => {
      if (reader.queryToRun(idOrName) === undefined) return undefined;
      const query = queryToRun(reader, idOrName);
      const { Service } = query;
      const execution = { asking: node, near: '', limit: 0, connect: false };
      const found = execute(reader, query, execution, random);
      const entries = found.map(({ node: Node, instance, checks }) => ({
        Node,
        Service: instance,
        Checks: joined(checks),
      })) as HealthEntry[];
      const ordered = Service.Near !== '';
      return { service: Service.Service, ttl: query.DNS.TTL, entries, ordered };
    };
    // It finds what its own token may see, where it has one.
    return this.#look(run, (reader) => reader.queryToRun(idOrName)?.Token ?? '');
  }

  address(ip: string): Lookup<AddressOwner | undefined> {
    return this.#look((reader) => ownerOf(reader, ip));
  }

  virtual(name: string): Lookup<string | undefined> {
    return this.#look((reader) => reader.virtualAddressOf(name));
  }

  #look<T>(read: (reader: Reader) => T, tokenIn = (_: Reader) => ''): Lookup<T> {
    const { readiness } = this.#deps;
    const lookAs = (caller: Caller) => {
      const state = this.#deps.state();
      const reader = new Reader(state, caller.rights);
      const value = read(reader);
      return this.#found(state, [...reader.topics, ...reader.orders], value, caller);
    };
    const look = () => {
      const own = tokenIn(new Reader(this.#deps.state(), EVERYTHING));
      const caller = this.#access.callerOf(own);
      return caller instanceof Promise ? caller.then(lookAs) : lookAs(caller);
    };
    return readiness.read(readiness.consistency(this.#demand), look);
  }

  /** Current as long as nothing that was read was touched; never where each answer must be fresh. */
  #found<T>(state: State, topics: readonly string[], value: T, caller: Caller): Found<T> {
    const { readiness } = this.#deps;
    const index = newest(state, topics);
    const generation = this.#generationOf(state);
    const isCurrent = () => {
      if (readiness.consistency(this.#demand) !== 'stale') return false;
      const now = this.#deps.state();
      if (this.#generationOf(now) !== generation || !caller.stands()) return false;
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

function entriesOf(health: Checked, keep = (_: Instance) => true): HealthEntry[] {
  const entries: HealthEntry[] = [];
  for (const instance of health.rows) {
    const node = health.nodeOf(instance);
    if (node === undefined || !keep(instance)) continue;
    entries.push({ Node: node, Service: instance, Checks: health.checksFor(instance) });
  }
  return entries;
}
