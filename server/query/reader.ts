/**
 * The state as a query sees it: every look hands out the rows that whoever asks may see, and remembers
 * by which topics they change, so that no query can forget either. A new reader for each evaluation.
 */
import { permissionDenied } from '../../lib/acl/refusals.ts';
import type { Rights } from '../../lib/acl/rights.ts';
import type {
  Check,
  Coordinate,
  Instance,
  Node,
  NodeCoordinate,
  PreparedQuery,
  Session,
  UserEvent,
} from '../../lib/model.ts';
import type { Acl } from '../state/acl.ts';
import type { Authority } from '../state/authority.ts';
import type { Catalog } from '../state/catalog.ts';
import { coordinateKey } from '../state/coordinates.ts';
import type { State } from '../state/state.ts';
import {
  type AclTopic,
  CA,
  CATALOG,
  COORDINATES,
  EVENTS,
  FLOOR,
  healthTopic,
  instancesTopic,
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
  virtualTopic,
} from '../state/topic-names.ts';
import { ownersAt } from './address-owners.ts';
import { ConfigReader } from './config-reader.ts';
import { EurekaReader } from './eureka-reader.ts';
import { KeyReader } from './key-reader.ts';
import { type Checked, Listed, type Overview, type Placed } from './listed.ts';
import { MeshReader } from './mesh-reader.ts';
import type { Each, Reckoned } from './reckoned.ts';
import { Remembered } from './remembered.ts';
import { Sight } from './sight.ts';

/** Whoever orders by the coordinates of more nodes hears of every node's. */
const MAX_NODES_BY_NAME = 64;

/** What a query has read. */
export interface Reads {
  /** A touch of one changes the answer and its index. */
  readonly topics: readonly string[];
  /** A touch of one changes the order of the answer, or its index, at most, which wakes nobody: as in Consul. */
  readonly orders: readonly string[];
  /** When what was read last changed. */
  readonly index: number;
}

export class Reader implements Reads {
  readonly #state: State;
  readonly #sight: Sight;
  /** A set: an answer may be of tens of thousands. */
  readonly #topics = new Set<string>();
  #orders: Set<string> | undefined;
  #standsOnFloor = false;
  #index = 1;

  constructor(state: State, rights: Rights) {
    this.#state = state;
    this.#sight = new Sight(rights);
  }

