/** What a Service of Kubernetes comes to in the catalog: it follows from it, its slices and the machines alone. */
import { createHash } from 'node:crypto';
import { byName } from '../../lib/key-order.ts';
import { faultOfMeta } from '../../lib/meta.ts';
import { type CheckStatus, SERVICE_MAINTENANCE_PREFIX } from '../../lib/model.ts';
import {
  type KubeNode,
  type KubeService,
  MAX_SAID,
  type Slice,
  type SliceEndpoint,
} from '../objects.ts';
import { OWNER_META, SOURCE, SOURCE_META } from '../ours.ts';
import { annotated, annotatedMeta, annotatedTags, catalogName, type SyncRules } from './rules.ts';

/** Of which namespace a row is. */
export const NAMESPACE_META = 'external-k8s-ns';

/** An instance with its checks, as a transaction sets it. */
export interface WantedInstance {
  readonly service: WantedService;
  readonly checks: readonly WantedCheck[];
}

export interface WantedService {
  readonly ID: string;
  readonly Service: string;
  readonly Address: string;
  readonly Port: number;
  readonly Tags: readonly string[];
  readonly Meta: Readonly<Record<string, string>>;
  readonly Weights: { readonly Passing: number; readonly Warning: number };
}

export interface WantedCheck {
  readonly CheckID: string;
  readonly Name: string;
  readonly Status: CheckStatus;
  readonly Notes: string;
  readonly Output: string;
}

export interface Cluster {
  readonly slices: readonly Slice[];
  readonly node: (name: string) => KubeNode | undefined;
}

/**
 * Makes instances by the same rules all the time. What it made of an endpoint it has ready while that is the same object: of
 * the thousand pods of a Service one changes.
 */
export class Instances {
  readonly #rules: SyncRules;
  readonly #bases = new WeakMap<KubeService, Base>();
  readonly #ofPods = new WeakMap<SliceEndpoint, OfPod>();

  constructor(rules: SyncRules) {
    this.#rules = rules;
  }

  of(service: KubeService, cluster: Cluster): readonly WantedInstance[] {
    return this.at(service, this.places(service, cluster));
  }

  /** How many there are is known before any is made. */
  places(service: KubeService, cluster: Cluster): readonly Place[] {
    return placesIn(service, cluster, this.#rules);
  }

  at(service: KubeService, places: readonly Place[]): readonly WantedInstance[] {
    const base = this.#bases.get(service) ?? baseOf(service, this.#rules);
    this.#bases.set(service, base);
    return places.map((place) => this.#at(service, base, place));
  }

  /** They do not come, and are to take no memory. */
  forget(slices: Iterable<Slice>): void {
    for (const { endpoints } of slices)
      for (const endpoint of endpoints) this.#ofPods.delete(endpoint);
  }

  #at(service: KubeService, base: Base, place: Place): WantedInstance {
    const { endpoint, address, port } = place;
    const made = endpoint && this.#ofPods.get(endpoint);
    if (made?.base === base && made.port === port && made.instance.service.Address === address)
      return made.instance;
    const instance = instanceAt(service, base, place);
    if (endpoint !== undefined) this.#ofPods.set(endpoint, { base, port, instance });
    return instance;
  }
}

interface OfPod {
  readonly base: Base;
  readonly port: number;
  readonly instance: WantedInstance;
}

/** Each address once: a pod that moves from one slice to another is in both for a moment. */
function placesIn(service: KubeService, cluster: Cluster, rules: SyncRules): readonly Place[] {
  const found = placesOf(service, cluster, rules);
  const byAddress = new Map<string, Place>();
  for (const place of found) {
    const there = byAddress.get(place.address);
    const isBetter = there?.endpoint?.isReady === false && place.endpoint?.isReady === true;
    if (there === undefined || isBetter) byAddress.set(place.address, place);
  }
  return [...byAddress.values()];
}

/** Where a Service is reached. */
export interface Place {
  readonly address: string;
  readonly port: number;
  /** Of a pod, whose readiness counts. */
  readonly endpoint?: SliceEndpoint;
  readonly weight?: number;
}

function placesOf(service: KubeService, cluster: Cluster, rules: SyncRules): readonly Place[] {
  const port = servicePort(service, 'port');
  const weight = weightOf(service);
  if (service.externalIps.length > 0) {
    return service.externalIps.map((address) => ({ address, port, weight }));
  }
  switch (service.type) {
    case 'LoadBalancer':
      return service.ingress.map((address) => ({ address, port, weight }));
    case 'NodePort':
      return nodePlaces(service, cluster, rules);
    default:
      return slicesOf(service, cluster.slices, rules).flatMap((slice) => podPlaces(service, slice));
  }
}

function podPlaces(service: KubeService, { ports, endpoints }: Slice): readonly Place[] {
  const said = annotated(service, 'port');
  const named = said === '' ? ports[0] : ports.find(({ name }) => name === said);
  const port = portNumber(said) ?? named?.port ?? 0;
  return endpoints.flatMap((endpoint) =>
    endpoint.addresses.map((address) => ({ address, port, endpoint })),
  );
}

/** A port of each machine that has a pod. */
function nodePlaces(
  service: KubeService,
  { slices, node }: Cluster,
  rules: SyncRules,
): readonly Place[] {
  const port = servicePort(service, 'nodePort');
  const names = slicesOf(service, slices, rules)
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ isReady, isServing }) => isReady || isServing)
    .map(({ nodeName }) => nodeName);
  return [...new Set(names)].flatMap((name) =>
    addressesOf(node(name), rules.nodePorts).map((address) => ({ address, port })),
  );
}

