import { NS_PER_MS } from '../../lib/duration.ts';
import type { KeyValue, Session } from '../../lib/model.ts';
import { withFields } from '../../lib/with-fields.ts';
import type { CreateSession, ExpireSessions } from '../commands.ts';
import { APPLIED, NOT_APPLIED, type Outcome, Refusal } from './outcome.ts';
import { checksUnder } from './sessions.ts';
import type { State } from './state.ts';

export function createSession(state: State, { session }: CreateSession): Outcome {
  if (state.catalog.node(session.Node) === undefined) {
    throw new Refusal('Missing node registration');
  }
  // The id was made by the server that proposed it; two of a kind would share their locks.
  if (state.sessions.get(session.ID) !== undefined) return NOT_APPLIED;
  for (const id of checksUnder(session)) {
    const check = state.catalog.check(session.Node, id);
    if (check === undefined) throw new Refusal(`Missing check '${id}' registration`);
    if (check.Status === 'critical') throw new Refusal(`Check '${id}' is in critical state`);
  }
  const row: Session = withFields(session, { CreateIndex: state.index, ModifyIndex: state.index });
  state.sessions.table.set(session.ID, row);
  return APPLIED;
}

export function destroySession(state: State, id: string): Outcome {
  const session = state.sessions.get(id);
  if (session !== undefined) invalidateSessions(state, [session]);
  return APPLIED;
}

/** A leader of an older term may have been asleep while sessions were renewed with the new one. */
export function expireSessions(state: State, { term, ids }: ExpireSessions): Outcome {
  if (term !== state.leadership.term) return NOT_APPLIED;
  const sessions = ids.map((id) => state.sessions.get(id)).filter((s) => s !== undefined);
  invalidateSessions(state, sessions);
  return APPLIED;
}

/** Longer ones are shown as they were asked for, and keep nobody longer: as in Consul. */
const MAX_LOCK_DELAY_MS = 60_000;

/**
 * Ends the sessions and lets go of their keys, each as its session's behaviour says. The prepared
 * queries that are bound to them go.
 */
export function invalidateSessions(state: State, sessions: readonly Session[]): void {
  if (sessions.length > 0) state.sessions.dropDelays(state.t);
  for (const session of sessions) {
    state.sessions.table.delete(session.ID);
    for (const { ID } of [...state.queries.boundTo(session.ID)]) state.queries.table.delete(ID);
    for (const key of state.kv.heldBy(session.ID)) {
      const delayMs = Math.min(session.LockDelay / NS_PER_MS, MAX_LOCK_DELAY_MS);
      if (delayMs > 0) state.sessions.delay(key, state.t + delayMs);
      if (session.Behavior === 'delete') state.kv.delete(key);
      else unlock(state, key);
    }
  }
}

function unlock(state: State, key: string): void {
  const row = state.kv.get(key);
  if (row === undefined) return;
  const { Session: _, ...rest } = row;
  const released: KeyValue = withFields(rest, { ModifyIndex: state.index });
  state.kv.set(released);
}
