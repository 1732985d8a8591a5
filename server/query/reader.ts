/**
 * The state as a query sees it: every look hands out rows and remembers by which topics they change,
 * so that no query can forget one. A new reader for each evaluation.
 */
import type {
  Check,
  Coordinate,
  Instance,
  KeyValue,
  Node,
  NodeCoordinate,
  PreparedQuery,
  Session,
  UserEvent,
} from '../../lib/model.ts';
import type { Catalog } from '../state/catalog.ts';
import { coordinateKey } from '../state/coordinates.ts';
import type { State } from '../state/state.ts';
import {
  CATALOG,
  COORDINATES,
  connectTopic,
  EVENTS,
  healthTopic,
  instancesTopic,
  keyTopic,
  NODES,
  nodeChecksTopic,
  nodeCoordinatesTopic,
  nodeSessionsTopic,
  nodeTopic,
  QUERIES,
  queryTopic,
  SERVICES,
  SESSIONS,
  serviceChecksTopic,
  sessionTopic,
  statusTopic,
  treeTopic,
} from '../state/topic-names.ts';

/** Whoever orders by the coordinates of more nodes hears of every node's. */
const MAX_NODES_BY_NAME = 64;

/** What a query has read. */
export interface Reads {
  /** A touch of one changes the answer and its index. */
  readonly topics: readonly string[];
  /** A touch of one changes the order of the answer at most, which wakes nobody: as in Consul. */
  readonly orders: readonly string[];
  /** When what was read last changed. */
  readonly index: number;
}

/** Instances, and what may be shown with them. */
export interface Placed {
  readonly rows: Iterable<Instance>;
  nodeOf(instance: Instance): Node | undefined;
}

export interface Checked extends Placed {
  /** The checks that count for it: those of its node, then its own. */
  checksFor(instance: Instance): Check[];
}

export class Reader implements Reads {
  readonly #state: State;
  readonly topics: string[] = [];
  #orders: Set<string> | undefined;
  #index = 1;

  constructor(state: State) {
    this.#state = state;
  }

  get orders(): readonly string[] {
    return this.#orders === undefined ? [] : [...this.#orders];
  }

  get index(): number {
    return this.#index;
  }

  /** The whole catalog, for whoever reads more of it than one of the others gives. */
  catalog(): Catalog {
    return this.catalogAt().catalog;
  }

  /** The same, and when anything in it last changed. */
  catalogAt(): { readonly catalog: Catalog; readonly index: number } {
    this.#note(CATALOG);
    const { catalog, topics } = this.#state;
    return { catalog, index: topics.indexOf(CATALOG) };
  }

  nodes(): Iterable<Node> {
    this.#note(NODES);
    return this.#state.catalog.nodes.values();
  }

  /** One node out of all of them: for lists that are chosen by what their nodes say. */
  nodeOfMany(name: string): Node | undefined {
    this.#note(NODES);
    return this.#state.catalog.node(name);
  }

  node(name: string): Node | undefined {
    this.#note(nodeTopic(name));
    return this.#state.catalog.node(name);
  }

  instancesOn(node: string): Iterable<Instance> {
    this.#note(nodeTopic(node));
    return this.#state.catalog.instancesOn(node);
  }

  checksOn(node: string): Iterable<Check> {
    this.#note(nodeChecksTopic(node));
    return this.#state.catalog.checksOn(node);
  }

  serviceNames(): Iterable<[name: string, tags: string[]]> {
    this.#note(SERVICES);
    return this.#state.catalog.serviceNames.entries();
  }

