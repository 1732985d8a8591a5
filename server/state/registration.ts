/** What register and deregister do to the catalog, and what that does to sessions. */

import { localityOf } from '../../lib/later-fields.ts';
import type {
  Check,
  CheckDefinition,
  Instance,
  Node,
  NodeDefinition,
  ServiceDefinition,
} from '../../lib/model.ts';
import { withFields } from '../../lib/with-fields.ts';
import type { Deregister, Register } from '../commands.ts';
import { destinationOf, sameRow } from './catalog.ts';
import { coordinateKey } from './coordinates.ts';
import { instanceOf, isLease, leaseCheck, saysTheSame } from './eureka-place.ts';
import { Refusal } from './outcome.ts';
import { invalidateSessions } from './session-commands.ts';
import type { State } from './state.ts';
import { fold, rowKey } from './topic-names.ts';

export function register(state: State, command: Register): void {
  const { node, service, checks, skipNodeUpdate } = command;
  if (!skipNodeUpdate || state.catalog.node(node.Node) === undefined) {
    prefixed('failed inserting node: ', () => putNode(state, node));
  }
  if (service !== undefined) {
    prefixed('failed inserting service: ', () => putInstance(state, node.Node, service));
  }
  for (const check of checks) {
    const where = ` on node "${node.Node}"`;
    prefixed('failed inserting check: ', () => putCheck(state, node.Node, check), where);
  }
}

function prefixed(prefix: string, act: () => void, suffix = ''): void {
  try {
    act();
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(`${prefix}${error.message}${suffix}`);
    throw error;
  }
}

export function deregister(state: State, command: Deregister): void {
  const { node, nodeId = '', serviceId, checkId } = command;
  const owner = state.catalog.node(node)?.ID ?? '';
  if (nodeId !== '' && owner !== '' && owner !== nodeId) return;
  if (serviceId !== undefined) deleteInstance(state, node, serviceId);
  else if (checkId !== undefined) deleteCheck(state, node, checkId);
  else deleteNode(state, node);
}

/** Inserts or updates; the same again changes nothing. */
export function putNode(state: State, definition: NodeDefinition): void {
  const { catalog } = state;
  if (definition.ID !== '') {
    const same = catalog.nodeById(definition.ID);
    // The machine has a new name: nothing that was on the old one is on it.
    if (same !== undefined && fold(same.Node) !== fold(definition.Node)) {
      refuseTakenName(state, definition);
      deleteNode(state, same.Node);
    } else if (same === undefined) refuseTakenName(state, definition);
  }
  const before = catalog.node(definition.Node);
  const row: Node = {
    ID: definition.ID,
    Node: definition.Node,
    Address: definition.Address,
    Datacenter: definition.Datacenter,
    TaggedAddresses: definition.TaggedAddresses,
    Meta: definition.Meta,
    ...localityOf(definition),
    CreateIndex: before?.CreateIndex ?? state.index,
    ModifyIndex: state.index,
  };
  if (before === undefined || !sameRow(before, row)) catalog.nodes.set(fold(row.Node), row);
}

/** A name belongs to a node with an id for as long as its agent lives. */
function refuseTakenName(state: State, { ID, Node: name }: NodeDefinition): void {
  const owner = state.catalog.node(name);
  if (owner === undefined || owner.ID === '' || owner.ID === ID) return;
  if (!state.catalog.hasAgent(name)) return;
  throw new Refusal(
    `Error while renaming Node ID: "${ID}": Node name ${name} is reserved by node ${owner.ID} ` +
      `with name ${owner.Node} (${owner.Address})`,
  );
}

export function putInstance(state: State, node: string, said: ServiceDefinition): void {
  const { catalog } = state;
  const owner = catalog.node(node);
  if (owner === undefined) throw new Refusal('Missing node registration');
  const service = asOwned(state, owner, said);
  const before = catalog.instance(node, service.ID);
  const row: Instance = withFields(service, {
    Node: owner.Node,
    CreateIndex: before?.CreateIndex ?? state.index,
    ModifyIndex: state.index,
  });
  if (before === undefined || !sameRow(before, row)) {
    catalog.putInstance(row);
    state.virtual.allot(destinationOf(row) ?? '');
    if (before !== undefined) releaseAddresses(state, before);
  }
}

