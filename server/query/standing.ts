/**
 * Tells those who wait that they are no longer who they were: their token was revoked, has expired, or
 * comes to other rights.
 */
import { ANYONE, type Caller } from '../../lib/acl/rights.ts';
import type { Cancel } from '../../lib/clock.ts';
import { RIGHTS } from '../state/topic-names.ts';
import type { Watcher } from './watcher.ts';

/** As waiters are woken: ten thousand of one token must not keep everybody else waiting. */
const TOLD_PER_SLICE = 64;
/** Each may have to be worked out anew from its policies: a few milliseconds. */
const LOOKED_AT_PER_SLICE = 128;

export class Standing {
  readonly #watcher: Pick<Watcher, 'watch'>;
  readonly #byCaller = new Map<Caller, Set<() => void>>();
  #unwatch: Cancel | undefined;
  #isLooking = false;
  #isDue = false;

  constructor(watcher: Pick<Watcher, 'watch'>) {
    this.#watcher = watcher;
  }

  /** How many callers are watched. */
  get size(): number {
    return this.#byCaller.size;
  }

  /** Calls once, when the caller has fallen, unless cancelled before; never at once. */
  watch(caller: Caller, onFallen: () => void): Cancel {
    if (caller === ANYONE) return () => undefined;
    const told = this.#byCaller.get(caller) ?? new Set();
    // A caller may be shared, and what waits for it be the same function twice.
    const tell = () => onFallen();
    told.add(tell);
    this.#byCaller.set(caller, told);
    this.#unwatch ??= this.#watcher.watch([RIGHTS], () => this.#look());
    return () => {
      if (!told.delete(tell) || told.size > 0) return;
      if (this.#byCaller.get(caller) === told) this.#forget(caller);
    };
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
    const fallen: Set<() => void>[] = [];
    for (const caller of callers.slice(from, to)) {
      const told = this.#byCaller.get(caller);
      if (told === undefined || caller.stands()) continue;
      fallen.push(told);
      this.#forget(caller);
    }
    if (fallen.length > 0) setImmediate(() => this.#tell(fallen));
    if (to < callers.length) setImmediate(() => this.#lookAt(callers, to));
    else if (this.#isDue) setImmediate(() => this.#lookAtAll());
    else this.#isLooking = false;
  }

  #tell(fallen: Set<() => void>[]): void {
    let left = TOLD_PER_SLICE;
    for (const told of fallen) {
      for (const tell of told) {
        if (left-- === 0) {
          setImmediate(() => this.#tell(fallen));
          return;
        }
        told.delete(tell);
        tell();
      }
    }
  }

  #forget(caller: Caller): void {
    this.#byCaller.delete(caller);
    if (this.#byCaller.size > 0) return;
    this.#unwatch?.();
    this.#unwatch = undefined;
  }
}