  get topics(): readonly string[] {
    return [...this.#topics];
  }

  get orders(): readonly string[] {
    const orders = this.#orders === undefined ? [] : [...this.#orders];
    return this.#standsOnFloor ? [...orders, FLOOR] : orders;
  }

  get index(): number {
    return this.#index;
  }

  /** Whether something was kept back that others may see, as far as whoever asks may know. */
  get hasHidden(): boolean {
    return this.#sight.hasHidden;
  }

  /** The whole catalog, for whoever reads more of it than one of the others gives. */
  overview(): Overview {
    this.#note(CATALOG);
    const sight = this.#sight;
    const { catalog } = this.#state;
    return {
      nodes: sight.of(catalog.nodes.values(), sight.node),
      instancesOn: (node) => sight.of(catalog.instancesOn(node), sight.instance),
      checksOn: (node) => sight.of(catalog.checksOn(node), sight.check),
    };
  }

  /** Who has an address: nodes, then instances. */
  ownersOf(ip: string): { readonly node?: Node; readonly instance?: Instance } {
    this.#note(CATALOG);
    const { catalog, topics } = this.#state;
    const { nodes, instances } = ownersAt(catalog, topics.indexOf(CATALOG), ip);
    const node = nodes.find(this.#sight.node);
    const instance = instances.find(this.#sight.instance);
    return { ...(node && { node }), ...(instance && { instance }) };
  }

  nodes(): Iterable<Node> {
    this.#note(NODES);
    return this.#sight.of(this.#state.catalog.nodes.values(), this.#sight.node);
  }

  /** One node out of all of them: for lists that are chosen by what their nodes say. */
  nodeOfMany(name: string): Node | undefined {
    this.#note(NODES);
    return this.#nodeSeen(name);
  }

  node(name: string): Node | undefined {
    this.#note(nodeTopic(name), this.#seesNode(name));
    return this.#nodeSeen(name);
  }

  instancesOn(node: string): Iterable<Instance> {
    this.#note(nodeTopic(node), this.#seesNode(node));
    return this.#sight.of(this.#state.catalog.instancesOn(node), this.#sight.instance);
  }

  /** As Consul 1.8, which here takes an id for a name: seen is what may be seen under both. */
  instancesById(node: string): Iterable<Instance> {
    const seen = this.instancesOn(node);
    return this.#sight.of(seen, ({ ID }) => this.#sight.serviceNamed(ID));
  }

  /** Whoever is told whether a node is meant is told nothing of what is on it. */
  instancesThatTell(node: string): Iterable<Instance> {
    this.#note(nodeTopic(node));
    return this.#state.catalog.instancesOn(node);
  }

  checksOn(node: string): Iterable<Check> {
    this.#note(nodeChecksTopic(node), this.#seesNode(node));
    return this.#sight.of(this.#state.catalog.checksOn(node), this.#sight.check);
  }

  serviceNames(): Iterable<[name: string, tags: string[]]> {
    this.#note(SERVICES);
    const names = this.#state.catalog.serviceNames.entries();
    return this.#sight.of(names, ([name]) => this.#sight.serviceNamed(name));
  }

  instancesOf(service: string): Placed {
    return this.#listed(instancesTopic(service), service, (catalog) =>
      catalog.instancesOf(service),
    );
  }

  healthOf(service: string): Checked {
    return this.#listed(healthTopic(service), service, (catalog) => catalog.instancesOf(service));
  }

  /** Who speaks for services in the mesh, and what gateways stand in front of. */
  get mesh(): MeshReader {
    return new MeshReader(this.#state, this.#sight, (...read) => this.#noteOf(...read));
  }

  /** The address that a service of the mesh has of its own; undefined for one that may not be seen. */
  virtualAddressOf(service: string): string | undefined {
    const isSeen = this.#note(virtualTopic(service), this.#sight.serviceNamed(service));
    return isSeen ? this.#state.virtual.of(service) : undefined;
  }

  /** All instances that there are. */
  health(): Checked {
    this.#note(CATALOG);
    const { catalog } = this.#state;
    return new Listed(catalog, this.#sight.of(catalog.instances.values(), this.#sight.instance));
  }

  /** What each service's instances come to; undefined for whoever may not see all of them. */
  eachService<T>(reckoned: Reckoned<T>, make: (health: Checked) => T): Each<T> | undefined {
    if (!this.#sight.wholeCatalog) return undefined;
    this.#note(CATALOG);
    const { catalog, topics } = this.#state;
    return reckoned.of(catalog, {
      names: catalog.serviceNames.names(),
      topicsOf: (name) => [healthTopic(name)],
      indexOf: (topic) => topics.indexOf(topic),
      make: (name) => make(new Listed(catalog, catalog.instancesOf(name))),
    });
  }

  /** What each node comes to, with what is on it; undefined for whoever may not see all of them. */
  eachNode<T>(reckoned: Reckoned<T>, make: (node: Node, on: Overview) => T): Each<T> | undefined {
    if (!this.#sight.wholeCatalog) return undefined;
    const overview = this.overview();
    const { catalog, topics } = this.#state;
    return reckoned.of(catalog, {
      names: Array.from(overview.nodes, ({ Node: name }) => name),
      topicsOf: (name) => [nodeTopic(name), nodeChecksTopic(name)],
      indexOf: (topic) => topics.indexOf(topic),
      make: (name) => make(catalog.node(name) as Node, overview),
    });
  }

  checksOfService(service: string): Iterable<Check> {
    const all = this.#state.catalog.checksOfService(service);
    const seen = this.#sight.of(all, this.#sight.check);
    this.#noteOf(serviceChecksTopic(service), seen, this.#sight.serviceNamed(service));
    return seen;
  }

  /** Instances as Eureka's clients are shown them. */
  get eureka(): EurekaReader {
    return new EurekaReader(this.#state, this.#sight, (topic) => void this.#note(topic));
  }

  /** What became of what is there, and of what is gone. */
  get remembered(): Remembered {
    return new Remembered(this.#state, this.#sight, (...read) => this.#noteOf(...read));
  }

  /** 'any' is all of them. */
  checksIn(status: string): Iterable<Check> {
    this.#note(statusTopic(status));
    const { catalog } = this.#state;
    const all = status === 'any' ? catalog.checks.values() : catalog.checksInStatus(status);
    return this.#sight.of(all, this.#sight.check);
  }

  /** Where a node stands, for the order of an answer alone. */
  placeOf(node: string): Coordinate | undefined {
    this.#noteOrder(node);
    return this.#state.coordinates.get(coordinateKey(node, ''))?.Coord;
  }

  coordinates(): Iterable<NodeCoordinate> {
    this.#note(COORDINATES);
    return this.#sight.of(this.#state.coordinates.values(), this.#sight.node);
  }

  /** Throws where the node may not be seen; one that is spelt otherwise is another. */
  coordinatesOf(node: string): Iterable<NodeCoordinate> {
    if (!this.#sight.nodeNamed(node)) throw permissionDenied();
    this.#note(nodeCoordinatesTopic(node));
    return this.#sight.of(this.#state.coordinates.on(node), this.#sight.node);
  }

  /** Keys, by name and by what their names begin with. */
  get keys(): KeyReader {
    return new KeyReader(this.#state, this.#sight, (topic, index, standsOnFloor = false) => {
      this.#noteAt(topic, index);
      if (standsOnFloor) this.#standsOnFloor = true;
    });
  }

  session(id: string): Session | undefined {
    const row = this.#state.sessions.get(id);
    const isSeen = row === undefined || this.#sight.session(row);
    return this.#note(sessionTopic(id), isSeen) ? row : undefined;
  }

  sessions(): Iterable<Session> {
    this.#note(SESSIONS);
    return this.#sight.of(this.#state.sessions.table.values(), this.#sight.session);
  }

  sessionsOn(node: string): Iterable<Session> {
    const seen = this.#sight.of(this.#state.sessions.on(node), this.#sight.session);
    this.#noteOf(nodeSessionsTopic(node), seen, this.#sight.sessionsOn(node));
    return seen;
  }

  /** Throws where it may not be seen. */
  preparedQuery(id: string): PreparedQuery | undefined {
    const row = this.#state.queries.get(id);
    if (row !== undefined && !this.#sight.queryById(row)) throw permissionDenied();
    this.#note(queryTopic(id));
    return row && this.#sight.shown(row);
  }

  preparedQueries(): PreparedQuery[] {
    this.#note(QUERIES);
    const seen = this.#sight.of(this.#state.queries.table.values(), this.#sight.query);
    return [...seen].map((query) => this.#sight.shown(query));
  }

  /** Which prepared query an id or a name means, to be run: whoever asks may not see it for that. */
  queryToRun(idOrName: string): PreparedQuery | undefined {
    this.#note(QUERIES);
    return this.#state.queries.resolve(idOrName);
  }

  /** The same, to be shown: throws where it may not be seen. */
  queryToShow(idOrName: string): PreparedQuery | undefined {
    const row = this.queryToRun(idOrName);
    if (row === undefined) return undefined;
    if (!this.#sight.query(row)) throw permissionDenied();
    return this.#sight.shown(row);
  }

  /** Config entries, and the intentions that are parts of them. */
  get config(): ConfigReader {
    return new ConfigReader(this.#state, this.#sight, (topic) => {
      this.#note(topic);
    });
  }

  /** The newest last. */
  events(): readonly UserEvent[] {
    this.#note(EVENTS);
    return [...this.#sight.of(this.#state.events, this.#sight.event)];
  }

  /** Access control's tables, for whoever shows these of them: their rows ask for the right. */
  acl(...shown: readonly AclTopic[]): Acl {
    for (const topic of shown) this.#note(topic);
    return this.#state.acl;
  }

  /** What the mesh's authority was told, and the roots by which all may know each other. */
  authority(): Pick<Authority, 'config' | 'roots'> {
    this.#note(CA);
    return this.#state.authority;
  }

  #nodeSeen(name: string): Node | undefined {
    const row = this.#state.catalog.node(name);
    return row !== undefined && this.#sight.node(row) ? row : undefined;
  }

  /** By the name that it has, which may differ from the one that is asked for in its case. */
  #seesNode(name: string): boolean {
    return this.#sight.nodeNamed(this.#state.catalog.node(name)?.Node ?? name);
  }

  #listed(topic: string, service: string, of: (catalog: Catalog) => Iterable<Instance>): Listed {
    const { catalog } = this.#state;
    const seen = this.#sight.of(of(catalog), this.#sight.instance);
    this.#noteOf(topic, seen, this.#sight.serviceNamed(service));
    return new Listed(catalog, seen);
  }

  /** Instances of one name may spell it differently, so that one may be seen and not the other. */
  #noteOf(topic: string, seen: Iterable<unknown>, isSeen: boolean): void {
    this.#note(topic, isSeen || !isEmpty(seen));
  }

  /**
   * What a name stands for that may not be seen is watched, for someday it may be, but its index says
   * nothing of it: not when it changed, and not whether it is there.
   */
  #note(topic: string, isSeen = true): boolean {
    const { topics } = this.#state;
    this.#sight.asked(isSeen);
    this.#noteAt(topic, isSeen ? topics.indexOf(topic) : 1);
    if (isSeen && topics.standsOnFloor(topic)) this.#standsOnFloor = true;
    return isSeen;
  }

  #noteAt(topic: string, index: number): void {
    this.#topics.add(topic);
    if (index > this.#index) this.#index = index;
  }

  #noteOrder(node: string): void {
    this.#orders ??= new Set();
    if (this.#orders.has(COORDINATES)) return;
    this.#orders.add(nodeCoordinatesTopic(node));
    if (this.#orders.size > MAX_NODES_BY_NAME) this.#orders = new Set([COORDINATES]);
  }
}

function isEmpty(rows: Iterable<unknown>): boolean {
  for (const _ of rows) return false;
  return true;
}
