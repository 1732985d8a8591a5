/** The ends of a chain: which instances are meant, and which when those are not there. */
import { rejected } from '../../lib/config-entries/kind.ts';
import { GLOBAL, PROXY_DEFAULTS } from '../../lib/config-entries/kinds/proxy-defaults.ts';
import { SERVICE_DEFAULTS } from '../../lib/config-entries/kinds/service-defaults.ts';
import {
  type Failover,
  SERVICE_RESOLVER,
  type ServiceResolver,
} from '../../lib/config-entries/kinds/service-resolver.ts';
import { formatDuration } from '../../lib/duration.ts';
import { quote } from '../../lib/go-literals.ts';
import type { ChainEntries, ChainRequest, ResolverNode, Target } from './chain.ts';
import type { Protocols, Spoken } from './protocols.ts';

const NAMESPACE = 'default';
/** Of redirects one after another. */
const MAX_REDIRECTS = 1000;
const SECOND_NS = 1e9;
const DEFAULT_CONNECT_TIMEOUT = 5 * SECOND_NS;

/** Whose instances are meant, and where. */
interface Place {
  readonly service: string;
  /** '' for all of them. */
  readonly subset: string;
  readonly datacenter: string;
}

/** Says something else of where; what it does not say stays as it is. */
interface Elsewhere {
  readonly Peer?: string;
  readonly SamenessGroup?: string;
  readonly Service?: string;
  readonly ServiceSubset?: string;
  readonly Datacenter?: string;
}

/** What a place comes to that was found without fault. */
interface Found {
  readonly key: string;
  readonly spoken: Spoken;
}

/** Places by service and subset: of several chains, as long as no entry changes. */
export type KnownPlaces = Map<string, Found>;

export class Resolvers {
  readonly #entries: ChainEntries;
  readonly #request: ChainRequest;
  readonly #protocols: Protocols;
  readonly #known: KnownPlaces | undefined;
  readonly nodes = new Map<string, ResolverNode>();
  readonly targets = new Map<string, Target>();
  /** Overrides that made a difference. */
  readonly heeded = new Set<string>();

  /** `known`: where nobody asks for the nodes. Places that another chain has found have none here. */
  constructor(
    entries: ChainEntries,
    request: ChainRequest,
    protocols: Protocols,
    known?: KnownPlaces,
  ) {
    this.#entries = entries;
    this.#request = request;
    this.#protocols = protocols;
    this.#known = known;
  }

  /** The key of the node; throws 'rejected' where the entries come to nothing. */
  resolve(service: string, subset: string): string {
    if (this.#known === undefined) return this.#find(service, subset);
    const name = subset === '' ? service : `${service}\n${subset}`;
    const found = this.#known.get(name);
    if (found !== undefined && this.#protocols.agree(found.spoken)) return found.key;
    const { steps } = this.#protocols;
    const key = this.#find(service, subset);
    const spoken = { protocol: this.#protocols.ofEntries, steps: this.#protocols.steps - steps };
    this.#known.set(name, { key, spoken });
    return key;
  }

  #find(service: string, subset: string): string {
    const { place, entry } = this.#settle({
      service,
      subset,
      datacenter: this.#request.datacenter,
    });
    const id = this.#target(place, entry);
    const key = `resolver:${id}`;
    if (this.nodes.has(key)) return key;
    const failover = entry === undefined ? [] : this.#failover(place, entry, id);
    this.nodes.set(key, {
      Type: 'resolver',
      Name: id,
      Resolver: {
        ConnectTimeout: formatDuration(this.#connectTimeout(entry)),
        ...(entry?.RequestTimeout && { RequestTimeout: formatDuration(entry.RequestTimeout) }),
        ...(entry === undefined && { Default: true }),
        Target: id,
        ...(failover.length > 0 && { Failover: { Targets: failover } }),
      },
      ...(entry?.LoadBalancer && { LoadBalancer: entry.LoadBalancer }),
    });
    return key;
  }

  /** Goes after redirects and default subsets, to where none leads on. */
  #settle(from: Place): { place: Place; entry: ServiceResolver | undefined } {
    const trail: string[] = [];
    for (let place = from; ; ) {
      const id = idOf(place);
      if (trail.includes(id)) {
        throw rejected(`detected circular resolver redirect: [${[...trail, id].join(' -> ')}]`);
      }
      if (trail.length > MAX_REDIRECTS) {
        throw rejected(`${quote(from.service)} is redirected more than ${MAX_REDIRECTS} times`);
      }
      trail.push(id);
      this.#protocols.take(place.service);
      const entry = this.#entries.entryOf(SERVICE_RESOLVER, place.service);
      if (!this.#isHere(entry?.Redirect)) {
        const from = quote(place.service);
        throw rejected(`${from} is redirected to a peer, and clusters are not peered here`);
      }
      const next = nextPlace(place, entry);
      if (next === undefined) return { place, entry };
      place = next;
    }
  }

