/** A transaction's operations on the catalog, and the transaction itself: all or nothing. */
import type { CheckOp, NodeOp, ServiceOp, TxnOp } from '../commands.ts';
import { applyKvOp, isIndex } from './kv-commands.ts';
import { type Outcome, Refusal, type TxnError, type TxnResult } from './outcome.ts';
import {
  deleteCheck,
  deleteInstance,
  deleteNode,
  putCheck,
  putInstance,
  putNode,
} from './registration.ts';
import type { State } from './state.ts';

/**
 * Runs every operation, also after one that failed: the errors of all are told at once. The caller
 * takes everything back when there are any.
 */
export function applyTxn(state: State, ops: readonly TxnOp[]): Outcome {
  const results: TxnResult[] = [];
  const errors: TxnError[] = [];
  for (const [OpIndex, op] of ops.entries()) {
    try {
      results.push(...applyOp(state, op));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      errors.push({ OpIndex, What: error.message });
    }
  }
  return errors.length > 0 ? { applied: false, errors } : { applied: true, results };
}

function applyOp(state: State, op: TxnOp): TxnResult[] {
  if ('kv' in op) return applyKvOp(state, op.kv);
  if ('node' in op) return applyNodeOp(state, op.node);
  if ('service' in op) return applyServiceOp(state, op.service);
  return applyCheckOp(state, op.check);
}

function applyNodeOp(state: State, { verb, node, index }: NodeOp): TxnResult[] {
  const known = node.ID === '' ? undefined : state.catalog.nodeById(node.ID)?.Node;
  const name = known !== undefined && verb !== 'set' && verb !== 'cas' ? known : node.Node;
  if (name === '' && verb !== 'get') throw new Refusal('Must provide node');
  const stale = !isIndex(state.catalog.node(name)?.ModifyIndex ?? 0, index);
  switch (verb) {
    case 'set':
      putNode(state, node);
      break;
    case 'cas':
      if (stale) throw new Refusal(`failed to set node "${name}", index is stale`);
      putNode(state, node);
      break;
    case 'delete-cas':
      if (stale) throw new Refusal(`failed to delete node "${name}", index is stale`);
      deleteNode(state, name);
      return [];
    case 'delete':
      deleteNode(state, name);
      return [];
    case 'get':
      break;
    default:
      throw new Refusal(`unknown Node verb "${verb}"`);
  }
  const row = state.catalog.node(name);
  if (row === undefined) throw new Refusal(`node "${name}" doesn't exist`);
  return [{ Node: row }];
}

function applyServiceOp(state: State, { verb, node, service, index }: ServiceOp): TxnResult[] {
  const { ID } = service;
  const of = `service "${ID}" on node "${node}"`;
  const stale = !isIndex(state.catalog.instance(node, ID)?.ModifyIndex ?? 0, index);
  switch (verb) {
    case 'set':
      putInstance(state, node, service);
      break;
    case 'cas':
      if (stale) throw new Refusal(`failed to set ${of}, index is stale`);
      putInstance(state, node, service);
      break;
    case 'delete-cas':
      if (stale) throw new Refusal(`failed to delete ${of}, index is stale`);
      deleteInstance(state, node, ID);
      return [];
    case 'delete':
      deleteInstance(state, node, ID);
      return [];
    case 'get':
      break;
    default:
      throw new Refusal(`unknown Service verb "${verb}"`);
  }
  const row = state.catalog.instance(node, ID);
  if (row === undefined) throw new Refusal(`${of} doesn't exist`);
  return [{ Service: row }];
}

function applyCheckOp(state: State, { verb, node, check, index }: CheckOp): TxnResult[] {
  const { CheckID } = check;
  const of = `check "${CheckID}" on node "${node}"`;
  const stale = !isIndex(state.catalog.check(node, CheckID)?.ModifyIndex ?? 0, index);
  switch (verb) {
    case 'set':
      putCheck(state, node, check);
      break;
    case 'cas':
      if (stale) throw new Refusal(`failed to set ${of}, index is stale`);
      putCheck(state, node, check);
      break;
    case 'delete-cas':
      if (stale) throw new Refusal(`failed to delete ${of}, index is stale`);
      deleteCheck(state, node, CheckID);
      return [];
    case 'delete':
      deleteCheck(state, node, CheckID);
      return [];
    case 'get':
      break;
    default:
      throw new Refusal(`unknown Check verb "${verb}"`);
  }
  const row = state.catalog.check(node, CheckID);
  if (row === undefined) throw new Refusal(`${of} doesn't exist`);
  return [{ Check: row }];
}
