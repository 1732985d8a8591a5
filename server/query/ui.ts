/** Queries of /v1/internal/ui. They show empty lists and maps as Go's nil: null. */
import { localityOf } from '../../lib/later-fields.ts';
import { type Check, EXTERNAL_SOURCE, type Instance, lookUp, type Node } from '../../lib/model.ts';
import type { GatewayService } from '../chain/gateways.ts';
import { destinationOf } from '../state/catalog.ts';
import { fold } from '../state/topic-names.ts';
import { keepAll, type Narrowing, nilIfEmpty, shown, shownRows } from './catalog.ts';
import { orderByNode } from './order.ts';
import { keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';

export function nodesInFull(n: Narrowing): Query {
  return {
    key: keyOf('ui/nodes', n.key),
    run: (reader) => {
      const overview = reader.overview();
      const nodes = orderByNode(reader, n.near, [...overview.nodes]);
      const all = nodes.map((node) => withRows(overview, node));
      return { json: shownRows(all, n.keep, inFull) };
    },
  };
}

export function nodeInFull(name: string): Query {
  return {
    key: keyOf('ui/node', name),
    run: (reader) => {
      const node = reader.node(name);
      reader.checksOn(name);
      return node === undefined ? { status: 404 } : { json: inFull(withRows(reader, node)) };
    },
  };
}

/** One node, or the whole catalog. */
type OnNodes = Pick<Reader, 'instancesOn' | 'checksOn'>;

interface NodeRows {
  readonly node: Node;
  readonly instances: Instance[];
  readonly checks: Check[];
}

function withRows(from: OnNodes, node: Node): NodeRows {
  const { Node: name } = node;
  return { node, instances: [...from.instancesOn(name)], checks: [...from.checksOn(name)] };
}

function inFull({ node, instances, checks }: NodeRows) {
  const { ID, Node: name, Address, TaggedAddresses, Meta } = node;
  return {
    ID,
    Node: name,
    Address,
    TaggedAddresses,
    Meta,
    ...localityOf(node),
    Services: nilIfEmpty(
      instances.sort(byId).map((i) => ({ ...shown(i), Tags: nilIfEmpty(i.Tags) })),
    ),
    Checks: nilIfEmpty(
      checks.sort(byId).map((c) => ({ ...c, ServiceTags: nilIfEmpty(c.ServiceTags) })),
    ),
  };
}

function byId(a: { ID?: string; CheckID?: string }, b: { ID?: string; CheckID?: string }): number {
  return (a.ID ?? a.CheckID ?? '') < (b.ID ?? b.CheckID ?? '') ? -1 : 1;
}

/** The filter chooses instances, each with its node and checks; what is left is summed up. */
export function serviceSummaries(n: Narrowing): Query {
  return {
    key: keyOf('ui/services', n.key),
    run: (reader) => {
      const summaries = new Map<string, Summary>();
      const health = reader.health();
      for (const instance of orderByNode(reader, '', [...health.rows])) {
        const Checks = health.checksFor(instance);
        const isKept =
          n.keep === keepAll ||
          n.keep({ Node: health.nodeOf(instance), Service: shown(instance), Checks });
        if (isKept) add(summaries, instance, Checks);
      }
      const sorted = [...summaries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      return { json: sorted.map(summary) };
    },
  };
}

/** Of more services than so many, one topic that stands for all is waited on. */
const MAX_APART = 64;

/** The services that a gateway stands in front of, summed up, and where it listens for them. */
export function servicesOfGateway(gateway: string, nameOf: (service: string) => string): Query {
  return {
    key: keyOf('ui/gateway-services', gateway),
    run: (reader) => {
      const { seen: behind } = reader.mesh.servicesBehind(gateway);
      const names = new Map(behind.map(({ Service: { Name } }) => [fold(Name), Name]));
      const summaries = new Map([...names].map(([key, name]) => [key, empty(name)]));
      const all =
        names.size > MAX_APART
          ? [reader.health()]
          : [...names.keys()].map((name) => reader.healthOf(name));
      for (const health of all) {
        const rows = [...health.rows].filter(({ Service }) => names.has(fold(Service)));
        for (const each of orderByNode(reader, '', rows))
          add(summaries, each, health.checksFor(each));
      }
      for (const each of behind) {
        summaries.get(fold(each.Service.Name))?.addresses.push(...addressesOf(each, nameOf));
      }
      return { json: [...summaries.values()].map(summary) };
    },
  };
}

/** Where calls to the service come in; a terminating gateway listens for none. */
function addressesOf(behind: GatewayService, nameOf: (service: string) => string): string[] {
  if (behind.GatewayKind !== 'ingress-gateway') return [];
  const hosts = behind.Hosts ?? [nameOf(behind.Service.Name)];
  return hosts.map((host) => `${host}:${behind.Port ?? 0}`);
}

interface Summary {
  readonly name: string;
  kind: string;
  instances: number;
  readonly tags: Set<string>;
  /** One for each instance, as in Consul. */
  readonly nodes: string[];
  readonly sources: Set<string>;
  readonly proxyFor: Set<string>;
  /** Each row once: a node's checks count for all instances on it. */
  readonly checks: Set<Check>;
  readonly addresses: string[];
}

function add(summaries: Map<string, Summary>, instance: Instance, checks: readonly Check[]): void {
  const key = fold(instance.Service);
  const found = summaries.get(key) ?? empty(instance.Service);
  summaries.set(key, found);
  found.kind = instance.Kind;
  found.instances++;
  for (const tag of instance.Tags) found.tags.add(tag);
  found.nodes.push(instance.Node);
  const source = lookUp(instance.Meta, EXTERNAL_SOURCE);
  if (source !== undefined) found.sources.add(source);
  const destination = instance.Kind === 'connect-proxy' ? destinationOf(instance) : undefined;
  if (destination !== undefined) found.proxyFor.add(destination);
  for (const check of checks) found.checks.add(check);
}

function empty(name: string): Summary {
  return {
    name,
    kind: '',
    instances: 0,
    tags: new Set(),
    nodes: [],
    sources: new Set(),
    proxyFor: new Set(),
    checks: new Set(),
    addresses: [],
  };
}

function summary(s: Summary) {
  const counts: Record<string, number> = { passing: 0, warning: 0, critical: 0 };
  for (const { Status } of s.checks) counts[Status] = (counts[Status] ?? 0) + 1;
  return {
    ...(s.kind === '' ? {} : { Kind: s.kind }),
    Name: s.name,
    Tags: nilIfEmpty([...s.tags].sort()),
    Nodes: nilIfEmpty([...s.nodes].sort()),
    InstanceCount: s.instances,
    ...(s.proxyFor.size === 0 ? {} : { ProxyFor: [...s.proxyFor].sort() }),
    ChecksPassing: counts['passing'],
    ChecksWarning: counts['warning'],
    ChecksCritical: counts['critical'],
    ExternalSources: nilIfEmpty([...s.sources].sort()),
    GatewayConfig: s.addresses.length === 0 ? {} : { Addresses: s.addresses },
  };
}
