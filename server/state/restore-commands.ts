/**
 * Puts another state in place of this one. It is far larger than an entry may be: its rows come in
 * parts, into a state that nobody reads, and the last entry makes it the one that all read. Whoever
 * waits is told of the new state alone.
 */

import type { KeyValue } from '../../lib/model.ts';
import { withFields } from '../../lib/with-fields.ts';
import type { BeginRestore, EndRestore, StagedRow, StageRows } from '../commands.ts';
import { settleRestored } from './eureka-commands.ts';
import { forgetUnscaled } from './load-commands.ts';
import { APPLIED, type Outcome, Refusal } from './outcome.ts';
import { type Kept, keep, type Staging, State } from './state.ts';
import { foundIn, putHistory, RESTORED, type RestoredKind, restoredKinds } from './tables.ts';
import { toldKey } from './told.ts';
import { fold } from './topic-names.ts';

/** One that nobody goes on with, since its server is gone, takes no room for longer. */
const MAX_PAUSE_MS = 10 * 60_000;

/** The last that begins wins: the one before it may be that of a server that is gone. */
export function beginRestore(state: State, { restore, index, onto }: BeginRestore): Outcome {
  // No change from here on has an index that a restored row has too.
  state.jumpBeyond(index);
  const staged = new State();
  staged.history.setLimits(state.history.limits);
  const kept = onto === true ? { kept: new Map() } : {};
  state.setStaging({ restore, parts: 0, t: state.t, state: staged, ...kept });
  return APPLIED;
}

export function stageRows(state: State, { restore, part, rows }: StageRows): Outcome {
  const staging = current(state, restore, part);
  for (const row of rows) {
    stage(state, staging, row);
    // What became of it before is not known here, unless the archive says.
    staging.state.history.commit(state.t, 'unknown');
  }
  // Nobody watches it yet.
  staging.state.topics.rollback();
  state.setStaging(withFields(staging, { parts: part + 1, t: state.t }));
  return APPLIED;
}

export function endRestore(state: State, { restore, parts }: EndRestore): Outcome {
  current(state, restore, parts);
  return APPLIED;
}

function current(state: State, restore: string, parts: number) {
  const { staging } = state;
  if (staging?.restore === restore && staging.parts === parts) return staging;
  throw new Refusal('another snapshot was restored meanwhile, or nobody went on with this one');
}

export function dropForgottenStaging(state: State): void {
  if (state.staging === undefined || state.t - state.staging.t < MAX_PAUSE_MS) return;
  state.staging = undefined;
}

/**
 * The staged state, once it is whole. Who is there, who leads and what was proposed is this
 * cluster's own; everything that can be asked for is of the entry that ends the restore.
 */
export function takeStaged(state: State): State {
  const { staging } = state;
  if (staging === undefined) return state;
  if (staging.kept !== undefined) return takeOnto(state, staging.state, staging.kept);
  const next = staging.state;
  next.position = state.position;
  next.jump = state.jump;
  next.epoch = state.epoch;
  next.t = state.t;
  next.hash = state.hash;
  next.leadership = state.leadership;
  next.events = state.events;
  for (const [boot, counter] of state.proposals) next.proposals.set(boot, counter);
  for (const member of state.members.values()) next.members.set(fold(member.Node), member);
  for (const row of state.told.values()) next.told.set(toldKey(row.Target, row.Service), row);
  for (const row of state.measured.values()) next.measured.set(fold(row.service), row);
  forgetUnscaled(next);
  next.acl.setBootstrapIndex(state.acl.bootstrapIndex);
  if (next.autopilot.size === 0) {
    for (const row of state.autopilot.values()) next.autopilot.set('autopilot', row);
  }
  next.revisions = state.revisions;
  next.revisions.follow(next);
  next.history.taken(state.t);
  keepAuthority(state, next);
  for (const row of state.virtual.rows()) next.virtual.put(row);
  next.virtual.settle(next.catalog);
  settleRestored(state, next);
  next.journal.commit();
  next.topics.rollback();
  next.topics.load({ floor: state.index, indexes: [], gone: [] });
  next.kv.loadGraves({ floor: state.index, graves: [] });
  return next;
}

/**
 * The same, onto the state itself: what neither stays nor comes goes. All this is one entry, which whoever
 * proposes it sees to that it is little; to look for what goes takes a tenth of a microsecond a row.
 */
function takeOnto(state: State, staged: State, kept: Kept): State {
  const coming = new Map<string, readonly unknown[]>();
  for (const [kind, table] of restoredKinds()) {
    const staying = kept.get(kind) ?? new Set();
    const going = rest(table.rows(state), staying);
    // What should have stayed, and was changed by others meanwhile.
    const isWhole = table.size(state) - going.length === staying.size;
    const lost = isWhole ? [] : rest(staying, new Set(table.rows(state)));
    coming.set(kind, [...lost, ...table.rows(staged)]);
    if (!isLeft(kind, staged, kept)) for (const row of going) table.remove(state, row);
  }
  for (const [kind, table] of restoredKinds()) {
    for (const row of coming.get(kind) ?? []) table.put(state, row);
  }
  state.virtual.settle(state.catalog);
  settleRestored(state, state);
  state.setStaging(undefined);
  state.sessions.forgetDelays();
  state.revisions.follow(state);
  forgetUnscaled(state);
  state.history.commit(state.t);
  state.journal.commit();
  state.topics.forget(state.index);
  state.kv.forgetGraves(state.index);
  return state;
}

/** Of this cluster's own, until somebody has set others: sidecars have certificates by its authority. */
const OWN: Readonly<Partial<Record<string, RestoredKind>>> = {
  autopilot: 'autopilot',
  caConfig: 'caConfig',
  caRoot: 'caConfig',
  rootKey: 'caConfig',
};

/** Whether it stays as it is, since what comes says nothing of it. */
function isLeft(kind: string, staged: State, kept: Kept): boolean {
  const told = OWN[kind];
  if (told === undefined) return false;
  return (kept.get(told)?.size ?? 0) + RESTORED[told].size(staged) === 0;
}

function keepAuthority({ authority: ours }: State, { authority }: State): void {
  if (authority.config !== undefined || ours.config === undefined) return;
  authority.configs.set('config', ours.config);
  for (const root of ours.roots.values()) authority.roots.set(root.ID, root);
  for (const key of ours.keys.values()) authority.keys.set(key.root, key);
}

function rest(all: Iterable<unknown>, some: ReadonlySet<unknown>): unknown[] {
  const others: unknown[] = [];
  for (const each of all) if (!some.has(each)) others.push(each);
  return others;
}

/** What is there already as it is to be takes no second place in memory. */
function stage(state: State, { state: staged, kept }: Staging, line: StagedRow): void {
  for (const { kind, rows, row, same } of foundIn(state, line)) {
    if (same === undefined) {
      rows.put(staged, kind === 'kv' ? withIndexOfItsOwn(state, row as KeyValue) : row);
    } else if (kept === undefined) rows.share(staged, same);
    else keep(kept, kind, same);
  }
  // Where most stays, the history goes on as well.
  if (kept === undefined) putHistory(staged, line);
  staged.journal.commit();
}

/**
 * A key's index is that of its row. Where the row is from another cluster it may by chance be the
 * very index at which somebody has seen something else here: he would wait in vain.
 */
function withIndexOfItsOwn({ kv, index }: State, row: KeyValue): KeyValue {
  if (kv.seenIndexOf(row.Key) !== row.ModifyIndex) return row;
  return withFields(row, { ModifyIndex: index });
}
