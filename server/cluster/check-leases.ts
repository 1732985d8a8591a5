/**
 * The leases of TTL checks on nodes without an agent: whoever reports one renews it, at any server, and
 * one that nobody reports in time turns critical.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Check } from '../../lib/model.ts';
import type { Command } from '../commands.ts';
import type { Leases } from '../leases.ts';
import { ttlMs } from '../state/agentless.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import type { LeaseKind } from './keeper.ts';
import { checkOfLease, leaseOfCheck } from './lease-names.ts';

/** Reports within this part of a TTL, and within so long, share a renewal: they may be any number. */
const SHARED_PART = 0.1;
const MAX_SHARED_MS = 1000;

export interface CheckLeasesDeps {
  readonly leases: Pick<Leases, 'renew'>;
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
}

interface Renewal {
  readonly at: number;
  readonly done: Promise<void>;
}

export class CheckLeases implements LeaseKind {
  readonly prefix = 'check/';
  readonly #deps: CheckLeasesDeps;
  /** Of the last moments, the oldest first. */
  readonly #renewals = new Map<string, Renewal>();

  constructor(deps: CheckLeasesDeps) {
    this.#deps = deps;
  }

  /** Resolves when it has its whole TTL left, at least. */
  renew(check: Check): Promise<void> {
    const { leases, clock } = this.#deps;
    const ttl = ttlMs(check);
    const sharedMs = Math.min(ttl * SHARED_PART, MAX_SHARED_MS);
    const id = this.prefix + leaseOfCheck(check);
    const now = clock.monotonic();
    const last = this.#renewals.get(id);
    if (last !== undefined && now - last.at < sharedMs) return last.done;
    // It lasts for whoever shares it too.
    const renewal = { at: now, done: leases.renew(id, ttl + sharedMs) };
    this.#keep(id, renewal);
    renewal.done.catch(() => {
      if (this.#renewals.get(id) === renewal) this.#renewals.delete(id);
    });
    return renewal.done;
  }

  /** What is critical already needs none until somebody reports it. */
  *held(): Iterable<[string, number]> {
    const { catalog } = this.#deps.state();
    for (const check of catalog.declaredChecks.values()) {
      if (check.Status === 'critical' || catalog.hasAgent(check.Node)) continue;
      const ttl = ttlMs(check);
      if (ttl > 0) yield [leaseOfCheck(check), ttl];
    }
  }

  async ended(names: readonly string[]): Promise<boolean> {
    const { state, propose, logger } = this.#deps;
    const { catalog, leadership } = state();
    const checks = names
      .map((name) => checkOfLease(catalog, name))
      .filter((check) => check !== undefined)
      .filter((check) => check.Status !== 'critical' && !catalog.hasAgent(check.Node))
      .map(({ Node: node, CheckID: id, ModifyIndex: at }) => ({ node, id, at }));
    if (checks.length === 0) return true;
    const told = checks.map(({ node, id }) => `${node}/${id}`).join(' ');
    logger.info(`leader: nobody reported these checks in time: ${told}`);
    return (await propose({ type: 'expire-checks', term: leadership.term, checks })).applied;
  }

  #keep(id: string, renewal: Renewal): void {
    this.#renewals.delete(id);
    this.#renewals.set(id, renewal);
    for (const [old, { at }] of this.#renewals) {
      if (renewal.at - at < MAX_SHARED_MS) break;
      this.#renewals.delete(old);
    }
  }
}
