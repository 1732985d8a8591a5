/** What the catalog ought to have, as the cluster is known: made anew for each Service that something of changed. */

import { sameJson } from '../../lib/equal.ts';
import type { Mirrored } from '../api/mirror.ts';
import { objectIn, type Said, textIn } from '../api/shapes.ts';
import {
  type KubeNode,
  type KubeService,
  nodeIn,
  type Slice,
  serviceIn,
  sliceIn,
} from '../objects.ts';
import { Instances, NAMESPACE_META, type WantedInstance } from './instances.ts';
import { MAX_NODE_BYTES, Room } from './room.ts';
import {
  annotated,
  bytesOf,
  catalogName,
  faultOf,
  faultOfAll,
  isSynced,
  LEAST_BYTES,
  type SyncRules,
} from './rules.ts';

interface Claim {
  readonly instance: WantedInstance;
  /** What whoever writes a Service only says of others counts after what the cluster knows. */
  readonly rank: number;
}

/** What a Service comes to, and why it does not come where it asks to. */
interface Judged {
  readonly instances: readonly WantedInstance[];
  readonly bytes: number;
  readonly fault: string | undefined;
}

/** What moves from one Service to another is two changes, which come soon one after the other. */
const MOVE_MS = 1000;
/** So many instances are made anew in one turn of the event loop, or those of one Service: beats have to go out meanwhile. */
const MADE_AT_ONCE = 1000;

const NO_ROOM = `all Services together have over ${MAX_NODE_BYTES} bytes, and its namespace has its share`;

type Watched<T> = Pick<Mirrored<T>, 'keep' | 'changed'>;

export interface WantedEvents {
  /** By the clock that never goes back. */
  readonly now: () => number;
  /** Something may be wanted otherwise. */
  readonly changed: () => void;
  /** There is a Service that is reached at ports of machines. */
  readonly nodesWanted: () => void;
  /** Before, nobody knows where those are reached. */
  readonly areNodesKnown: () => boolean;
  /** Why a Service does not come that asks to; undefined where it may, or does not ask. */
  readonly judged: (service: string, fault: string | undefined) => void;
}

export class Wanted {
  readonly #rules: SyncRules;
  readonly #on: WantedEvents;
  readonly #instances: Instances;
  readonly #bytes = new WeakMap<object, number>();
  readonly #services = new Map<string, KubeService>();
  /** By the Service that they are of, which may not be known yet. */
  readonly #slices = new Map<string, Map<string, Slice>>();
  readonly #nodes = new Map<string, KubeNode>();
  /** Services that are to be looked at anew, in order, and when that was seen: at first, and last. */
  readonly #dirty = new Map<string, { readonly first: number; readonly last: number }>();
  /** By id, and then by the Service that wants it: two may come to one name and address. */
  readonly #claims = new Map<string, Map<string, Claim>>();
  readonly #idsOf = new Map<string, readonly string[]>();
  /**
   * Services whose machines are not known, with what their rows say of them: what they claimed last they keep, or others
   * had it meanwhile, and nothing is written by it.
   */
  readonly #undecided = new Map<string, string>();
  #undecidedRows: ReadonlySet<string> | undefined;
  /**
   * Of those that the first lists had, once both were whole, which were not looked at yet: before, what comes first counts
   * for what others with more right to it want. What comes later is not waited for, for that may have no end.
   */
  #unseen: Set<string> | undefined;
  readonly #room: Room;
  /** Those that there is no room for. */
  #leftOut: ReadonlySet<string> = new Set();
  /** Services that ask to come and do not. */
  readonly #faulty = new Set<string>();
  /** Ids that may be wanted otherwise than before, and when that was seen last. */
  readonly #changed = new Map<string, number>();

  constructor(rules: SyncRules, on: WantedEvents, room = new Room()) {
    this.#rules = rules;
    this.#on = on;
    this.#instances = new Instances(rules);
    this.#room = room;
  }

  /** How many Services ask to come and do not. */
  get refused(): number {
    return this.#faulty.size;
  }

