/** Queries of /v1/catalog. Lists of instances stand in the order of node, then service id. */
import { Rows } from '../../lib/json-bytes.ts';
import { byName } from '../../lib/key-order.ts';
import { laterFields } from '../../lib/later-fields.ts';
import type { Instance, Node } from '../../lib/model.ts';
import { hasMeta } from '../state/catalog.ts';
import { Filling, filledWith } from './central-defaults.ts';
import type { Overview, Placed } from './listed.ts';
import { orderByNode } from './order.ts';
import { type Content, keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';

export type Pairs = readonly (readonly [string, string])[];
export type Keep = (item: unknown) => boolean;
export const keepAll: Keep = () => true;

/**
 * The rows as they are shown, each made when it is written; those that are not kept are left out. `bytes`
 * is what they take where they were put together for it.
 */
export function shownRows<T>(
  rows: readonly T[],
  keep: Keep,
  show: (row: T) => unknown,
  bytes?: number,
): Rows {
  const kept = (row: T) => {
    const item = show(row);
    return keep(item) ? item : undefined;
  };
  return Rows.of(rows, kept, bytes);
}

/** Rows that are shown as they are. */
export function keptRows(rows: readonly unknown[], keep: Keep): Rows | readonly unknown[] {
  return keep === keepAll ? rows : shownRows(rows, keep, (row) => row);
}

/** What narrows a list, and how its key says so. */
export interface Narrowing {
  readonly key: string;
  readonly tags: readonly string[];
  readonly nodeMeta: Pairs;
  readonly keep: Keep;
  /** The node from which distances count; '' for none. */
  readonly near: string;
  /** Proxies are shown with what config entries say of them. */
  readonly filled?: boolean;
}

export function nodes(n: Narrowing): Query {
  return {
    key: keyOf('catalog/nodes', n.key),
    run: (reader) => {
      const list = [...reader.nodes()].filter((node) => hasMeta(node, n.nodeMeta));
      return { json: keptRows(orderByNode(reader, n.near, list), n.keep) };
    },
  };
}

/** Only names and tags: with a node-meta or a filter it depends on much more. */
export function services(n: Narrowing): Query {
  const narrow = n.nodeMeta.length > 0 || n.keep !== keepAll;
  return {
    key: keyOf('catalog/services', n.key),
    run: (reader) => ({
      json: byName(narrow ? servicesOnNodes(reader.overview(), n) : reader.serviceNames()),
    }),
  };
}

function servicesOnNodes({ nodes, instancesOn }: Overview, n: Narrowing): [string, string[]][] {
  const services = new Map<string, Set<string>>();
  for (const node of nodes) {
    if (!hasMeta(node, n.nodeMeta)) continue;
    for (const instance of instancesOn(node.Node)) {
      if (n.keep !== keepAll && !n.keep(flat(instance, node))) continue;
      const { Service, Tags } = instance;
      const tags = services.get(Service) ?? new Set();
      for (const tag of Tags) tags.add(tag);
      services.set(Service, tags);
    }
  }
  return [...services]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, tags]) => [k, [...tags].sort()]);
}

/** One entry of /v1/catalog/service: the node and the instance in one flat object. */
export function serviceInstances(service: string, n: Narrowing): Query {
  return {
    key: keyOf('catalog/service', service, n.key),
    run: (reader) => listInstances(reader, reader.instancesOf(service), n),
  };
}

export function connectInstances(service: string, n: Narrowing): Query {
  return {
    key: keyOf('catalog/connect', service, n.key),
    run: (reader) => listInstances(reader, reader.mesh.connectTo(service), n),
  };
}

/** null where it stands in front of none. */
export function gatewayServices(gateway: string): Query {
  return {
    key: keyOf('catalog/gateway-services', gateway),
    run: (reader) => {
      const { seen, isNone } = reader.mesh.servicesBehind(gateway);
      return { json: isNone ? null : seen };
    },
  };
}

/** An object of two fields, and its place in the list. */
const PAIR_BYTES = 48;

function listInstances(reader: Reader, placed: Placed, n: Narrowing): Content {
  const list = orderByNode(reader, n.near, narrowed(placed, n));
  const fill = fillingOf(reader, n);
  const pairs = list.map((instance) => ({
    instance,
    node: placed.nodeOf(instance),
    filled: fill(instance),
  }));
  const show = ({ instance, node, filled }: (typeof pairs)[number]) =>
    flat(filledWith(instance, filled), node);
  return { json: shownRows(pairs, n.keep, show, pairs.length * PAIR_BYTES) };
}

