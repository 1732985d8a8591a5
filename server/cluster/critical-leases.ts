/**
 * Services without an agent go when a check of theirs is critical for longer than it allows, and
 * external nodes when they are not reached for as long as a member is remembered. How long that has
 * been, a lease says: it begins when the check turns critical, and is given up when it no longer is.
 */
import type { Logger } from '../../lib/logger.ts';
import type { Check } from '../../lib/model.ts';
import type { Command, TxnOp } from '../commands.ts';
import type { Leases } from '../leases.ts';
import { definitionOf, deregisterAfterMs, isProbed, NODE_HEALTH } from '../state/agentless.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { fold } from '../state/topic-names.ts';
import type { LeaseKind } from './keeper.ts';
import type { Duty } from './leader.ts';
import { checkOfLease, leaseOfCheck } from './lease-names.ts';

export interface CriticalLeasesDeps {
  readonly leases: Pick<Leases, 'renew' | 'drop' | 'remaining'>;
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly logger: Logger;
  readonly times: CriticalTimes;
}

export interface CriticalTimes {
  /** A shorter time that a check says is raised to this. */
  readonly minMs: number;
  /** How long an external node may not be reached. */
  readonly nodeMs: number;
}

/** Begun or given up at one look; the others wait for the next. */
const AT_ONCE = 500;

export class CriticalLeases implements LeaseKind, Duty {
  readonly prefix = 'critical/';
  readonly #deps: CriticalLeasesDeps;
  /** Those that run, as far as this leader knows. */
  #running = new Set<string>();

  constructor(deps: CriticalLeasesDeps) {
    this.#deps = deps;
  }

  async begin(): Promise<void> {
    const there = await this.#deps.leases.remaining();
    const own = [...there.keys()].filter((id) => id.startsWith(this.prefix));
    this.#running = new Set(own.map((id) => id.slice(this.prefix.length)));
  }

  async tick(): Promise<void> {
    const held = new Map(this.held());
    const over = [...this.#running].filter((name) => !held.has(name)).slice(0, AT_ONCE);
    const begun = [...held].filter(([name]) => !this.#running.has(name)).slice(0, AT_ONCE);
    const { leases } = this.#deps;
    await Promise.all([
      ...over.map(async (name) => {
        await leases.drop(this.prefix + name);
        this.#running.delete(name);
      }),
      ...begun.map(async ([name, ms]) => {
        await leases.renew(this.prefix + name, ms);
        this.#running.add(name);
      }),
    ]);
  }

  *held(): Iterable<[string, number]> {
    const { catalog } = this.#deps.state();
    for (const check of catalog.declaredChecks.values()) yield* this.#lease(check);
    for (const { Node } of catalog.externalNodes.values()) {
      const check = catalog.check(Node, NODE_HEALTH);
      if (check !== undefined) yield* this.#lease(check);
    }
  }

  async ended(names: readonly string[]): Promise<boolean> {
    const { state, propose, logger } = this.#deps;
    for (const name of names) {
      const check = checkOfLease(state().catalog, name);
      if (check === undefined || this.#allowedMs(check) === undefined) continue;
      const { Node, CheckID, ServiceID } = check;
      const { applied } = await propose({ type: 'txn', ops: this.#removal(check) });
      const gone = ServiceID === '' ? `node "${Node}"` : `"${ServiceID}" on node "${Node}"`;
      if (applied) {
        logger.info(`leader: check "${CheckID}" was critical for too long, so ${gone} goes`);
      }
    }
    return true;
  }

  *#lease(check: Check): Iterable<[string, number]> {
    const ms = this.#allowedMs(check);
    if (ms !== undefined) yield [leaseOfCheck(check), ms];
  }

  /** How long it may be as critical as it is; undefined where it is not, or for as long as it likes. */
  #allowedMs(check: Check): number | undefined {
    const { state, times } = this.#deps;
    const { catalog } = state();
    if (check.Status !== 'critical' || catalog.hasAgent(check.Node)) return undefined;
    if (check.CheckID === NODE_HEALTH) {
      const node = catalog.externalNodes.get(fold(check.Node));
      return node !== undefined && isProbed(node) ? times.nodeMs : undefined;
    }
    const ms = check.ServiceID === '' ? 0 : deregisterAfterMs(check);
    return ms > 0 ? Math.max(ms, times.minMs) : undefined;
  }

  /** Only while the check is as it was: one that has recovered meanwhile takes nothing with it. */
  #removal(check: Check): readonly TxnOp[] {
    const { catalog } = this.#deps.state();
    const { Node: node, ServiceID, ModifyIndex: index } = check;
    const still: TxnOp = { check: { verb: 'cas', node, check: definitionOf(check), index } };
    const service = catalog.instance(node, ServiceID);
    if (service !== undefined) {
      return [still, { service: { verb: 'delete', node, service, index: 0 } }];
    }
    const row = catalog.node(node);
    return row === undefined ? [] : [still, { node: { verb: 'delete', node: row, index: 0 } }];
  }
}
