/** The verbs of the key/value store, one by one and in transactions. */

import { canonicalId, idComplaint } from '../../lib/ids.ts';
import type { KeyValue, Uint64 } from '../../lib/model.ts';
import { withFields } from '../../lib/with-fields.ts';
import type { KvOp } from '../commands.ts';
import { sameRow } from './catalog.ts';
import { APPLIED, NOT_APPLIED, type Outcome, Refusal, type TxnResult } from './outcome.ts';
import type { State } from './state.ts';

/** One verb on its own: a lost race is `applied: false`. */
export function applyKv(state: State, op: KvOp): Outcome {
  return write(state, op) === undefined ? NOT_APPLIED : APPLIED;
}

/** One verb in a transaction: a lost race ends it all, with a text. */
export function applyKvOp(state: State, op: KvOp): TxnResult[] {
  if (op.key === '' && op.verb !== 'get-tree' && op.verb !== 'delete-tree') {
    throw new Refusal('Must provide key');
  }
  switch (op.verb) {
    case 'get':
      return [{ KV: existing(state, op.key) }];
    case 'get-tree':
      if (op.key === '') throw new Refusal('Must provide key');
      return state.kv.under(op.key).map((KV) => ({ KV }));
    case 'check-session':
      return [{ KV: withoutValue(checkSession(state, op)) }];
    case 'check-index':
      return [{ KV: withoutValue(checkIndex(state, op)) }];
    case 'check-not-exists':
      if (state.kv.get(op.key) !== undefined) throw new Refusal(`key "${op.key}" exists`);
      return [];
    default:
      return applyWriteOp(state, op);
  }
}

const LOST: Readonly<Record<string, (key: string) => string>> = {
  cas: (key) => `failed to set key "${key}", index is stale`,
  lock: (key) => `failed to lock key "${key}", lock is already held`,
  unlock: (key) => `failed to unlock key "${key}", lock isn't held, or is held by another session`,
  'delete-cas': (key) => `failed to delete key "${key}", index is stale`,
};

function applyWriteOp(state: State, op: KvOp): TxnResult[] {
  if (op.verb === 'lock' && state.sessions.isDelayed(op.key, state.t)) {
    throw new Refusal(`failed to lock key "${op.key}" due to lock delay`);
  }
  const written = write(state, op);
  if (written === undefined) throw new Refusal(LOST[op.verb]?.(op.key) ?? 'not applied');
  return written === GONE ? [] : [{ KV: withoutValue(written) }];
}

const GONE = Symbol('gone');

/** The row as it now stands, GONE after a delete, undefined when the race was lost. */
function write(state: State, op: KvOp): KeyValue | typeof GONE | undefined {
  switch (op.verb) {
    case 'set': {
      const before = state.kv.get(op.key);
      return put(state, op, { before, session: before?.Session, lockIndex: 0 });
    }
    case 'cas':
      return cas(state, op);
    case 'lock':
      return lock(state, op);
    case 'unlock':
      return unlock(state, op);
    case 'delete':
      state.kv.delete(op.key);
      return GONE;
    case 'delete-cas':
      return deleteCas(state, op);
    case 'delete-tree':
      state.kv.deleteUnder(op.key);
      return GONE;
    default:
      throw new Refusal(`unknown KV verb "${op.verb}"`);
  }
}

interface Place {
  /** What stands there. */
  readonly before: KeyValue | undefined;
  readonly session: string | undefined;
  readonly lockIndex: number;
}

function put(state: State, op: KvOp, { before, session, lockIndex }: Place): KeyValue {
  const row: KeyValue = {
    LockIndex: lockIndex,
    Key: op.key,
    Flags: op.flags,
    Value: op.value,
    ...(session === undefined ? {} : { Session: session }),
    CreateIndex: before?.CreateIndex ?? state.index,
    ModifyIndex: state.index,
  };
  // The same value again wakes nobody.
  if (before !== undefined && sameRow(before, row)) return before;
  state.kv.set(row);
  return row;
}

function cas(state: State, op: KvOp): KeyValue | undefined {
  const before = state.kv.get(op.key);
  // Index 0 means: only if it is not there.
  if (!isIndex(before?.ModifyIndex ?? 0, op.index)) return undefined;
  return put(state, op, { before, session: before?.Session, lockIndex: 0 });
}

function lock(state: State, op: KvOp): KeyValue | undefined {
  if (op.session === '') throw new Refusal('missing session');
  const complaint = idComplaint(op.session);
  if (complaint !== undefined) {
    throw new Refusal(`failed session lookup: index error: ${complaint}`);
  }
  const session = canonicalId(op.session);
  if (state.sessions.get(session) === undefined) {
    throw new Refusal(`invalid session "${op.session}"`);
  }
  const before = state.kv.get(op.key);
  const held = before?.LockIndex ?? 0;
  if (before?.Session === session) return put(state, op, { before, session, lockIndex: held });
  if (before?.Session !== undefined || state.sessions.isDelayed(op.key, state.t)) return undefined;
  return put(state, op, { before, session, lockIndex: held + 1 });
}

function unlock(state: State, op: KvOp): KeyValue | undefined {
  if (op.session === '') throw new Refusal('missing session');
  const before = state.kv.get(op.key);
  if (before === undefined || before.Session !== canonicalId(op.session)) return undefined;
  return put(state, op, { before, session: undefined, lockIndex: before.LockIndex });
}

function deleteCas(state: State, op: KvOp): typeof GONE | undefined {
  const before = state.kv.get(op.key);
  if (before !== undefined && !isIndex(before.ModifyIndex, op.index)) return undefined;
  state.kv.delete(op.key);
  return GONE;
}

function existing(state: State, key: string): KeyValue {
  const row = state.kv.get(key);
  if (row === undefined) throw new Refusal(`key "${key}" doesn't exist`);
  return row;
}

function checkSession(state: State, { key, session }: KvOp): KeyValue {
  const row = state.kv.get(key);
  if (row === undefined) throw new Refusal(`failed to check session, key "${key}" doesn't exist`);
  const current = row.Session ?? '';
  if (current === canonicalId(session)) return row;
  throw new Refusal(
    `failed session check for key "${key}", current session "${current}" != "${session}"`,
  );
}

function checkIndex(state: State, { key, index }: KvOp): KeyValue {
  const row = state.kv.get(key);
  if (row === undefined) throw new Refusal(`failed to check index, key "${key}" doesn't exist`);
  if (isIndex(row.ModifyIndex, index)) return row;
  throw new Refusal(
    `failed index check for key "${key}", current modify index ${row.ModifyIndex} != ${index}`,
  );
}

function withoutValue(row: KeyValue): KeyValue {
  return withFields(row, { Value: null });
}

/** An index that was sent may be any u64; ours are far below 2^53. */
export function isIndex(index: number, sent: Uint64): boolean {
  return BigInt(index) === BigInt(sent);
}