  #target(place: Place, entry: ServiceResolver | undefined): string {
    const id = idOf(place);
    if (this.targets.has(id)) return id;
    const { service, subset, datacenter } = place;
    const defaults = this.#entries.entryOf(SERVICE_DEFAULTS, service);
    const external = defaults?.ExternalSNI ?? '';
    if (external !== '') refuseOfExternal(service, entry);
    if (subset !== '' && !Object.hasOwn(entry?.Subsets ?? {}, subset)) {
      throw rejected(`service ${quote(service)} does not have a subset named ${quote(subset)}`);
    }
    const name = `${id}.internal.${this.#request.trustDomain}`;
    this.targets.set(id, {
      ID: id,
      Service: service,
      ...(subset !== '' && { ServiceSubset: subset }),
      Namespace: NAMESPACE,
      Datacenter: datacenter,
      MeshGateway: external === '' ? this.#meshGateway(place) : {},
      Subset: entry?.Subsets?.[subset] ?? {},
      ...(external !== '' && { External: true }),
      SNI: external === '' ? name : external,
      Name: name,
    });
    return id;
  }

  #meshGateway({ service, datacenter }: Place): Target['MeshGateway'] {
    const { here, overrides } = this.#request;
    if (datacenter === here) return {};
    const own = this.#entries.entryOf(SERVICE_DEFAULTS, service)?.MeshGateway.Mode;
    const said = own ?? this.#entries.entryOf(PROXY_DEFAULTS, GLOBAL)?.MeshGateway.Mode;
    if (overrides.meshGateway !== '' && overrides.meshGateway !== said) {
      this.heeded.add('meshGateway');
      return { Mode: overrides.meshGateway };
    }
    return said === undefined ? {} : { Mode: said };
  }

  #connectTimeout(entry: ServiceResolver | undefined): number {
    const { connectTimeout } = this.#request.overrides;
    const said = entry?.ConnectTimeout ?? DEFAULT_CONNECT_TIMEOUT;
    if (connectTimeout <= 0 || connectTimeout === said) return said;
    this.heeded.add('connectTimeout');
    return connectTimeout;
  }

  #failover(place: Place, entry: ServiceResolver, own: string): readonly string[] {
    const { Failover: failover = {} } = entry;
    const way = Object.hasOwn(failover, place.subset) ? failover[place.subset] : failover['*'];
    if (way === undefined) return [];
    const here = placesOf(way).filter((each) => this.#isHere(each));
    const targets = here.map((each) => {
      const found = this.#settle(moved(place, each));
      return this.#target(found.place, found.entry);
    });
    return targets.filter((id) => id !== own);
  }

  /** Entries may be older than what they are asked: in another cluster nobody is called, and nobody here in his place. */
  #isHere({ Peer = '', SamenessGroup = '' }: Elsewhere = {}): boolean {
    return this.#request.asApplied === true || (Peer === '' && SamenessGroup === '');
  }
}

function placesOf(way: Failover): readonly Elsewhere[] {
  const { Targets = [], Datacenters = [], Service, ServiceSubset } = way;
  if (Targets.length > 0) return Targets;
  const there = { ...(Service && { Service }), ...(ServiceSubset && { ServiceSubset }) };
  if (Datacenters.length === 0) return [there];
  return Datacenters.map((Datacenter) => ({ ...there, Datacenter }));
}

function idOf({ service, subset, datacenter }: Place): string {
  return `${subset === '' ? '' : `${subset}.`}${service}.${NAMESPACE}.${datacenter}`;
}

/** Another service has subsets of its own. */
function moved(
  place: Place,
  { Service = '', ServiceSubset = '', Datacenter = '' }: Elsewhere,
): Place {
  const isOther = Service !== '' && Service !== place.service;
  const kept = isOther ? '' : place.subset;
  return {
    service: isOther ? Service : place.service,
    subset: ServiceSubset === '' ? kept : ServiceSubset,
    datacenter: Datacenter === '' ? place.datacenter : Datacenter,
  };
}

/** Undefined where nothing leads on. */
function nextPlace(place: Place, entry: ServiceResolver | undefined): Place | undefined {
  if (entry === undefined) return undefined;
  if (entry.Redirect !== undefined) {
    const next = moved(place, entry.Redirect);
    if (idOf(next) !== idOf(place)) return next;
  }
  const { DefaultSubset = '' } = entry;
  return place.subset === '' && DefaultSubset !== ''
    ? { ...place, subset: DefaultSubset }
    : undefined;
}

/** It is called by another name, so that there are no instances of it to choose from. */
function refuseOfExternal(service: string, entry: ServiceResolver | undefined): void {
  const { Redirect, Subsets, Failover: failover } = entry ?? {};
  const none = (what: string) =>
    rejected(
      `service ${quote(service)} has an external SNI set; cannot define ${what} for external services`,
    );
  if (Redirect !== undefined) throw none('redirects');
  if (Subsets !== undefined) throw none('subsets');
  if (failover !== undefined) throw none('failover');
}