  instancesOf(service: string): Placed {
    this.#note(instancesTopic(service));
    return new Listed(this.#state.catalog, this.#state.catalog.instancesOf(service));
  }

  healthOf(service: string): Checked {
    this.#note(healthTopic(service));
    return new Listed(this.#state.catalog, this.#state.catalog.instancesOf(service));
  }

  /** Sidecars in front of the service, and its own instances that are connect-native. */
  connectTo(service: string): Checked {
    this.#note(connectTopic(service));
    return new Listed(this.#state.catalog, this.#state.catalog.connectTo(service));
  }

  /** All instances that there are. */
  health(): Checked {
    const catalog = this.catalog();
    return new Listed(catalog, catalog.instances.values());
  }

  checksOfService(service: string): Iterable<Check> {
    this.#note(serviceChecksTopic(service));
    return this.#state.catalog.checksOfService(service);
  }

  /** 'any' is all of them. */
  checksIn(status: string): Iterable<Check> {
    this.#note(statusTopic(status));
    const { catalog } = this.#state;
    return status === 'any' ? catalog.checks.values() : catalog.checksInStatus(status);
  }

  /** Where a node stands, for the order of an answer alone. */
  placeOf(node: string): Coordinate | undefined {
    this.#noteOrder(node);
    return this.#state.coordinates.get(coordinateKey(node, ''))?.Coord;
  }

  coordinates(): Iterable<NodeCoordinate> {
    this.#note(COORDINATES);
    return this.#state.coordinates.values();
  }

  coordinatesOf(node: string): Iterable<NodeCoordinate> {
    this.#note(nodeCoordinatesTopic(node));
    return this.#state.coordinates.on(node);
  }

  /** A key's index is its own; one that is not there follows the folder around it. */
  key(key: string): KeyValue | undefined {
    const { kv } = this.#state;
    const row = kv.get(key);
    if (row === undefined) this.#noteAround(key, kv.indexOf(key));
    else this.#noteAt(keyTopic(key), row.ModifyIndex);
    return row;
  }

  /** In order of keys. Where there are none, and were none lately, it follows the folder around. */
  keysUnder(prefix: string): KeyValue[] {
    const { kv } = this.#state;
    const rows = [...kv.under(prefix)];
    const index = kv.indexUnder(prefix);
    if (rows.length > 0 || kv.isBuried(prefix)) this.#noteAt(treeTopic(prefix), index);
    else this.#noteAround(prefix, index);
    return rows;
  }

  session(id: string): Session | undefined {
    this.#note(sessionTopic(id));
    return this.#state.sessions.get(id);
  }

  sessions(): Iterable<Session> {
    this.#note(SESSIONS);
    return this.#state.sessions.table.values();
  }

  sessionsOn(node: string): Iterable<Session> {
    this.#note(nodeSessionsTopic(node));
    return this.#state.sessions.on(node);
  }

  preparedQuery(id: string): PreparedQuery | undefined {
    this.#note(queryTopic(id));
    return this.#state.queries.get(id);
  }

  preparedQueries(): Iterable<PreparedQuery> {
    this.#note(QUERIES);
    return this.#state.queries.table.values();
  }

  /** Which prepared query an id or a name means. */
  resolveQuery(idOrName: string): PreparedQuery | undefined {
    this.#note(QUERIES);
    return this.#state.queries.resolve(idOrName);
  }

  /** The newest last. */
  events(): readonly UserEvent[] {
    this.#note(EVENTS);
    return this.#state.events;
  }

  #note(topic: string): void {
    this.#noteAt(topic, this.#state.topics.indexOf(topic));
  }

  #noteAt(topic: string, index: number): void {
    if (!this.topics.includes(topic)) this.topics.push(topic);
    if (index > this.#index) this.#index = index;
  }

  #noteAround(name: string, own: number): void {
    const { folder, index } = this.#state.kv.folderAround(name);
    this.#noteAt(treeTopic(folder), Math.max(own, index));
  }

  #noteOrder(node: string): void {
    this.#orders ??= new Set();
    if (this.#orders.has(COORDINATES)) return;
    this.#orders.add(nodeCoordinatesTopic(node));
    if (this.#orders.size > MAX_NODES_BY_NAME) this.#orders = new Set([COORDINATES]);
  }
}

class Listed implements Checked {
  readonly #catalog: Catalog;
  readonly rows: Iterable<Instance>;

  constructor(catalog: Catalog, rows: Iterable<Instance>) {
    this.#catalog = catalog;
    this.rows = rows;
  }

  nodeOf({ Node: node }: Instance): Node | undefined {
    return this.#catalog.node(node);
  }

  checksFor({ Node: node, ID }: Instance): Check[] {
    const own = sorted(this.#catalog.checksOf(node, ID));
    return [...sorted(this.#catalog.checksOf(node, '')), ...own];
  }
}

function sorted(checks: Iterable<Check>): Check[] {
  return [...checks].sort((a, b) => (a.CheckID < b.CheckID ? -1 : 1));
}
