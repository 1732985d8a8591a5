import assert from 'node:assert/strict';
import { sameJson } from '../../lib/equal.ts';
import { withFields } from '../../lib/with-fields.ts';
import type {
  ClaimLeadership,
  Command,
  Entry,
  FireEvent,
  SetAutopilot,
  SetHistory,
  SetKeyring,
  SetRevisions,
  TxnOp,
  UpdateCoordinates,
  VoidEntry,
} from '../commands.ts';
import { deleteConfigEntry, setConfigEntry } from './config-commands.ts';
import { reapCaRoots, setCaConfig, setCaRoot, takeSerial } from './connect-commands.ts';
import { coordinateKey } from './coordinates.ts';
import {
  eurekaCancel,
  eurekaExpire,
  eurekaMetadata,
  eurekaRegister,
  eurekaRevive,
  eurekaSetStatus,
  settleEureka,
} from './eureka-commands.ts';
import { expireChecks } from './expire-checks.ts';
import { deleteIntention, setIntention } from './intention-commands.ts';
import { isOutdated } from './judged.ts';
import { applyKv, isIndex } from './kv-commands.ts';
import { loadHeard } from './load-commands.ts';
import { beginCoordinate, memberAlive, memberLeft, membersFailed, reapMembers } from './members.ts';
import {
  deleteAuthMethod,
  deleteBindingRule,
  login,
  setAuthMethod,
  setBindingRule,
} from './method-commands.ts';
import { APPLIED, NOT_APPLIED, OUTDATED, type Outcome, Refusal } from './outcome.ts';
import { deletePolicy, deleteRole, setPolicy, setRole } from './policy-commands.ts';
import { deleteQuery, setQuery } from './query-commands.ts';
import { deregister, register } from './registration.ts';
import {
  beginRestore,
  dropForgottenStaging,
  endRestore,
  stageRows,
  takeStaged,
} from './restore-commands.ts';
import { createSession, destroySession, expireSessions } from './session-commands.ts';
import { MAX_EVENTS, type State } from './state.ts';
import {
  beginAcl,
  bootstrapAcl,
  deleteToken,
  reapTokens,
  setLegacyToken,
  setToken,
} from './token-commands.ts';
import { noticesBegun, noticesTold } from './told.ts';
import { FLOOR } from './topic-names.ts';
import { applyTxn } from './txn-commands.ts';

/** The oldest boots are forgotten first; a proposal of theirs is long settled. */
const MAX_BOOTS = 1000;

export interface Applied {
  readonly outcome: Outcome;
  readonly touched: ReadonlySet<string>;
  /** Another one than before, where one was restored: the same object or not. */
  readonly state: State;
  readonly isRestored: boolean;
}

/**
 * Applies one log entry: the only way in which the state changes. Every server applies the same
 * entries in the same order, so nothing here may depend on time, chance, I/O or this process.
 */
export function apply(state: State, entry: Entry): Applied {
  // A gap means a lost entry, after which every answer would be wrong: stop instead. A new epoch
  // leaves one on purpose, so that no index is ever used twice.
  assert(
    entry.index === state.position + 1 ||
      (entry.epoch > state.epoch && entry.index > state.position),
    `entry ${entry.index} does not follow ${state.position}`,
  );
  state.position = entry.index;
  state.epoch = entry.epoch;
  state.history.passed(state.t, entry.t);
  state.t = entry.t;
  state.hash = entry.hash;
  dropForgottenStaging(state);
  const again = isRepeat(state, entry.id);
  const outcome = again ? APPLIED : attempt(state, entry.command);
  if (!outcome.applied) {
    state.journal.rollback();
    state.topics.rollback();
    state.history.notes.clear();
  }
  state.journal.commit();
  state.revisions.commit(state, entry.command.by?.accessor ?? '');
  state.history.commit(entry.t);
  state.eureka.passed(state);
  const touched = state.topics.commit(state.index, entry.t);
  if (state.kv.commit(touched, state.index, entry.t)) touched.add(FLOOR);
  const isRestored = !again && outcome.applied && entry.command.type === 'end-restore';
  return { outcome, touched, state: isRestored ? takeStaged(state) : state, isRestored };
}

