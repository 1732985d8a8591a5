/** Queries of /v1/internal/ui. They show empty lists and maps as Go's nil: null. */
import { type Check, type Instance, lookUp, type Node } from '../../lib/model.ts';
import { destinationOf } from '../state/catalog.ts';
import { fold } from '../state/topic-names.ts';
import { type Narrowing, nilIfEmpty, shown } from './catalog.ts';
import { orderByNode } from './order.ts';
import { keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';

export function nodesInFull(n: Narrowing): Query {
  return {
    key: keyOf('ui/nodes', n.key),
    run: (reader) => {
      const overview = reader.overview();
      const nodes = orderByNode(reader, n.near, [...overview.nodes]);
      return { json: nodes.map((node) => inFull(overview, node)).filter(n.keep) };
    },
  };
}

export function nodeInFull(name: string): Query {
  return {
    key: keyOf('ui/node', name),
    run: (reader) => {
      const node = reader.node(name);
      reader.checksOn(name);
      return node === undefined ? { status: 404 } : { json: inFull(reader, node) };
    },
  };
}

/** One node, or the whole catalog. */
type OnNodes = Pick<Reader, 'instancesOn' | 'checksOn'>;

function inFull(from: OnNodes, { ID, Node, Address, TaggedAddresses, Meta }: Node) {
  const instances = [...from.instancesOn(Node)].sort(byId);
  const checks = [...from.checksOn(Node)].sort(byId);
  return {
    ID,
    Node,
    Address,
    TaggedAddresses,
    Meta,
    Services: nilIfEmpty(instances.map((i) => ({ ...shown(i), Tags: nilIfEmpty(i.Tags) }))),
    Checks: nilIfEmpty(checks.map((c) => ({ ...c, ServiceTags: nilIfEmpty(c.ServiceTags) }))),
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
        const entry = {
          Node: health.nodeOf(instance),
          Service: shown(instance),
          Checks,
        };
        if (n.keep(entry)) add(summaries, instance, Checks);
      }
      const sorted = [...summaries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      return { json: sorted.map(summary) };
    },
  };
}

interface Summary {
  readonly name: string;
  kind: string;
  instances: number;
  readonly tags: Set<string>;
  readonly nodes: Set<string>;
  readonly sources: Set<string>;
  readonly proxyFor: Set<string>;
  /** Each check once: a node's counts for all instances on it. */
  readonly checks: Map<string, Check>;
}

function add(summaries: Map<string, Summary>, instance: Instance, checks: readonly Check[]): void {
  const key = fold(instance.Service);
  const found = summaries.get(key) ?? empty(instance.Service);
  summaries.set(key, found);
  found.kind = instance.Kind;
  found.instances++;
  for (const tag of instance.Tags) found.tags.add(tag);
  found.nodes.add(instance.Node);
  const source = lookUp(instance.Meta, 'external-source');
  if (source !== undefined) found.sources.add(source);
  const destination = instance.Kind === 'connect-proxy' ? destinationOf(instance) : undefined;
  if (destination !== undefined) found.proxyFor.add(destination);
  for (const check of checks) found.checks.set(`${check.Node}\0${check.CheckID}`, check);
}

function empty(name: string): Summary {
  return {
    name,
    kind: '',
    instances: 0,
    tags: new Set(),
    nodes: new Set(),
    sources: new Set(),
    proxyFor: new Set(),
    checks: new Map(),
  };
}

function summary(s: Summary) {
  const count = (status: string) =>
    [...s.checks.values()].filter(({ Status }) => Status === status).length;
  return {
    ...(s.kind === '' ? {} : { Kind: s.kind }),
    Name: s.name,
    Tags: nilIfEmpty([...s.tags].sort()),
    Nodes: [...s.nodes].sort(),
    InstanceCount: s.instances,
    ...(s.proxyFor.size === 0 ? {} : { ProxyFor: [...s.proxyFor].sort() }),
    ChecksPassing: count('passing'),
    ChecksWarning: count('warning'),
    ChecksCritical: count('critical'),
    ExternalSources: nilIfEmpty([...s.sources].sort()),
    GatewayConfig: {},
  };
}
