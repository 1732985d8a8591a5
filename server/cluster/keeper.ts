/** Keeps the leases, on the leader: sees to it that each is there, and says which have ended. */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { describeChain } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { GRACE_MS, type Leases } from '../leases.ts';

/** What leases are given for. Whatever is lent next is one more of these. */
export interface LeaseKind {
  /** Begins the ids of all leases of this kind, and of no other. */
  readonly prefix: string;
  /** Whoever renews rarely needs more than a grace when another leader begins: each has its whole time again. */
  readonly wholeInNewTerm?: true;
  /** What ought to have a lease, by the rest of its id, with its whole time. */
  held(): Iterable<readonly [name: string, ttlMs: number]>;
  /** These have ended. False when that was not this server's to say; it then asks again. */
  ended(names: readonly string[]): Promise<boolean>;
  /** None has. */
  noneEnded?(): void;
}

/** Between two ticks. */
const TICK_MS = 500;
/** Between two looks besides, for leases that end before the next tick: fifty thousand agents may end one by one. */
const LEAST_MS = 50;
/** A leader looks for what has no lease so often. */
const TICKS_BETWEEN_ROUNDS = 20;

/** So many in one command, and on their way to Redis: a hundred thousand may end in one moment. */
const AT_ONCE = 500;

export interface KeeperDeps {
  readonly leases: Leases;
  readonly kinds: readonly LeaseKind[];
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Keeper {
  readonly #deps: KeeperDeps;
  #ticks = 0;
  #tickedAt = 0;
  #cancel: Cancel = () => undefined;
  /** A look besides that is under way. */
  #looking: Promise<void> = Promise.resolve();

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
  }

  /** A new term: whoever beat to the leader before has had nobody to beat to. */
  async begin(): Promise<void> {
    this.#ticks = 0;
    await this.#deps.leases.grace();
    const kinds = this.#deps.kinds.filter(({ wholeInNewTerm }) => wholeInNewTerm === true);
    await this.#renew(kinds, () => true);
  }

  /** Called every half second while this server leads. */
  async tick(): Promise<void> {
    await this.halt();
    this.#tickedAt = this.#deps.clock.monotonic();
    if (this.#ticks++ % TICKS_BETWEEN_ROUNDS === 0) await this.#arm();
    await this.#expire();
  }

  /** No look besides comes any more. */
  async halt(): Promise<void> {
    this.#cancel();
    await this.#looking;
    this.#cancel();
  }

  /** What ends before the next tick is ended when it does: whoever waits for a lock waits for that. */
  #lookAt(nextMs: number): void {
    const { clock, logger } = this.#deps;
    const ms = Math.max(Math.ceil(nextMs), LEAST_MS);
    // No longer after a tick than until the next: this server may lead no more.
    if (clock.monotonic() + ms >= this.#tickedAt + TICK_MS) return;
    this.#cancel = clock.after(ms, () => {
      this.#looking = this.#expire().catch((error: unknown) => {
        logger.debug(`leader: a look at leases fails: ${describeChain(error)}`);
      });
    });
  }

  /** Leases may be lost, with the process or with Redis: whatever they were for gets a new one. */
  async #arm(): Promise<void> {
    const { leases, kinds } = this.#deps;
    const there = await leases.remaining();
    await this.#renew(kinds, (id) => !there.has(id));
  }

  async #renew(kinds: readonly LeaseKind[], wants: (id: string) => boolean): Promise<void> {
    const wanted = kinds.flatMap((kind) =>
      [...kind.held()]
        .map(([name, ttlMs]) => [kind.prefix + name, ttlMs] as const)
        .filter(([id]) => wants(id)),
    );
    for (const some of inParts(wanted)) {
      await Promise.all(some.map(([id, ttlMs]) => this.#deps.leases.renew(id, ttlMs)));
    }
  }

  async #expire(): Promise<void> {
    const { leases, kinds, logger } = this.#deps;
    const { ids, unheardMs, nextMs } = await leases.expired();
    if (unheardMs > 0) {
      const stood = `leader: nobody could be heard for ${(unheardMs / 1000).toFixed(1)} s`;
      logger.warn(
        `${stood}: that is not counted, and who was heard before has a lease's time again, ${GRACE_MS / 1000} s at most`,
      );
    }
    const failures: unknown[] = [];
    let isLeft = false;
    for (const kind of kinds) {
      // What keeps sessions from ending must not keep dead agents passing.
      const end = this.#end(kind, ids).then((areEnded) => {
        isLeft ||= !areEnded;
      });
      await end.catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
    // What stays is tried again at each look: as often as there are ticks, and not oftener.
    if (!isLeft) this.#lookAt(nextMs);
  }

  /** False where some of them stay. */
  async #end(kind: LeaseKind, ids: readonly string[]): Promise<boolean> {
    const { prefix } = kind;
    const all = ids.filter((id) => id.startsWith(prefix)).map((id) => id.slice(prefix.length));
    if (all.length === 0) kind.noneEnded?.();
    for (const names of inParts(all)) {
      if (!(await kind.ended(names))) return false;
      await Promise.all(names.map((name) => this.#deps.leases.drop(prefix + name)));
    }
    return true;
  }
}

function* inParts<T>(all: readonly T[]): Iterable<readonly T[]> {
  for (let at = 0; at < all.length; at += AT_ONCE) yield all.slice(at, at + AT_ONCE);
}
