/**
 * Tells those who wait that they are no longer who they were: their token was revoked, has expired, or
 * comes to other rights.
 */
import { ANYONE, type Caller } from '../../lib/acl/rights.ts';
import type { Cancel, Clock } from '../../lib/clock.ts';
import { RIGHTS } from '../state/topic-names.ts';
import type { Watcher } from './watcher.ts';

/** As waiters are woken: ten thousand of one token must not keep everybody else waiting. */
const TOLD_PER_SLICE = 64;
/** Each may have to be worked out anew from its policies: a few milliseconds. */
const LOOKED_AT_PER_SLICE = 128;

/** Told once, when the caller that it waits as has fallen. */
export interface Falling {
  fallen(): void;
}

/** Those who wait as one caller, and what watches for the end of its token. */
export class Watched {
  readonly told = new Set<Falling>();
  cancelExpiry: Cancel = () => undefined;
  readonly #onEmpty: () => void;

  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  /** It is not told any more. Nothing, where it was. */
  leave(falling: Falling): void {
    if (this.told.delete(falling) && this.told.size === 0) this.#onEmpty();
  }
}

export class Standing {
  readonly #watcher: Pick<Watcher, 'watch'>;
  readonly #clock: Pick<Clock, 'now' | 'after'>;
  readonly #byCaller = new Map<Caller, Watched>();
  #unwatch: Cancel | undefined;
  #isLooking = false;
  #isDue = false;

  constructor(watcher: Pick<Watcher, 'watch'>, clock: Pick<Clock, 'now' | 'after'>) {
    this.#watcher = watcher;
    this.#clock = clock;
  }

  /** How many callers are watched. */
  get size(): number {
    return this.#byCaller.size;
  }

  /** Tells it once, when the caller has fallen, until it leaves; never at once. Anyone never falls. */
  watch(caller: Caller, falling: Falling): Watched | undefined {
    if (caller === ANYONE) return undefined;
    const watched = this.#byCaller.get(caller) ?? this.#begin(caller);
    watched.told.add(falling);
    this.#unwatch ??= this.#watcher.watch([RIGHTS], () => this.#look());
    return watched;
  }

  #begin(caller: Caller): Watched {
    const watched: Watched = new Watched(() => {
      if (this.#byCaller.get(caller) === watched) this.#forget(caller);
    });
    this.#byCaller.set(caller, watched);
    this.#awaitExpiry(caller, watched);
    return watched;
  }

  /** Nothing is written when a token expires: it counts for nothing before the leader removes it. */
  #awaitExpiry(caller: Caller, watched: Watched): void {
    const expiresAt = caller.token?.expiresAt ?? 0;
    if (expiresAt === 0) return;
    watched.cancelExpiry = this.#clock.after(expiresAt - this.#clock.now(), () => {
      // A timer has its longest, and may be a little early.
      if (caller.stands()) this.#awaitExpiry(caller, watched);
      else this.#fell([caller]);
    });
  }

  /** Whoever is answered before it comes to him is asked then whether he stands. */
  #look(): void {
    this.#isDue = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(() => this.#lookAtAll());
  }

  #lookAtAll(): void {
    this.#isDue = false;
    this.#lookAt([...this.#byCaller.keys()], 0);
  }

  #lookAt(callers: readonly Caller[], from: number): void {
    const to = Math.min(callers.length, from + LOOKED_AT_PER_SLICE);
    this.#fell(
      callers.slice(from, to).filter((each) => this.#byCaller.has(each) && !each.stands()),
    );
    if (to < callers.length) setImmediate(() => this.#lookAt(callers, to));
    else if (this.#isDue) setImmediate(() => this.#lookAtAll());
    else this.#isLooking = false;
  }

  #fell(callers: readonly Caller[]): void {
    const fallen = callers.flatMap((each) => this.#byCaller.get(each)?.told ?? []);
    for (const caller of callers) this.#forget(caller);
    if (fallen.length > 0) setImmediate(() => this.#tell(fallen));
  }

  #tell(fallen: Set<Falling>[]): void {
    let left = TOLD_PER_SLICE;
    for (const told of fallen) {
      for (const falling of told) {
        if (left-- === 0) {
          setImmediate(() => this.#tell(fallen));
          return;
        }
        told.delete(falling);
        falling.fallen();
      }
    }
  }

  #forget(caller: Caller): void {
    this.#byCaller.get(caller)?.cancelExpiry();
    this.#byCaller.delete(caller);
    if (this.#byCaller.size > 0) return;
    this.#unwatch?.();
    this.#unwatch = undefined;
  }
}
