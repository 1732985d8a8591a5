/** The leases of sessions with a TTL. */
import { NS_PER_MS, parseDuration } from '../../lib/duration.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Command } from '../commands.ts';
import type { Leases } from '../leases.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import type { LeaseKind } from './keeper.ts';

/**
 * A TTL is the least that a session lives. Clients renew late when they are busy, and a lock that
 * is lost too early hurts more than one that is free a little late; twice the TTL is the promise.
 */
const TTL_GRACE = 1.5;

export interface SessionLeasesDeps {
  readonly leases: Leases;
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly logger: Logger;
}

export class SessionLeases implements LeaseKind {
  readonly prefix = 'session/';
  readonly #deps: SessionLeasesDeps;

  constructor(deps: SessionLeasesDeps) {
    this.#deps = deps;
  }

  /** Nothing happens to a session without TTL, or to none. */
  async renew(id: string): Promise<void> {
    const { leases, state } = this.#deps;
    const ttlMs = leaseMs(state().sessions.get(id)?.TTL ?? '');
    if (ttlMs > 0) await leases.renew(this.prefix + id, ttlMs);
  }

  readonly held = (): [string, number][] =>
    [...this.#deps.state().sessions.table.values()]
      .map(({ ID, TTL }): [string, number] => [ID, leaseMs(TTL)])
      .filter(([, ttlMs]) => ttlMs > 0);

  async ended(ids: readonly string[]): Promise<boolean> {
    const { state, propose, logger } = this.#deps;
    const there = ids.filter((id) => state().sessions.get(id) !== undefined);
    if (there.length === 0) return true;
    logger.info(`leader: sessions were not renewed and end: ${there.join(' ')}`);
    const { term } = state().leadership;
    return (await propose({ type: 'expire-sessions', term, ids: there })).applied;
  }
}

/** How long the session's lease runs; 0 for one without TTL. */
function leaseMs(ttl: string): number {
  return ((parseDuration(ttl) ?? 0) / NS_PER_MS) * TTL_GRACE;
}
