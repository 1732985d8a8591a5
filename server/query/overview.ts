/** How all services, or all nodes, stand: what a page shows of each in one line. Proconsul's own. */
import { type Aggregate, aggregateStatus } from '../../lib/aggregate-status.ts';
import type { InstanceCounts, NodeRow, ServiceRow } from '../../lib/answers.ts';
import {
  type Check,
  EXTERNAL_SOURCE,
  type Instance,
  lookUp,
  type Node,
  type StringMap,
} from '../../lib/model.ts';
import { destinationOf } from '../state/catalog.ts';
import { fold } from '../state/topic-names.ts';
import { keepAll, type Narrowing, shown } from './catalog.ts';
import type { Checked, InstanceChecks, Overview } from './listed.ts';
import { type Content, keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';
import { Reckoned } from './reckoned.ts';
import type { Remembered } from './remembered.ts';
import type { Told } from './told.ts';

/**
 * The filter chooses instances, each with its node and checks. `since` is the mark of an answer that whoever asks
 * has: he is told the rest, where that is known; '' is none.
 */
export function servicesAtAGlance(n: Narrowing, since = ''): Query {
  return {
    key: keyOf('overview/services', n.key, since),
    run: (reader) => {
      const each = n.keep === keepAll ? reader.eachService(SERVICES, serviceOf(reader)) : undefined;
      if (each === undefined) return { json: inOrder(new Map(rowsOf(chosen(reader, n)))) };
      return toldSince(
        since,
        each.told.note(rowsOf(each.values), ({ Name }) => Name),
      );
    },
  };
}

function toldSince(mark: string, told: Told): Content {
  return { json: told.since(mark) ?? told.all(), mark: told.mark };
}

function* rowsOf(
  services: ReadonlyMap<string, Service>,
): Generator<readonly [key: string, row: ServiceRow]> {
  const inMesh = new Set<string>();
  for (const { proxyFor } of services.values()) for (const name of proxyFor) inMesh.add(name);
  for (const [key, service] of services) yield [key, service.shown(inMesh.has(key))];
}

const SERVICES = new Reckoned<Service>();

function serviceOf({ remembered }: Reader) {
  const standings = new Standings(remembered);
  return (health: Checked) => {
    const service = new Service();
    for (const each of health.rows) service.add(each, standings.of(health.checksOf(each)));
    return service;
  };
}

function chosen(reader: Reader, n: Narrowing): ReadonlyMap<string, Service> {
  const services = new Map<string, Service>();
  const health = reader.health();
  const standings = new Standings(reader.remembered);
  for (const instance of health.rows) {
    const Checks = health.checksFor(instance);
    const Node = health.nodeOf(instance);
    if (n.keep !== keepAll && !n.keep({ Node, Service: shown(instance), Checks })) continue;
    const key = fold(instance.Service);
    const service = services.get(key) ?? new Service();
    services.set(key, service);
    service.add(instance, standings.of(health.checksOf(instance)));
  }
  return services;
}

/** The filter chooses nodes; `since` as of services. */
export function nodesAtAGlance(n: Narrowing, since = ''): Query {
  return {
    key: keyOf('overview/nodes', n.key, since),
    run: (reader) => {
      const standings = new Standings(reader.remembered);
      const make = (node: Node, on: Overview) => nodeOf(node, on, standings);
      const each = n.keep === keepAll ? reader.eachNode(NODES, make) : undefined;
      if (each === undefined) return { json: inOrder(chosenNodes(reader, n, make)) };
      return toldSince(
        since,
        each.told.note(each.values, ({ Node: name }) => name),
      );
    },
  };
}

const NODES = new Reckoned<NodeRow>();

function chosenNodes(
  reader: Reader,
  n: Narrowing,
  make: (node: Node, on: Overview) => NodeRow,
): ReadonlyMap<string, NodeRow> {
  const overview = reader.overview();
  const nodes = [...overview.nodes].filter((node) => n.keep === keepAll || n.keep(node));
  return new Map(nodes.map((node) => [fold(node.Node), make(node, overview)]));
}

function nodeOf(node: Node, on: Overview, standings: Standings): NodeRow {
  const { instancesOn, checksOn } = on;
  const checks = byInstance(checksOn(node.Node));
  const ofNode = checks.get('') ?? [];
  const counts = new Counts();
  for (const { ID } of instancesOn(node.Node)) {
    counts.add(standings.of({ ofNode, own: checks.get(ID) ?? [] }));
  }
  const { status, since } = standings.of({ ofNode, own: [] });
  return {
    ...ofNodeItself(node),
    Status: ofNode.length === 0 ? 'none' : status,
    ...counts.shown(),
    Since: timeOf(earlier(since, counts.since)),
  };
}

/** A node's own are under ''. */
function byInstance(checks: Iterable<Check>): ReadonlyMap<string, readonly Check[]> {
  const found = new Map<string, Check[]>();
  for (const check of checks) {
    const list = found.get(check.ServiceID);
    if (list === undefined) found.set(check.ServiceID, [check]);
    else list.push(check);
  }
  return found;
}

function ofNodeItself({ ID, Node: name, Address, Meta }: Node) {
  return { Node: name, ID, Address, Meta: Meta ?? {} };
}

interface Standing {
  readonly status: Aggregate;
  /** Since when it does not pass; 0 where it does, or nobody remembers. */
  readonly since: number;
}

const RANK: Readonly<Record<Aggregate, number>> = {
  passing: 0,
  warning: 1,
  critical: 2,
  maintenance: 3,
};

/** Reckons for a node's own checks once what they come to. */
class Standings {
  readonly #remembered: Remembered;
  #last: { readonly checks: readonly Check[]; readonly standing: Standing } | undefined;

  constructor(remembered: Remembered) {
    this.#remembered = remembered;
  }

  of({ ofNode, own }: InstanceChecks): Standing {
    if (this.#last?.checks !== ofNode) {
      this.#last = { checks: ofNode, standing: this.#reckon(ofNode) };
    }
    const { standing } = this.#last;
    if (own.length === 0) return standing;
    const itself = this.#reckon(own);
    const { status } = RANK[itself.status] > RANK[standing.status] ? itself : standing;
    return { status, since: earlier(itself.since, standing.since) };
  }

  #reckon(checks: readonly Check[]): Standing {
    const status = aggregateStatus(checks);
    if (status === 'passing') return PASSING;
    const failing = checks.filter(({ Status }) => Status !== 'passing');
    const since = failing.map((check) => this.#remembered.changedAt(check) ?? 0);
    return { status, since: since.reduce(earlier, 0) };
  }
}

const PASSING: Standing = { status: 'passing', since: 0 };

/** 0 is no time. */
function earlier(a: number, b: number): number {
  if (a === 0 || b === 0) return a + b;
  return Math.min(a, b);
}

/** How many instances stand how, and since when not all is well. */
class Counts {
  readonly #counts = { passing: 0, warning: 0, critical: 0, maintenance: 0 };
  since = 0;

  add({ status, since }: Standing): void {
    this.#counts[status]++;
    this.since = earlier(this.since, since);
  }

  shown(): InstanceCounts {
    const { passing, warning, critical, maintenance } = this.#counts;
    return { Passing: passing, Warning: warning, Critical: critical, Maintenance: maintenance };
  }
}

const NOBODY: ReadonlySet<string> = new Set();

class Service {
  readonly #tags = new Set<string>();
  readonly #sources = new Set<string>();
  readonly #counts = new Counts();
  /** The services that these are proxies of. */
  proxyFor: ReadonlySet<string> = NOBODY;
  #name = '';
  #kind = '';
  #row: ServiceRow | undefined;

  add(instance: Instance, standing: Standing): void {
    const { Service: name, Kind, Tags, Meta } = instance;
    this.#name ||= name;
    this.#kind = Kind;
    const destination = Kind === 'connect-proxy' ? destinationOf(instance) : undefined;
    if (destination !== undefined) this.proxyFor = new Set(this.proxyFor).add(fold(destination));
    for (const tag of Tags) this.#tags.add(tag);
    for (const source of sourcesOf(Meta)) this.#sources.add(source);
    this.#counts.add(standing);
  }

  /** Once all has been added; the same object for the same. */
  shown(HasProxy: boolean): ServiceRow {
    this.#row = this.#row?.HasProxy === HasProxy ? this.#row : this.#made(HasProxy);
    return this.#row;
  }

  #made(HasProxy: boolean): ServiceRow {
    return {
      Name: this.#name,
      Kind: this.#kind,
      Tags: [...this.#tags].sort(),
      Sources: [...this.#sources].sort(),
      HasProxy,
      ...this.#counts.shown(),
      Since: timeOf(this.#counts.since),
    };
  }
}

/** Who registered it, where that was no agent's configuration: a container watcher, a cluster, Eureka. */
const SOURCE_KEYS = [EXTERNAL_SOURCE, 'proconsul-source'];

function sourcesOf(meta: StringMap | null): string[] {
  return SOURCE_KEYS.flatMap((key) => lookUp(meta, key) ?? []);
}

function timeOf(ms: number): string | null {
  return ms === 0 ? null : new Date(ms).toISOString();
}

function inOrder<T>(rows: ReadonlyMap<string, T>): T[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}
