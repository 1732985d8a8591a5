/** The objects of a made-up cluster, as its API server keeps them: versions, events, and what is refused. */
import { isIPv4, isIPv6 } from 'node:net';

export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: Meta;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

interface Meta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly { readonly uid: string }[];
  readonly finalizers?: readonly string[];
  readonly deletionTimestamp?: string;
  readonly [field: string]: unknown;
}

/** An answer that is no object: `code` is the HTTP status too. */
export class Refused extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

export interface Resource {
  readonly group: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
}

export const RESOURCES: Readonly<Record<string, Resource>> = {
  services: { group: 'v1', kind: 'Service', isNamespaced: true },
  pods: { group: 'v1', kind: 'Pod', isNamespaced: true },
  configmaps: { group: 'v1', kind: 'ConfigMap', isNamespaced: true },
  nodes: { group: 'v1', kind: 'Node', isNamespaced: false },
  endpointslices: { group: 'discovery.k8s.io/v1', kind: 'EndpointSlice', isNamespaced: true },
};

export interface Event {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly version: number;
  readonly object: KubeObject;
  readonly before?: KubeObject | undefined;
}

/** All objects of one cluster: one count of versions for all, as etcd has it. */
export class Objects {
  version = 1000;
  /** What happened up to here is forgotten. */
  compacted = 1000;
  readonly #rows = new Map<string, Map<string, KubeObject>>();
  readonly #events = new Map<string, Event[]>();
  readonly listeners = new Set<(resource: string, event: Event) => void>();
  #uids = 0;

  list(resource: string): readonly KubeObject[] {
    const rows = this.#rows.get(resource) ?? new Map<string, KubeObject>();
    return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  get(resource: string, namespace: string, name: string): KubeObject | undefined {
    return this.#rows.get(resource)?.get(`${namespace}/${name}`);
  }

  since(resource: string, version: number): readonly Event[] {
    return (this.#events.get(resource) ?? []).filter((event) => event.version > version);
  }

  /** As after a compaction of etcd, or a start of the API server: an older version is too old. */
  compact(): void {
    this.compacted = this.version;
    this.#events.clear();
  }

  create(resource: string, given: KubeObject): KubeObject {
    const { name, namespace = '' } = given.metadata;
    if (this.get(resource, namespace, name) !== undefined) {
      throw new Refused(409, 'AlreadyExists', `${resource} "${name}" already exists`);
    }
    const object = this.#stamped(resource, given, { uid: `uid-${++this.#uids}` });
    refuseFaults(resource, object, undefined);
    return this.#put(resource, 'ADDED', object, undefined);
  }

  replace(resource: string, given: KubeObject): KubeObject {
    const { name, namespace = '', resourceVersion } = given.metadata;
    const before = this.get(resource, namespace, name);
    if (before === undefined) throw notFound(resource, name);
    if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion) {
      const why = 'the object has been modified; please apply your changes to the latest version';
      throw new Refused(409, 'Conflict', `Operation cannot be fulfilled on "${name}": ${why}`);
    }
    const object = this.#stamped(resource, given, { uid: before.metadata.uid });
    refuseFaults(resource, object, before);
    // What changes nothing is not written: the version stays.
    if (said(object) === said(before)) return before;
    const put = this.#put(resource, 'MODIFIED', object, before);
    const { finalizers = [], deletionTimestamp } = put.metadata;
    if (deletionTimestamp === undefined || finalizers.length > 0) return put;
    return this.delete(resource, namespace, name);
  }

  /** Creates or replaces, whatever is there. */
  set(resource: string, object: KubeObject): KubeObject {
    const { name, namespace = '' } = object.metadata;
    const { resourceVersion: _, ...metadata } = object.metadata;
    const isThere = this.get(resource, namespace, name) !== undefined;
    return isThere
      ? this.replace(resource, { ...object, metadata })
      : this.create(resource, object);
  }

  /** With finalizers it is only said to be on its way out, once, and goes with the last of them. */
  delete(resource: string, namespace: string, name: string): KubeObject {
    const object = this.get(resource, namespace, name);
    if (object === undefined) throw notFound(resource, name);
    const { finalizers = [], deletionTimestamp } = object.metadata;
    if (finalizers.length > 0) {
      if (deletionTimestamp !== undefined) return object;
      const metadata = { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
      return this.#put(resource, 'MODIFIED', { ...object, metadata }, object);
    }
    this.version++;
    const metadata = { ...object.metadata, resourceVersion: String(this.version) };
    const gone = { ...object, metadata };
    this.#rows.get(resource)?.delete(`${namespace}/${name}`);
    this.#tell(resource, { type: 'DELETED', version: this.version, object: gone, before: object });
    this.#collect(object.metadata.uid ?? '');
    return gone;
  }

  /** What an object owned goes with it. */
  #collect(uid: string): void {
    for (const [resource, rows] of this.#rows) {
      for (const { metadata } of [...rows.values()]) {
        if (metadata.ownerReferences?.some((owner) => owner.uid === uid) !== true) continue;
        this.delete(resource, metadata.namespace ?? '', metadata.name);
      }
    }
  }

  #stamped(resource: string, given: KubeObject, { uid }: { uid: string | undefined }): KubeObject {
    const { group, kind } = RESOURCES[resource] as Resource;
    const { resourceVersion: _, ...metadata } = given.metadata;
    const spec = resource === 'services' ? { spec: defaultSpec(given) } : {};
    return {
      ...given,
      ...spec,
      apiVersion: group,
      kind,
      metadata: { ...metadata, ...(uid !== undefined && { uid }) },
    };
  }

