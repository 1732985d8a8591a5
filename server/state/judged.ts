/**
 * What a judgement of a command rests on: the rows that say whose the things are that it changes. Who
 * may do it was decided by them, so that it counts only for as long as they are what they were.
 */
import type {
  Asker,
  CheckOp,
  Command,
  Judged,
  NodeOp,
  Register,
  ServiceOp,
  TxnOp,
} from '../commands.ts';
import { intentionById } from './intention-commands.ts';
import type { State } from './state.ts';
import { ACL_POLICIES, ACL_ROLES, RIGHTS } from './topic-names.ts';

/** A row that was there, or was not. */
type Row = { readonly ModifyIndex: number } | undefined;

/** Whether anything that the command was judged by has changed since. */
export function isOutdated(state: State, command: Command): boolean {
  // This server may have been behind when it took the command: his token may be gone, or worth less.
  if (command.by !== undefined && !isStill(state, command.by)) return true;
  if (!('judged' in command) || command.judged === undefined) return false;
  const { at } = command.judged;
  // Restored rows keep their indexes: everything may be another's.
  if (state.topics.floor > at) return true;
  if (command.type === 'register' && leftOut(state, command)) return true;
  return rowsUnder(state, command).some((row) => row !== undefined && row.ModifyIndex > at);
}

/** Of what a token has its rights by. */
const GIVING = [ACL_POLICIES, ACL_ROLES];

/** Whether nothing has changed since that says what he may. */
function isStill({ acl, topics }: State, { accessor, at }: Asker): boolean {
  if (topics.indexOf(RIGHTS) <= at) return true;
  // Restored rows keep their indexes: he may be another by the same name.
  if (topics.floor > at) return false;
  const token = accessor === '' ? undefined : acl.tokenBy(accessor);
  const isOlder = (row: Row) => row !== undefined && row.ModifyIndex <= at;
  if (token === undefined || !isOlder(token)) return false;
  // Mostly somebody else has gone.
  if (GIVING.every((topic) => topics.indexOf(topic) <= at)) return true;
  const roles = token.Roles.map((id) => acl.roles.get(id));
  const policies = [token, ...roles].flatMap((row) => row?.Policies ?? []);
  // What is not there may have gone since.
  return roles.every(isOlder) && policies.every((id) => isOlder(acl.policies.get(id)));
}

/** It may not change its node, and so not make it anew either. */
function leftOut({ catalog }: State, { node, judged }: Register): boolean {
  return judged?.keepsNode === true && catalog.node(node.Node) === undefined;
}

function rowsUnder(state: State, command: Extract<Command, Judged>): Row[] {
  const { catalog, queries } = state;
  switch (command.type) {
    case 'register':
      return ofRegister(state, command);
    case 'deregister': {
      const { node, serviceId, checkId } = command;
      if (serviceId !== undefined) return [catalog.instance(node, serviceId)];
      return checkId === undefined ? [] : [catalog.check(node, checkId)];
    }
    case 'txn':
      return command.ops.flatMap((op) => ofOp(state, op));
    case 'set-query':
      return [queries.get(command.query.ID)];
    case 'set-intention':
      return [intentionById(state.configEntries, command.intention.ID)];
    case 'delete-intention':
      return 'ID' in command.which ? [intentionById(state.configEntries, command.which.ID)] : [];
    case 'delete-query':
      return [queries.get(command.id)];
  }
}

function ofRegister({ catalog }: State, { node, service, checks }: Register): Row[] {
  const on = node.Node;
  return [
    catalog.node(on),
    ...(node.ID === '' ? [] : [catalog.nodeById(node.ID)]),
    ...(service === undefined ? [] : [catalog.instance(on, service.ID)]),
    ...checks.flatMap((each) => ofCheck(catalog, on, each)),
  ];
}

function ofOp({ catalog }: State, op: TxnOp): Row[] {
  if ('kv' in op) return [];
  if ('node' in op) return ofNode(catalog, op.node);
  if ('service' in op) return ofService(catalog, op.service);
  return ofCheck(catalog, op.check.node, op.check.check);
}

type Catalog = State['catalog'];

function ofNode(catalog: Catalog, { node }: NodeOp): Row[] {
  return [catalog.node(node.Node), ...(node.ID === '' ? [] : [catalog.nodeById(node.ID)])];
}

function ofService(catalog: Catalog, { node, service }: ServiceOp): Row[] {
  return [catalog.instance(node, service.ID)];
}

function ofCheck(catalog: Catalog, node: string, check: CheckOp['check']): Row[] {
  const { CheckID, ServiceID } = check;
  const owner = ServiceID === '' ? [] : [catalog.instance(node, ServiceID)];
  return [catalog.check(node, CheckID), ...owner];
}