/** What each of an answer's instances is filled in with: read at once, and filled in when it is written. */
export function fillingOf(reader: Reader, n: Narrowing) {
  const filling = new Filling(reader, n.filled === true);
  return (instance: Instance) => filling.of(instance);
}

/** The instances that carry all the tags, on nodes with all of the meta. */
export function narrowed(placed: Placed, n: Narrowing): Instance[] {
  const wanted = n.tags.map((tag) => tag.toLowerCase());
  return [...placed.rows].filter(
    (i) => hasTags(i, wanted) && (n.nodeMeta.length === 0 || hasMeta(placed.nodeOf(i), n.nodeMeta)),
  );
}

function hasTags({ Tags }: Instance, wanted: readonly string[]): boolean {
  return wanted.every((tag) => Tags.some((t) => t.toLowerCase() === tag));
}

function flat(instance: Instance, node: Node | undefined) {
  return {
    ID: node?.ID ?? '',
    Node: instance.Node,
    Address: node?.Address ?? '',
    Datacenter: node?.Datacenter ?? '',
    TaggedAddresses: node?.TaggedAddresses ?? null,
    NodeMeta: node?.Meta ?? null,
    ServiceKind: instance.Kind,
    ServiceID: instance.ID,
    ServiceName: instance.Service,
    ServiceTags: instance.Tags,
    ServiceAddress: instance.Address,
    ...(hasEntries(instance.TaggedAddresses)
      ? { ServiceTaggedAddresses: instance.TaggedAddresses }
      : {}),
    ServiceWeights: instance.Weights,
    ServiceMeta: instance.Meta ?? {},
    ServicePort: instance.Port,
    ServiceEnableTagOverride: instance.EnableTagOverride,
    ServiceProxy: proxyOf(instance),
    ServiceConnect: instance.Connect,
    ...serviceLater(instance),
    CreateIndex: instance.CreateIndex,
    ModifyIndex: instance.ModifyIndex,
  };
}

function serviceLater(instance: Instance) {
  const said = Object.entries(laterFields(instance));
  return Object.fromEntries(said.map(([name, value]) => [`Service${name}`, value]));
}

function hasEntries(map: Readonly<Record<string, unknown>> | null): boolean {
  return map !== null && Object.keys(map).length > 0;
}

/** Consul shows these two even where nobody gave them. */
function proxyOf({ Proxy: proxy }: Instance) {
  return { MeshGateway: {}, Expose: {}, ...proxy };
}

/** An instance as the catalog's and the health endpoints show it, beside its node. */
export function shown(instance: Instance) {
  const { Kind, ID, Service, Tags, Address, TaggedAddresses, Meta, Port, Weights } = instance;
  return {
    ...(Kind === '' ? {} : { Kind }),
    ID,
    Service,
    Tags,
    Address,
    ...(hasEntries(TaggedAddresses) ? { TaggedAddresses } : {}),
    Meta,
    Port,
    Weights,
    EnableTagOverride: instance.EnableTagOverride,
    Proxy: proxyOf(instance),
    Connect: instance.Connect,
    ...laterFields(instance),
    CreateIndex: instance.CreateIndex,
    ModifyIndex: instance.ModifyIndex,
  };
}

/** A few endpoints show Go's nil where the others show an empty list. */
export function nilIfEmpty<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}

/** A node with its instances by id; null for a node that is not there. */
export function node(name: string, n: Narrowing): Query {
  return {
    key: keyOf('catalog/node', name, n.key),
    run: (reader) => {
      const row = reader.node(name);
      if (row === undefined) return { json: null };
      const instances = shownById(reader.instancesById(row.Node), n.keep);
      const list = instances.map((s) => [s.ID, s] as const);
      return { json: { Node: row, Services: byName(list) } };
    },
  };
}

export function nodeServices(name: string, n: Narrowing): Query {
  return {
    key: keyOf('catalog/node-services', name, n.key),
    run: (reader) => {
      const row = reader.node(name);
      if (row === undefined) return { json: { Node: null, Services: null } };
      const fill = fillingOf(reader, n);
      const instances = [...reader.instancesOn(row.Node)].map((i) => filledWith(i, fill(i)));
      return { json: { Node: row, Services: shownById(instances, n.keep) } };
    },
  };
}

function shownById(instances: Iterable<Instance>, keep: Keep) {
  return [...instances]
    .sort((a, b) => (a.ID < b.ID ? -1 : 1))
    .map(shown)
    .filter(keep);
}

/** `key:value`, as ?node-meta has it; a value may hold colons. */
export function pair(text: string): readonly [string, string] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}