  readonly services: Watched<KubeService> = {
    keep: (object, before) => {
      const now = serviceIn(object);
      // A list that is read anew says all of them once more.
      return before !== undefined && sameService(now, before) ? before : now;
    },
    changed: (key, now) => {
      put(this.#services, key, now);
      this.#look(key);
      if (now !== undefined && isAtMachines(now) && isSynced(now, this.#rules))
        this.#on.nodesWanted();
    },
  };

  readonly slices: Watched<Slice> = {
    keep: sliceIn,
    changed: (key, now, before) => {
      for (const slice of [before, now]) {
        if (slice === undefined || slice.service === '') continue;
        const service = `${slice.namespace}/${slice.service}`;
        const known = this.#slices.get(service) ?? new Map<string, Slice>();
        put(known, key, slice === now ? now : undefined);
        put(this.#slices, service, known.size === 0 ? undefined : known);
        this.#look(service);
      }
    },
  };

  readonly nodes: Watched<KubeNode> = {
    keep: (object, before) => {
      const now = nodeIn(object);
      // A machine says each few minutes that it is there: that changes nothing.
      return before !== undefined && sameJson(now, before) ? before : now;
    },
    changed: (key, now) => {
      // Objects of no namespace have nothing before the slash.
      put(this.#nodes, key.slice(1), now);
      this.lookAtNodePorts();
    },
  };

  /** Nobody knows how this instance ought to be, of which there is this row: it stays as it is. */
  isUndecided(id: string, row: Said | undefined): boolean {
    if (this.#undecided.size === 0) return false;
    const [service, claim] = this.#first(id) ?? [];
    if (service !== undefined && this.#undecided.has(service)) return true;
    if (row === undefined) return false;
    // Of before this process began nothing is kept but the row, which says whose it is.
    const namespace = textIn(objectIn(row['Meta'])[NAMESPACE_META]);
    if (claim?.instance.service.Meta[NAMESPACE_META] === namespace) return false;
    this.#undecidedRows ??= new Set(this.#undecided.values());
    return this.#undecidedRows.has(`${namespace}/${textIn(row['Service'])}`);
  }

  /** The machines are known now. */
  lookAtNodePorts(): void {
    for (const [service, { type }] of this.#services) if (type === 'NodePort') this.#look(service);
  }

  /** Of several Services that come to one instance the first counts, by rank, namespace and name. */
  get(id: string): WantedInstance | undefined {
    return this.#first(id)?.[1].instance;
  }

  #first(id: string): readonly [service: string, claim: Claim] | undefined {
    const claims = this.#claims.get(id);
    if (claims === undefined) return undefined;
    const [first] =
      claims.size === 1
        ? claims
        : [...claims].sort(([a, x], [b, y]) => x.rank - y.rank || (a < b ? -1 : 1));
    return first;
  }

  /** There are Services that were not looked at since something of them changed: what they want is as it was before. */
  get isBehind(): boolean {
    return this.#dirty.size > 0;
  }

  /**
   * What changed of the Services that want this one was not looked at yet; or, where none does, of any that may: of what was
   * seen to change by then, for something else may change without end.
   */
  isBehindOn(id: string, seen = Number.POSITIVE_INFINITY): boolean {
    const [oldest] = this.#dirty.values();
    if (oldest === undefined) return false;
    if (this.#unseen?.size !== 0) return true;
    const services = this.#claims.get(id)?.keys();
    if (services === undefined) return oldest.first <= seen + MOVE_MS;
    return [...services].some((each) => this.#dirty.has(each));
  }

  /** Both first lists are complete. */
  whole(): void {
    this.#unseen = new Set(this.#dirty.keys());
  }

  /** All ids that are wanted, as far as that is known. */
  ids(): Iterable<string> {
    return this.#claims.keys();
  }

  /**
   * Ids that may be wanted otherwise since this was last asked, with when that was seen last. Not of everything at once: it
   * is asked again while it is behind.
   */
  drain(): readonly (readonly [id: string, at: number])[] {
    this.#settle();
    const ids = [...this.#changed];
    this.#changed.clear();
    return ids;
  }

  #look(service: string): void {
    const now = this.#on.now();
    this.#dirty.set(service, { first: this.#dirty.get(service)?.first ?? now, last: now });
    this.#on.changed();
  }

  #settle(): void {
    if (this.#dirty.size === 0) return;
    const looked = this.#lookedAt();
    for (const [key, { bytes }] of looked)
      if (!this.#undecided.has(key)) this.#room.set(key, bytes);
    const [before, now] = [this.#leftOut, this.#room.leftOut()];
    this.#leftOut = now;
    for (const key of [...before, ...now]) {
      if (before.has(key) !== now.has(key) && !looked.has(key))
        looked.set(key, { ...this.#judged(key), at: this.#on.now() });
    }
    for (const [key, { instances, fault, at }] of looked) {
      this.#tell(key, now.has(key) ? NO_ROOM : fault);
      if (now.has(key)) this.#claim(key, [], at);
      else if (!this.#undecided.has(key)) this.#claim(key, instances, at);
    }
  }

  #lookedAt(): Map<string, Judged & { readonly at: number }> {
    const looked = new Map<string, Judged & { readonly at: number }>();
    let made = 0;
    for (const [key, { last: at }] of this.#dirty) {
      if (made >= MADE_AT_ONCE) break;
      const judged = this.#judged(key);
      this.#dirty.delete(key);
      this.#unseen?.delete(key);
      looked.set(key, { ...judged, at });
      made += 1 + judged.instances.length;
    }
    return looked;
  }

  #tell(key: string, fault: string | undefined): void {
    if (fault === undefined) this.#faulty.delete(key);
    else this.#faulty.add(key);
    this.#on.judged(key, fault);
  }

  #judged(key: string): Judged {
    const service = this.#services.get(key);
    const asks = service !== undefined && isSynced(service, this.#rules);
    const fault = asks ? faultOf(service, this.#rules) : undefined;
    this.#decide(key, undefined);
    const none = { instances: [], bytes: 0 };
    if (!asks || fault !== undefined) return { ...none, fault };
    if (isAtMachines(service) && !this.#on.areNodesKnown()) {
      this.#decide(key, `${service.namespace}/${catalogName(service, this.#rules)}`);
      return { ...none, fault };
    }
    const slices = [...(this.#slices.get(key)?.values() ?? [])];
    const node = (name: string) => this.#nodes.get(name);
    const places = this.#instances.places(service, { slices, node });
    const tooMany = faultOfAll(places.length, places.length * LEAST_BYTES);
    if (tooMany !== undefined) return { ...none, fault: tooMany };
    const instances = this.#instances.at(service, places);
    const bytes = bytesOf(instances, this.#bytes);
    const excess = faultOfAll(instances.length, bytes);
    return excess === undefined
      ? { instances, bytes, fault: undefined }
      : { ...none, fault: excess };
  }

  #decide(key: string, undecided: string | undefined): void {
    if (this.#undecided.get(key) === undecided) return;
    put(this.#undecided, key, undecided);
    this.#undecidedRows = undefined;
  }

  #claim(key: string, instances: readonly WantedInstance[], at: number): void {
    // Whyever it does not come, what was made of its pods is to take no memory.
    if (instances.length === 0) this.#instances.forget(this.#slices.get(key)?.values() ?? []);
    const rank = rankOf(this.#services.get(key));
    const ids = instances.map(({ service }) => service.ID);
    const before = new Map(
      (this.#idsOf.get(key) ?? []).map((id) => [id, this.#claims.get(id)?.get(key)]),
    );
    for (const instance of instances) {
      const { ID } = instance.service;
      const was = before.get(ID);
      before.delete(ID);
      // Of a Service of a thousand pods one has changed.
      if (was?.rank === rank && sameJson(was.instance, instance)) continue;
      const claims = this.#claims.get(ID) ?? new Map<string, Claim>();
      claims.set(key, { instance, rank });
      this.#claims.set(ID, claims);
      this.#changed.set(ID, at);
    }
    for (const id of before.keys()) {
      const claims = this.#claims.get(id);
      claims?.delete(key);
      if (claims?.size === 0) this.#claims.delete(id);
      this.#changed.set(id, at);
    }
    put(this.#idsOf, key, ids.length === 0 ? undefined : ids);
  }
}

/** Addresses that its author wrote down are any pod's; a name of the catalog by annotation is any service's. */
function rankOf(service: KubeService | undefined): number {
  if (service === undefined) return 0;
  return (service.externalIps.length > 0 ? 2 : 0) + (annotated(service, 'name') === '' ? 0 : 1);
}

function sameService(a: KubeService, b: KubeService): boolean {
  const plain = (each: KubeService) => ({
    ...each,
    labels: [...each.labels],
    annotations: [...each.annotations],
  });
  return sameJson(plain(a), plain(b));
}

function isAtMachines({ type, externalIps }: KubeService): boolean {
  return type === 'NodePort' && externalIps.length === 0;
}

function put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