function addressesOf(
  node: KubeNode | undefined,
  wanted: SyncRules['nodePorts'],
): readonly string[] {
  const ofType = (type: string) =>
    (node?.addresses ?? []).filter((each) => each.type === type).map(({ address }) => address);
  const external = wanted === 'InternalOnly' ? [] : ofType('ExternalIP');
  if (wanted === 'ExternalOnly' || external.length > 0) return external;
  return ofType('InternalIP');
}

/** Of two families the Service's first counts, or each pod would be there twice. */
function slicesOf(
  { family, namespace, name }: KubeService,
  slices: readonly Slice[],
  { bothFamilies }: SyncRules,
): readonly Slice[] {
  return slices
    .filter((slice) => slice.namespace === namespace && slice.service === name)
    .filter((slice) => slice.family === 'IPv4' || slice.family === 'IPv6')
    .filter((slice) => bothFamilies || family === '' || slice.family === family)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** As its annotation says, by number or name; else the first. */
function servicePort(service: KubeService, which: 'port' | 'nodePort'): number {
  const said = annotated(service, 'port');
  const { ports } = service;
  const found = said === '' ? ports[0] : ports.find(({ name }) => name === said);
  return portNumber(said) ?? found?.[which] ?? 0;
}

function portNumber(said: string): number | undefined {
  const port = /^\d{1,5}$/.test(said) ? Number(said) : 0;
  return port > 0 && port <= MAX_PORT ? port : undefined;
}

const MAX_PORT = 65_535;
const MAX_WEIGHT = 65_535;

function weightOf(service: KubeService): number {
  const said = annotated(service, 'weight');
  const weight = /^\d{1,5}$/.test(said) ? Number(said) : 1;
  return Math.min(Math.max(weight, 1), MAX_WEIGHT);
}

interface Base {
  readonly name: string;
  readonly tags: readonly string[];
  readonly meta: readonly (readonly [string, string])[];
}

function baseOf(service: KubeService, rules: SyncRules): Base {
  const ports = service.ports
    .filter(({ name }) => name !== '')
    .map(({ name, port, nodePort }) => {
      const shown = service.type === 'NodePort' && nodePort > 0 ? nodePort : port;
      return [`port-${name}`, String(shown)] as const;
    });
  const own = [
    [SOURCE_META, SOURCE],
    [OWNER_META, rules.owner],
    [NAMESPACE_META, service.namespace],
  ] as const;
  return {
    name: catalogName(service, rules),
    tags: [rules.tag, ...annotatedTags(service)],
    // What it says itself comes first, for ours to count where names meet.
    meta: [...annotatedMeta(service), ...ports.slice(0, MAX_SAID), ...own],
  };
}

function instanceAt(service: KubeService, base: Base, place: Place): WantedInstance {
  const { address, port, endpoint, weight = 1 } = place;
  const { name, tags, meta } = base;
  const ID = `${name}-${digest(`${name}-${address}`)}`;
  const pairs = [...meta, ...(endpoint === undefined ? [] : originOf(endpoint))];
  return {
    service: {
      ID,
      Service: name,
      Address: address,
      Port: port,
      Tags: tags,
      Meta: byName(new Map(pairs.filter(([key, value]) => faultOfMeta(key, value) === undefined))),
      Weights: { Passing: weight, Warning: 1 },
    },
    checks: endpoint === undefined ? [] : checksOf(ID, service.namespace, endpoint),
  };
}

function originOf({ refKind, refName, nodeName, zone }: SliceEndpoint) {
  const all = [
    ['external-k8s-ref-kind', refKind],
    ['external-k8s-ref-name', refName],
    ['external-k8s-node-name', nodeName],
    ['external-k8s-topology-zone', zone],
  ] as const;
  return all.filter(([, value]) => value !== '');
}

const MAX_REF_CHARS = 253;

/**
 * A pod that ends and still serves is in maintenance: nobody is sent there any more, and whoever is there may
 * end what is under way. One that does not serve is critical, whether it ends or not.
 */
function checksOf(id: string, namespace: string, endpoint: SliceEndpoint): readonly WantedCheck[] {
  const { isReady, isServing, isTerminating, refName } = endpoint;
  const isWell = isTerminating ? isServing : isReady;
  // The cluster bounds the names of objects, and not those that a slice only tells.
  const pod = `Pod "${namespace}/${refName.length > MAX_REF_CHARS ? '' : refName}"`;
  const readiness: WantedCheck = {
    CheckID: `${namespace}/${id}`,
    Name: 'Kubernetes Readiness Check',
    Status: isWell ? 'passing' : 'critical',
    Notes: '',
    Output: isWell ? 'Kubernetes health checks passing' : `${pod} is not ready`,
  };
  if (!isTerminating) return [readiness];
  const leaving: WantedCheck = {
    CheckID: `${SERVICE_MAINTENANCE_PREFIX}${id}`,
    Name: 'Service Maintenance Mode',
    Status: 'critical',
    Notes: `${pod} is terminating`,
    Output: '',
  };
  return [readiness, leaving];
}

/** As consul-k8s makes its ids, so that what it registered is found again. */
function digest(text: string): string {
  return createHash('sha1').update(text).digest('hex').slice(0, 12);
}