/**
 * What came by Eureka stands there as its own row says: written over, it would be one thing to Consul's clients and
 * another to Eureka's. An agent is the truth about its node: what others have there moves away.
 */
function asOwned({ eureka }: State, { ID: nodeId, Node: node }: Node, said: ServiceDefinition) {
  const owner = nodeId === '' ? eureka.at(node, said.ID) : undefined;
  if (owner === undefined) return said;
  const own = instanceOf(owner);
  if (saysTheSame(said, own)) return own;
  throw new Refusal(`service "${own.ID}" came by Eureka, and is changed there`);
}

/** Of the services that an instance was of, or stood in front of, once nothing else is left of them. */
function releaseAddresses({ virtual, catalog }: State, was: Instance): void {
  virtual.release(was.Service, catalog);
  virtual.release(destinationOf(was) ?? '', catalog);
}

export function putCheck(state: State, node: string, check: CheckDefinition): void {
  const { catalog } = state;
  const owner = catalog.node(node);
  if (owner === undefined) throw new Refusal('Missing node registration');
  const instance = check.ServiceID === '' ? undefined : catalog.instance(node, check.ServiceID);
  if (check.ServiceID !== '' && instance === undefined) {
    throw new Refusal('Missing service registration');
  }
  if (check.CheckID === '') {
    throw new Refusal('failed inserting check: object missing primary index');
  }
  const before = catalog.check(node, check.CheckID);
  const row: Check = {
    CheckID: check.CheckID,
    Name: check.Name,
    Status: check.Status === '' ? 'critical' : check.Status,
    Notes: check.Notes,
    Output: check.Output,
    ServiceID: check.ServiceID,
    Type: check.Type,
    Definition: check.Definition,
    Node: owner.Node,
    ServiceName: instance?.Service ?? '',
    ServiceTags: instance?.Tags ?? [],
    CreateIndex: before?.CreateIndex ?? state.index,
    ModifyIndex: state.index,
  };
  if (before !== undefined && sameRow(before, row)) return;
  if (before !== undefined) refuseLease(state, before, row);
  catalog.putCheck(row);
  if (row.Status === 'critical') invalidateByCheck(state, row);
}

export function deleteNode(state: State, name: string): void {
  const { catalog } = state;
  if (catalog.node(name) === undefined) return;
  for (const instance of [...catalog.instancesOn(name)]) deleteInstance(state, name, instance.ID);
  for (const check of [...catalog.checksOn(name)]) removeCheck(state, check);
  for (const { Segment } of [...state.coordinates.on(name)]) {
    state.coordinates.delete(coordinateKey(name, Segment));
  }
  invalidateSessions(state, [...state.sessions.on(name)]);
  catalog.nodes.delete(fold(name));
}

export function deleteInstance(state: State, node: string, id: string): void {
  const { catalog } = state;
  const row = catalog.instance(node, id);
  if (row === undefined) return;
  for (const check of [...catalog.checksOf(node, id)]) removeCheck(state, check);
  catalog.instances.delete(rowKey(node, id));
  releaseAddresses(state, row);
}

export function deleteCheck(state: State, node: string, id: string): void {
  const check = state.catalog.check(node, id);
  if (check === undefined) return;
  refuseLease(state, check);
  removeCheck(state, check);
}

function removeCheck(state: State, check: Check): void {
  state.catalog.checks.delete(rowKey(check.Node, check.CheckID));
  invalidateByCheck(state, check);
}

/** The check that says how an instance of Eureka's is says what its row does, for as long as it is there. */
function refuseLease({ eureka }: State, before: Check, after?: Check): void {
  const owner = eureka.at(before.Node, before.ServiceID);
  if (owner === undefined || !isLease(before, owner)) return;
  if (after !== undefined && sameRow(after, withFields(after, leaseCheck(owner)))) return;
  throw new Refusal(`check "${before.CheckID}" came by Eureka, and is changed there`);
}

/** The sessions that rest on this check fall with it. */
function invalidateByCheck(state: State, check: Check): void {
  invalidateSessions(state, [...state.sessions.restingOn(check.Node, check.CheckID)]);
}
