/** What clients of Eureka do to their instances. Renewals are leases; all else is a command, if it is news. */
import { permissionDenied } from '../../lib/acl/refusals.ts';
import type { Caller } from '../../lib/acl/rights.ts';
import type { StringMap } from '../../lib/model.ts';
import {
  type EurekaInfo,
  type EurekaName,
  type EurekaRow,
  type EurekaStatus,
  eurekaId,
} from '../eureka-commands.ts';
import { type WriteDeps, writeAs } from '../http/deps.ts';
import type { Readiness } from '../readiness.ts';
import { isOlder, isSaidAgain } from '../state/eureka-commands.ts';
import type { EurekaCounts } from './counts.ts';
import type { EurekaLeases } from './leases.ts';

/** Who asks, and still may. */
export interface Asking {
  readonly callerStill: () => Caller | Promise<Caller>;
}

export interface RegistryDeps extends Pick<WriteDeps, 'state' | 'propose'> {
  readonly readiness: Pick<Readiness, 'read'>;
  readonly leases: Pick<EurekaLeases, 'renew' | 'renewedAgoMs'>;
  readonly datacenter: string;
  readonly counts: EurekaCounts;
}

export interface Renewal extends EurekaName {
  /** When the client last changed what it says, where it says that. */
  readonly dirtyAt?: number | undefined;
  readonly isReplica: boolean;
}

export interface StatusChange extends EurekaName {
  readonly status: EurekaStatus;
  readonly override: boolean;
  readonly dirtyAt?: number | undefined;
}

/** What is known is newer than what another server says. */
export interface Conflict {
  readonly known: EurekaRow;
}

export class EurekaRegistry {
  readonly #deps: RegistryDeps;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
  }

  async register(asking: Asking, info: EurekaInfo, isReplica: boolean): Promise<void> {
    const { datacenter } = this.#deps;
    const name = { app: info.app, id: eurekaId(info) };
    await this.#mayWrite(asking, info.app);
    if (!(await this.#isKnown(info, isReplica))) {
      const type = 'eureka-register';
      const replica = isReplica && { isReplica };
      await writeAs(asking, this.#deps, { type, info, datacenter, ...replica });
    }
    await this.#renewed(asking, name);
    this.#deps.counts.registrations++;
  }

  /** False: it is to register, again or for the first time. */
  async renew(asking: Asking, renewal: Renewal): Promise<boolean | Conflict> {
    const known = await this.#renew(asking, renewal);
    if (known === false) this.#deps.counts.unknown++;
    else this.#deps.counts.renewals++;
    return known;
  }

  async #renew(asking: Asking, renewal: Renewal): Promise<boolean | Conflict> {
    const { dirtyAt, isReplica } = renewal;
    await this.#mayWrite(asking, renewal.app);
    const isOld = (row: EurekaRow | undefined) =>
      row === undefined || row.Status === 'UNKNOWN' || (dirtyAt ?? 0) > row.DirtyAt;
    // It may have said so at another server a moment ago.
    const row = await this.#row(renewal, isOld);
    if (row === undefined || row.Status === 'UNKNOWN') return false;
    await this.#renewed(asking, renewal);
    if (isOld(row)) return false;
    const isBehind = isReplica && dirtyAt !== undefined && dirtyAt < row.DirtyAt;
    return isBehind ? { known: row } : true;
  }

  async cancel(asking: Asking, name: EurekaName): Promise<boolean> {
    const { app, id } = name;
    const { applied } = await writeAs(asking, this.#deps, { type: 'eureka-cancel', app, id });
    if (applied) this.#deps.counts.cancellations++;
    return applied;
  }

  async setStatus(asking: Asking, change: StatusChange): Promise<boolean> {
    const { app, id, status, override, dirtyAt } = change;
    const dirty = dirtyAt !== undefined && { dirtyAt };
    const type = 'eureka-status';
    const command = { type, app, id, status, override, ...dirty } as const;
    const { applied } = await writeAs(asking, this.#deps, command);
    if (applied) await this.#renewed(asking, change);
    return applied;
  }

  async setMetadata(asking: Asking, name: EurekaName, metadata: StringMap): Promise<boolean> {
    const { app, id } = name;
    const type = 'eureka-metadata';
    return (await writeAs(asking, this.#deps, { type, app, id, metadata })).applied;
  }

  /** When it was last renewed, by the clock of the log. */
  async renewedAt(row: EurekaRow, now: number): Promise<number> {
    const ago = await this.#deps.leases.renewedAgoMs(row);
    return Math.round(ago === undefined ? row.ChangedAt : Math.max(row.RegisteredAt, now - ago));
  }

  /** As all commands are judged, which a renewal is none of. */
  async #mayWrite(asking: Asking, app: string): Promise<void> {
    const { rights } = await asking.callerStill();
    const may = rights.all || rights.may('service', 'write', app.toLowerCase());
    if (!may) throw permissionDenied();
  }

  /** Whether it would change nothing, as far as anybody has said anything. */
  async #isKnown(info: EurekaInfo, isReplica: boolean): Promise<boolean> {
    const isSame = (row: EurekaRow | undefined) =>
      row !== undefined && (isOlder(info, row) || isSaidAgain(info, row, isReplica));
    return isSame(await this.#row({ app: info.app, id: eurekaId(info) }, isSame));
  }

  /**
   * Where it matters, as new as any write that was acknowledged. That it is not there has a client register
   * anew: who is parted from the others cannot tell.
   */
  async #row(
    { app, id }: EurekaName,
    matters: (row: EurekaRow | undefined) => boolean,
  ): Promise<EurekaRow | undefined> {
    const { state, readiness } = this.#deps;
    const found = () => state().eureka.get(app, id);
    const row = found();
    if (!matters(row)) return row;
    return await readiness.read(row === undefined ? 'consistent' : 'leader', found);
  }

  /** Its lease has its whole time; one that had lapsed is back. */
  async #renewed(asking: Asking, { app, id }: EurekaName): Promise<void> {
    const { state, leases } = this.#deps;
    const row = state().eureka.get(app, id);
    if (row?.Lapsed === true) {
      await writeAs(asking, this.#deps, { type: 'eureka-revive', app, id });
    }
    const now = state().eureka.get(app, id);
    if (now !== undefined) await leases.renew(now);
  }
}