/** Whether every operation only reads: such a transaction needs no entry. */
export function onlyReads(ops: readonly TxnOp[]): boolean {
  return ops.every((op) => {
    if (!('kv' in op)) return Object.values(op).every(({ verb }) => verb === 'get');
    return !KV_WRITES.has(op.kv.verb);
  });
}

const KV_WRITES = new Set(['set', 'cas', 'lock', 'unlock', 'delete', 'delete-cas', 'delete-tree']);

/** Runs a transaction that only reads. The state stays as it is. */
export function readTxn(state: State, ops: readonly TxnOp[]): Outcome {
  assert(onlyReads(ops));
  return applyTxn(state, ops);
}

/** Proposals of one boot of a server come in order, so that one counter tells which were seen. */
function isRepeat(state: State, id: string): boolean {
  const slash = id.lastIndexOf('/');
  const counter = Number(id.slice(slash + 1));
  if (slash < 1 || slash === id.length - 1 || !Number.isSafeInteger(counter)) return false;
  const boot = id.slice(0, slash);
  if (counter <= (state.proposals.get(boot) ?? -1)) return true;
  state.proposals.delete(boot);
  state.proposals.set(boot, counter);
  if (state.proposals.size > MAX_BOOTS) {
    const [oldest] = state.proposals.keys();
    if (oldest !== undefined) state.proposals.delete(oldest);
  }
  return false;
}

function attempt(state: State, command: Command): Outcome {
  if (command.type === 'void') return { applied: false, refused: command.why };
  // The log has read it already, and nobody else needs to.
  if (command.type === 'set-keyring') return APPLIED;
  try {
    if (isOutdated(state, command)) return OUTDATED;
    const outcome = run(state, command);
    if (outcome.applied) settleEureka(state);
    return outcome;
  } catch (error) {
    if (error instanceof Refusal) return { applied: false, refused: error.message };
    throw error;
  }
}

type Applicable = Exclude<Command, SetKeyring | VoidEntry>;

type Handlers = {
  readonly [T in Applicable['type']]: (
    state: State,
    command: Extract<Applicable, { type: T }>,
  ) => Outcome;
};

/** Who applies what, so that no type can be forgotten. */
const HANDLERS: Handlers = {
  register(state, command) {
    register(state, command);
    beginCoordinate(state, command.node.Node);
    return APPLIED;
  },
  deregister(state, command) {
    deregister(state, command);
    return APPLIED;
  },
  kv: (state, { op }) => applyKv(state, op),
  txn: (state, { ops }) => applyTxn(state, ops),
  'create-session': createSession,
  'destroy-session': (state, { id }) => destroySession(state, id),
  'expire-sessions': expireSessions,
  'expire-checks': expireChecks,
  'claim-leadership': claimLeadership,
  'update-coordinates': updateCoordinates,
  'fire-event': fireEvent,
  'set-query': setQuery,
  'delete-query': (state, { id }) => deleteQuery(state, id),
  'member-alive': memberAlive,
  'members-failed': membersFailed,
  'member-left': memberLeft,
  'reap-members': reapMembers,
  'notices-begun': noticesBegun,
  'notices-told': noticesTold,
  'load-heard': loadHeard,
  'set-autopilot': setAutopilot,
  'set-revisions': setRevisions,
  'set-config-entry': setConfigEntry,
  'delete-config-entry': deleteConfigEntry,
  'set-history': setHistory,
  // Its time alone counts: see state/history/gaps.ts.
  'mark-time': () => APPLIED,
  'set-intention': setIntention,
  'delete-intention': deleteIntention,
  'begin-restore': beginRestore,
  'stage-rows': stageRows,
  'end-restore': endRestore,
  'begin-acl': beginAcl,
  'bootstrap-acl': bootstrapAcl,
  'set-acl-token': setToken,
  'set-legacy-token': setLegacyToken,
  'delete-acl-token': deleteToken,
  'reap-acl-tokens': reapTokens,
  'set-acl-policy': setPolicy,
  'delete-acl-policy': deletePolicy,
  'set-acl-role': setRole,
  'delete-acl-role': deleteRole,
  'set-auth-method': setAuthMethod,
  'delete-auth-method': deleteAuthMethod,
  'set-binding-rule': setBindingRule,
  'delete-binding-rule': deleteBindingRule,
  login,
  'set-ca-config': setCaConfig,
  'set-ca-root': setCaRoot,
  'reap-ca-roots': reapCaRoots,
  'take-serial': takeSerial,
  'eureka-register': eurekaRegister,
  'eureka-cancel': eurekaCancel,
  'eureka-revive': eurekaRevive,
  'eureka-status': eurekaSetStatus,
  'eureka-metadata': eurekaMetadata,
  'eureka-expire': eurekaExpire,
};

