/**
 * The catalog's tables: nodes, instances, checks. The lookups beside them, and which topics a
 * change touches, follow from the rows alone.
 */
import { sameJson } from '../../lib/equal.ts';
import {
  type Check,
  type CheckStatus,
  type Instance,
  lookUp,
  type Node,
  SERF_HEALTH,
} from '../../lib/model.ts';
import { isDeclared, isExternal } from './agentless.ts';
import type { EurekaInstances } from './eureka.ts';
import type { OfCatalog } from './history/history.ts';
import type { Notes } from './history/notes.ts';
import type { Past } from './history/past.ts';
import { Holders } from './holders.ts';
import { leanCheck, leanInstance } from './lean-rows.ts';
import { isOrdinary, ServiceNames } from './service-names.ts';
import { type Journal, Lookup, Table } from './table.ts';
import {
  CATALOG,
  connectTopic,
  fold,
  healthTopic,
  instancesTopic,
  NODES,
  nodeChecksTopic,
  nodeTopic,
  rowKey,
  serviceChecksTopic,
  statusTopic,
} from './topic-names.ts';
import type { Topics } from './topics.ts';

const PASSING = 'passing';

/** Who is told of each change, also of one that is taken back. */
interface Told {
  readonly notes: Notes;
  /** The text, as it is kept of what checks have said before. */
  readonly said: (text: string) => string;
  readonly eureka: Pick<EurekaInstances, 'nodeChanged' | 'instanceChanged' | 'checkChanged'>;
}

