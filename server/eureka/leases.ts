/**
 * The leases of Eureka's instances. One that is not renewed for as long as its lease says is critical; for
 * as long again, and it goes. A real Eureka shows it as it was for twice as long, and says nothing first.
 */
import type { Clock } from '../../lib/clock.ts';
import { describeChain } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { LeaseKind } from '../cluster/keeper.ts';
import type { Command } from '../commands.ts';
import { type EurekaRow, eurekaKey } from '../eureka-commands.ts';
import type { Leases } from '../leases.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import type { EurekaCounts } from './counts.ts';

export interface EurekaLeasesDeps {
  readonly leases: Pick<Leases, 'renew' | 'left' | 'remaining'>;
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
  /** Whether nobody is taken for dead where too many would be at once. */
  readonly preserves: boolean;
  readonly counts: EurekaCounts;
}

/** Of all that are there: a real Eureka preserves itself where more than so many do not renew. */
const MAX_SHARE = 0.15;
/** A lease of years is as good as one of a day, and no timer is asked for more. */
const MAX_LEASE_MS = 24 * 3600_000;
/** To count them takes a look at all leases. */
const BETWEEN_COUNTS_MS = 10_000;

export class EurekaLeases implements LeaseKind {
  readonly prefix = 'eureka/';
  readonly wholeInNewTerm = true as const;
  readonly #deps: EurekaLeasesDeps;
  #countedAt = Number.NEGATIVE_INFINITY;
  #isPreserving = false;

  constructor(deps: EurekaLeasesDeps) {
    this.#deps = deps;
  }

  /** Whether more than may be have not been renewed, and all are kept for that. */
  get isPreserving(): boolean {
    return this.#isPreserving;
  }

  /** Resolves when it has its whole time left. */
  async renew(row: EurekaRow): Promise<void> {
    await this.#deps.leases.renew(this.prefix + nameOf(row), leaseMs(row));
  }

  /** When it was renewed last, in milliseconds before now; undefined where nobody knows. */
  async renewedAgoMs(row: EurekaRow): Promise<number | undefined> {
    try {
      const left = await this.#deps.leases.left(this.prefix + nameOf(row));
      return left === undefined ? undefined : Math.max(0, leaseMs(row) - left);
    } catch (error) {
      this.#deps.logger.debug(`eureka: ${describeChain(error)}`);
      return undefined;
    }
  }

  *held(): Iterable<[string, number]> {
    for (const row of this.#deps.state().eureka.rows.values()) yield [nameOf(row), leaseMs(row)];
  }

  async ended(names: readonly string[]): Promise<boolean> {
    const { state, propose, logger } = this.#deps;
    const rows = names.map((name) => this.#rowOf(name)).filter((row) => row !== undefined);
    if (rows.length === 0) return true;
    if (await this.#preserves()) return false;
    const instances = rows.map(({ Info: { app }, Id: id, ModifyIndex: at, Lapsed }) => {
      return { app, id, at, gone: Lapsed === true };
    });
    const { term } = state().leadership;
    const { applied } = await propose({ type: 'eureka-expire', term, instances });
    for (const { app, id, gone } of applied ? instances : []) {
      if (gone) this.#deps.counts.expired++;
      else this.#deps.counts.lapsed++;
      const what = gone ? 'was not renewed any more, and goes' : 'was not renewed in time';
      logger.info(`eureka: ${app}/${id} ${what}`);
    }
    return applied;
  }

  noneEnded(): void {
    if (this.#isPreserving) this.#deps.logger.info('eureka: all instances are renewed again');
    this.#isPreserving = false;
  }

  #rowOf(name: string): EurekaRow | undefined {
    const row = this.#deps.state().eureka.rows.get(name.slice(name.indexOf('/') + 1));
    return row !== undefined && nameOf(row) === name ? row : undefined;
  }

  async #preserves(): Promise<boolean> {
    if (!this.#deps.preserves) return false;
    const { leases, state, logger, clock } = this.#deps;
    const now = clock.monotonic();
    if (this.#isPreserving && now - this.#countedAt < BETWEEN_COUNTS_MS) return true;
    this.#countedAt = now;
    let ended = 0;
    for (const [id, left] of await leases.remaining()) {
      if (left <= 0 && id.startsWith(this.prefix) && this.#rowOf(id.slice(this.prefix.length))) {
        ended++;
      }
    }
    const { size } = state().eureka.rows;
    const isTooMany = ended > size * MAX_SHARE;
    if (isTooMany && !this.#isPreserving) {
      const how = `${ended} of ${size} instances were not renewed in time`;
      logger.warn(`eureka: ${how}: all are kept as they are (eureka.self_preservation)`);
    }
    this.#isPreserving = isTooMany;
    return isTooMany;
  }
}

/** What has lapsed has a lease anew, until it goes; what is registered anew owes nothing to the old. */
function nameOf({ CreateIndex, ModifyIndex, Lapsed, Info: { app }, Id: id }: EurekaRow): string {
  const which = Lapsed === true ? `lapsed-${ModifyIndex}` : String(CreateIndex);
  return `${which}/${eurekaKey({ app, id })}`;
}

function leaseMs({ Info: { durationInSecs } }: EurekaRow): number {
  return Math.min(durationInSecs * 1000, MAX_LEASE_MS);
}