  #put(
    resource: string,
    type: 'ADDED' | 'MODIFIED',
    given: KubeObject,
    before: KubeObject | undefined,
  ): KubeObject {
    this.version++;
    const metadata = { ...given.metadata, resourceVersion: String(this.version) };
    const object = { ...given, metadata };
    const rows = this.#rows.get(resource) ?? new Map<string, KubeObject>();
    rows.set(`${metadata.namespace ?? ''}/${metadata.name}`, object);
    this.#rows.set(resource, rows);
    this.#tell(resource, { type, version: this.version, object, before });
    return object;
  }

  #tell(resource: string, event: Event): void {
    const events = this.#events.get(resource) ?? [];
    events.push(event);
    this.#events.set(resource, events);
    for (const listener of this.listeners) listener(resource, event);
  }
}

function notFound(resource: string, name: string): Refused {
  return new Refused(404, 'NotFound', `${resource} "${name}" not found`);
}

/** All but the version. */
function said(object: KubeObject): string {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return JSON.stringify(sorted({ ...object, metadata }));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}

function defaultSpec({ spec = {} }: KubeObject) {
  const ports = (spec['ports'] ?? []) as readonly Readonly<Record<string, unknown>>[];
  return {
    type: 'ClusterIP',
    sessionAffinity: 'None',
    ...spec,
    ...(ports.length > 0 && {
      ports: ports.map((each) => ({ protocol: 'TCP', targetPort: each['port'], ...each })),
    }),
  };
}

const LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const DATA_KEY = /^(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}$/;
const MAX_DATA = 1024 * 1024;

function refuseFaults(resource: string, object: KubeObject, before: KubeObject | undefined): void {
  const fault = faultOf(resource, object, before);
  if (fault === undefined) return;
  const { kind } = RESOURCES[resource] as Resource;
  const message = `${kind} "${object.metadata.name}" is invalid: ${fault}`;
  throw new Refused(422, 'Invalid', message);
}

function faultOf(resource: string, object: KubeObject, before: KubeObject | undefined) {
  const { name } = object.metadata;
  const names = resource === 'services' ? LABEL : SUBDOMAIN;
  if (!names.test(name)) return `metadata.name: Invalid value: "${name}"`;
  for (const [key, value] of Object.entries(object.metadata.labels ?? {})) {
    if (!/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(value)) {
      return `metadata.labels: Invalid value: "${value}" of ${key}`;
    }
  }
  if (resource === 'services') return serviceFault(object, before);
  if (resource === 'endpointslices') return sliceFault(object, before);
  if (resource === 'configmaps') return mapFault(object);
  return undefined;
}

function serviceFault({ spec = {} }: KubeObject, before: KubeObject | undefined) {
  const ports = (spec['ports'] ?? []) as readonly { name?: string; port?: number }[];
  const isBare = spec['clusterIP'] === 'None' || spec['type'] === 'ExternalName';
  if (ports.length === 0 && !isBare) return 'spec.ports: Required value';
  if (ports.length > 1 && ports.some(({ name = '' }) => name === '')) {
    return 'spec.ports.name: Required value';
  }
  if (ports.some(({ port = 0 }) => port < 1 || port > 65_535)) {
    return 'spec.ports.port: must be between 1 and 65535, inclusive';
  }
  if (spec['type'] === 'ExternalName' && typeof spec['externalName'] !== 'string') {
    return 'spec.externalName: Required value';
  }
  const was = before?.spec?.['clusterIP'];
  if (was !== undefined && spec['type'] !== 'ExternalName' && was !== spec['clusterIP']) {
    return 'spec.clusterIP: Invalid value: field is immutable';
  }
  return undefined;
}

function sliceFault(object: KubeObject, before: KubeObject | undefined) {
  const family = object['addressType'];
  const endpoints = (object['endpoints'] ?? []) as readonly { addresses?: readonly string[] }[];
  if (family !== 'IPv4' && family !== 'IPv6' && family !== 'FQDN') return 'addressType: Required';
  if (before !== undefined && before['addressType'] !== family) {
    return 'addressType: field is immutable';
  }
  if (endpoints.length > 1000) return 'endpoints: Too many: must have at most 1000 items';
  const isOf = family === 'IPv6' ? isIPv6 : isIPv4;
  const all = endpoints.flatMap(({ addresses = [] }) => addresses);
  if (endpoints.some(({ addresses = [] }) => addresses.length === 0)) {
    return 'endpoints[].addresses: Required value';
  }
  const wrong = family === 'FQDN' ? undefined : all.find((each) => !isOf(each));
  return wrong && `endpoints[].addresses: Invalid value: "${wrong}"`;
}

function mapFault(object: KubeObject) {
  const [texts, binaries] = [object['data'], object['binaryData']].map(
    (each) => (each ?? {}) as Readonly<Record<string, string>>,
  );
  const names = [...Object.keys(texts ?? {}), ...Object.keys(binaries ?? {})];
  const wrong = names.find((name, i) => !DATA_KEY.test(name) || names.indexOf(name) !== i);
  if (wrong !== undefined) return `data[${wrong}]: Invalid value`;
  const sizes = [
    ...Object.values(texts ?? {}).map((text) => Buffer.byteLength(text)),
    ...Object.values(binaries ?? {}).map((text) => Buffer.byteLength(text, 'base64')),
  ];
  const size = sizes.reduce((sum, each) => sum + each, 0);
  return size > MAX_DATA ? 'data: Too long: may not be more than 1048576 bytes' : undefined;
}