export class Catalog implements OfCatalog {
  readonly #topics: Topics;
  readonly #journal: Journal;
  /** Told of what comes, goes and changes its status. */
  readonly #notes: Notes;
  readonly #said: Told['said'];
  readonly #eureka: Told['eureka'];
  readonly nodes: Table<Node>;
  readonly instances: Table<Instance>;
  readonly checks: Table<Check>;
  readonly serviceNames: ServiceNames;
  readonly #nodesById = new Map<string, Node>();
  readonly #instancesByNode = new Lookup<Instance>();
  readonly #instancesByService = new Lookup<Instance>();
  readonly #instancesByDestination = new Lookup<Instance>();
  readonly #checksByNode = new Lookup<Check>();
  /** By node, then by the id of the service; those of the node itself by ''. */
  readonly #checksByInstance = new Map<string, Lookup<Check>>();
  readonly #checksByService = new Lookup<Check>();
  /** But for those that pass, which are nearly all there are: they are found among all, and take no room here. */
  readonly #checksByStatus = new Lookup<Check>();
  readonly #instancesById = new Holders<Instance>(
    () => keyed(this.instances.values()),
    ({ ID }) => ID,
  );
  readonly #checksById = new Holders<Check>(
    () => keyed(this.checks.values()),
    ({ CheckID }) => CheckID,
  );
  /** The nodes that are said to be external, by folded name. */
  readonly externalNodes = new Map<string, Node>();
  /** The checks whose definition says how they are seen to, by key: no agent's are. */
  readonly declaredChecks = new Map<string, Check>();

  constructor(journal: Journal, topics: Topics, { notes, said, eureka }: Told) {
    this.#topics = topics;
    this.#journal = journal;
    this.#notes = notes;
    this.#said = said;
    this.#eureka = eureka;
    this.serviceNames = new ServiceNames(topics);
    this.nodes = new Table(journal, (before, after) => this.#nodeChanged(before, after));
    this.instances = new Table(journal, (before, after, key) => {
      this.#instanceChanged(key, before, after);
    });
    this.checks = new Table(journal, (before, after, key) => {
      this.#checkChanged(key, before, after);
    });
  }

  node(name: string): Node | undefined {
    return this.nodes.get(fold(name));
  }

  nodeById(id: string): Node | undefined {
    return this.#nodesById.get(id);
  }

  instance(node: string, id: string): Instance | undefined {
    return this.instances.get(rowKey(node, id));
  }

  check(node: string, id: string): Check | undefined {
    return this.checks.get(rowKey(node, id));
  }

  /** Whether an agent lives there, which is the truth about its node: nobody else speaks for it. */
  hasAgent(node: string): boolean {
    const health = this.check(node, SERF_HEALTH);
    return health !== undefined && health.Status !== 'critical';
  }

  instancesOn(node: string): Iterable<Instance> {
    return this.#instancesByNode.rows(fold(node));
  }

  instancesOf(service: string): Iterable<Instance> {
    return this.#instancesByService.rows(fold(service));
  }

  /** Sidecars in front of the service, and its own instances that are connect-native. */
  connectTo(service: string): Iterable<Instance> {
    return this.#instancesByDestination.rows(fold(service));
  }

  /** By folded name: those that something stands in front of. */
  servicesInMesh(): Iterable<string> {
    return this.#instancesByDestination.names();
  }

  isInMesh(service: string): boolean {
    return this.#instancesByDestination.has(fold(service));
  }

  checksOn(node: string): Iterable<Check> {
    return this.#checksByNode.rows(fold(node));
  }

  /** The checks of one instance alone; with '' those of the node itself. */
  checksOf(node: string, serviceId: string): Iterable<Check> {
    return this.checksOfEach(node)(serviceId);
  }

  /** The same, for whoever asks for many instances on the node. */
  checksOfEach(node: string): (serviceId: string) => Iterable<Check> {
    const checks = this.#checksByInstance.get(fold(node));
    return (serviceId) => checks?.rows(fold(serviceId)) ?? [];
  }

  checksOfService(service: string): Iterable<Check> {
    return this.#checksByService.rows(fold(service));
  }

  /** Wherever it is: an id is unique on its node alone. */
  instancesWithId(id: string): readonly Instance[] {
    return this.#instancesById.of(id);
  }

  checksWithId(id: string): readonly Check[] {
    return this.#checksById.of(id);
  }

  checksInStatus(status: string): Iterable<Check> {
    return status === PASSING ? passing(this.checks) : this.#checksByStatus.rows(status);
  }

  hasInstances(service: string): boolean {
    return this.#instancesByService.has(fold(service));
  }

  /** Whether a gateway's `*` means it. */
  isOrdinary(service: string): boolean {
    for (const instance of this.instancesOf(service)) if (isOrdinary(instance)) return true;
    return false;
  }

  /** As if it had changed: what is remembered is read by the same topics. */
  forgotten({ node, id, service }: Past): void {
    if (id !== '') this.#touchService(healthTopic(service), service);
    if (this.node(node) === undefined) this.#topics.bury(nodeTopic(node));
    else this.#topics.touch(nodeTopic(node));
  }

  checkCount(status: CheckStatus): number {
    const others = this.#checksByStatus;
    if (status !== PASSING) return others.count(status);
    let count = this.checks.size;
    for (const name of others.names()) count -= others.count(name);
    return count;
  }

  /** Inserts the row or replaces the one with its key. */
  putInstance(row: Instance): void {
    const lean = leanInstance(row, {
      node: this.node(row.Node),
      sibling: first(this.instancesOf(row.Service)),
      neighbour: first(this.instancesOn(row.Node)),
    });
    this.instances.set(rowKey(row.Node, row.ID), lean);
  }

  /** Inserts the row or replaces the one with its key. */
  putCheck(row: Check): void {
    const instance = row.ServiceID === '' ? undefined : this.instance(row.Node, row.ServiceID);
    const sibling =
      row.ServiceName === '' ? undefined : first(this.checksOfService(row.ServiceName));
    const lean = leanCheck(row, { instance, sibling, said: this.#said(row.Output) });
    this.checks.set(rowKey(row.Node, row.CheckID), lean);
  }

  #nodeChanged(before: Node | undefined, after: Node | undefined): void {
    if (before !== undefined && before.ID !== '' && this.#nodesById.get(before.ID) === before) {
      this.#nodesById.delete(before.ID);
    }
    if (after !== undefined && after.ID !== '') this.#nodesById.set(after.ID, after);
    const { Node: name } = (after ?? before) as Node;
    if (after !== undefined && isExternal(after)) this.externalNodes.set(fold(name), after);
    else this.externalNodes.delete(fold(name));
    this.#notes.place(rowKey(name, ''), before && { Node: name }, after && { Node: name });
    this.#eureka.nodeChanged(before, after);
    this.#topics.touch(CATALOG);
    this.#topics.touch(NODES);
    if (after === undefined) this.#topics.bury(nodeTopic(name));
    else this.#topics.touch(nodeTopic(name));
    // An instance is shown with its node, and a node's own checks with its node's meta.
    for (const instance of this.instancesOn(name)) this.#touchInstance(instance);
  }

  #touchInstance(instance: Instance): void {
    this.#touchService(instancesTopic(instance.Service), instance.Service);
    this.#touchHealth(instance);
  }

  #touchHealth(instance: Instance): void {
    this.#touchService(healthTopic(instance.Service), instance.Service);
    const destination = destinationOf(instance);
    if (destination !== undefined) this.#topics.touch(connectTopic(destination));
  }

  #touchService(topic: string, service: string): void {
    if (this.#instancesByService.has(fold(service))) this.#topics.touch(topic);
    else this.#topics.bury(topic);
  }

  #instanceChanged(key: string, before: Instance | undefined, after: Instance | undefined): void {
    const row = (after ?? before) as Instance;
    const move = (lookup: Lookup<Instance>, nameOf: (of: Instance) => string | undefined) =>
      lookup.replace(before && nameOf(before), after && nameOf(after), key, row);
    move(this.#instancesByNode, (of) => fold(of.Node));
    move(this.#instancesByService, (of) => fold(of.Service));
    move(this.#instancesByDestination, foldedDestination);
    this.#instancesById.replace(key, before, after);
    this.serviceNames.change(before, after);
    this.#notes.place(key, before, after);
    this.#eureka.instanceChanged(before, after);
    this.#topics.touch(CATALOG);
    this.#topics.touch(nodeTopic(row.Node));
    if (before !== undefined) this.#touchInstance(before);
    if (after !== undefined) this.#touchInstance(after);
  }

  #checkChanged(key: string, before: Check | undefined, after: Check | undefined): void {
    const row = (after ?? before) as Check;
    const move = (lookup: Lookup<Check>, nameOf: (of: Check) => string | undefined) =>
      lookup.replace(before && nameOf(before), after && nameOf(after), key, row);
    move(this.#checksByNode, (of) => fold(of.Node));
    this.#checksById.replace(key, before, after);
    if (after !== undefined && isDeclared(after)) this.declaredChecks.set(key, after);
    else this.declaredChecks.delete(key);
    const onNode = this.#checksByInstance.get(fold(row.Node)) ?? new Lookup();
    move(onNode, (of) => fold(of.ServiceID));
    if (onNode.isEmpty) this.#checksByInstance.delete(fold(row.Node));
    else this.#checksByInstance.set(fold(row.Node), onNode);
    move(this.#checksByStatus, (of) => (of.Status === PASSING ? undefined : of.Status));
    move(this.#checksByService, (of) => (of.ServiceName === '' ? undefined : fold(of.ServiceName)));
    this.#notes.check(key, before, after);
    this.#eureka.checkChanged(before, after);
    this.#topics.touch(CATALOG);
    this.#topics.touch(statusTopic('any'));
    if (before !== undefined) this.#touchCheck(before);
    if (after !== undefined && !(before && touchesTheSame(before, after))) this.#touchCheck(after);
  }

  #touchCheck(check: Check): void {
    this.#topics.touch(statusTopic(check.Status));
    this.#topics.touch(nodeChecksTopic(check.Node));
    if (check.ServiceID === '') {
      this.#touchHealthOn(check.Node);
      return;
    }
    this.#touchService(serviceChecksTopic(check.ServiceName), check.ServiceName);
    const instance = this.instance(check.Node, check.ServiceID);
    if (instance !== undefined) this.#touchHealth(instance);
  }

  /** Once an entry: an instance that comes or goes after it touches as much by itself. */
  #touchHealthOn(node: string): void {
    if (!this.#journal.isFirst(`health on ${fold(node)}`)) return;
    for (const instance of this.instancesOn(node)) this.#touchHealth(instance);
  }
}

/** A registration of thousands of checks says this of nearly each of them. */
function touchesTheSame(a: Check, b: Check): boolean {
  return (
    a.Status === b.Status &&
    a.Node === b.Node &&
    a.ServiceID === b.ServiceID &&
    a.ServiceName === b.ServiceName
  );
}

function* keyed<Row extends Instance | Check>(rows: Iterable<Row>): Iterable<[string, Row]> {
  for (const row of rows) yield [rowKey(row.Node, 'CheckID' in row ? row.CheckID : row.ID), row];
}

/** As often as they are gone through. */
function passing(checks: Table<Check>): Iterable<Check> {
  return {
    *[Symbol.iterator]() {
      for (const check of checks.values()) if (check.Status === PASSING) yield check;
    },
  };
}

function foldedDestination(instance: Instance): string | undefined {
  const destination = destinationOf(instance);
  return destination === undefined ? undefined : fold(destination);
}

function first<T>(rows: Iterable<T>): T | undefined {
  for (const row of rows) return row;
  return undefined;
}

/** The service that an instance stands in front of, or is itself able to answer for. */
export function destinationOf(instance: Instance): string | undefined {
  if (instance.Kind === 'connect-proxy') {
    const name = instance.Proxy['DestinationServiceName'];
    return typeof name === 'string' ? name : undefined;
  }
  return instance.Connect['Native'] === true ? instance.Service : undefined;
}

/** Whether a write of `b` over `a` would change nothing but the indexes. */
export function sameRow<T extends { CreateIndex: number; ModifyIndex: number }>(
  a: T,
  b: T,
): boolean {
  const keys = Object.keys(a) as (keyof T)[];
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every(
    (key) =>
      key === 'CreateIndex' ||
      key === 'ModifyIndex' ||
      (Object.hasOwn(b, key) && sameJson(a[key], b[key])),
  );
}

/** Whether a node's meta holds all of these. */
export function hasMeta(node: Node | undefined, wanted: readonly (readonly [string, string])[]) {
  return wanted.every(([key, value]) => lookUp(node?.Meta ?? null, key) === value);
}