function run(state: State, command: Applicable): Outcome {
  if (!Object.hasOwn(HANDLERS, command.type)) {
    // Written by a newer server. To skip it would leave this replica different from the others. What
    // else it holds may be a secret.
    throw new Error(`unknown command ${command.type}`);
  }
  const apply = HANDLERS[command.type] as (state: State, command: Applicable) => Outcome;
  return apply(state, command);
}

function claimLeadership(state: State, { server, replaces }: ClaimLeadership): Outcome {
  if (replaces !== state.leadership.term) return NOT_APPLIED;
  state.setLeadership({ server, term: state.index });
  return APPLIED;
}

function setAutopilot(state: State, { settings, cas }: SetAutopilot): Outcome {
  const before = state.autopilot.get('autopilot');
  // Until they are set the defaults stand at index 1.
  if (cas !== undefined && !isIndex(before?.ModifyIndex ?? 1, cas)) return NOT_APPLIED;
  const CreateIndex = before?.CreateIndex ?? 1;
  state.autopilot.set('autopilot', withFields(settings, { CreateIndex, ModifyIndex: state.index }));
  return APPLIED;
}

function setRevisions(state: State, { settings, cas }: SetRevisions): Outcome {
  const before = state.revisions.settings;
  if (cas !== undefined && !isIndex(before?.ModifyIndex ?? 0, cas)) return NOT_APPLIED;
  const CreateIndex = before?.CreateIndex ?? state.index;
  state.revisions.configure(state, withFields(settings, { CreateIndex, ModifyIndex: state.index }));
  return APPLIED;
}

function setHistory(state: State, { limits }: SetHistory): Outcome {
  const { history, catalog } = state;
  const begins = history.limits.perCheck === 0 && limits.perCheck > 0;
  history.setLimits(limits);
  if (begins) history.begin(catalog, state.t);
  return APPLIED;
}

/** Coordinates of nodes that are gone meanwhile are left out, and of more segments than there may be. */
function updateCoordinates(state: State, { coordinates }: UpdateCoordinates): Outcome {
  for (const coordinate of coordinates) {
    const node = state.catalog.node(coordinate.Node);
    if (node === undefined || !state.coordinates.hasRoom(node.Node, coordinate.Segment)) continue;
    const key = coordinateKey(coordinate.Node, coordinate.Segment);
    const row = withFields(coordinate, { Node: node.Node });
    if (!sameJson(state.coordinates.get(key), row)) state.coordinates.set(key, row);
  }
  return APPLIED;
}

function fireEvent(state: State, { event }: FireEvent): Outcome {
  const last = state.events.at(-1)?.LTime ?? 1;
  state.setEvents([...state.events, withFields(event, { LTime: last + 1 })].slice(-MAX_EVENTS));
  return APPLIED;
}
