/** What whoever has the turn knows by now, and so which changes may go out: the node and the cluster's lists are read anew meanwhile. */
import type { Clock } from '../../lib/clock.ts';
import type { Due, Pending } from './pending.ts';
import type { Registered } from './registered.ts';
import type { Wanted } from './wanted.ts';

/** What changed before, whoever had the turn then may have written: it waits until the node was read. */
const LATELY_MS = 5000;
/** After so long it is read, whatever else changes. */
const MAX_UNSURE_MS = 2000;

export interface KnownDeps {
  readonly wanted: Pick<Wanted, 'get' | 'isBehindOn'>;
  readonly registered: Pick<Registered, 'get' | 'isUnderWay'>;
  readonly clock: Pick<Clock, 'monotonic'>;
}

export class KnownInTurn {
  readonly #deps: KnownDeps;
  /** When the turn began whose node was not read since; undefined once it was, and while it is another's turn. */
  #unsureSince: number | undefined;
  /** When the cluster had been read in this turn: what it does not have is gone. */
  #listedAt: number | undefined;
  /** Not as they were known: they wait until the node was read. */
  readonly #stale = new Set<string>();

  constructor(deps: KnownDeps) {
    this.#deps = deps;
  }

  begin(): void {
    this.#unsureSince = this.#deps.clock.monotonic();
    this.#listedAt = undefined;
  }

  end(): void {
    this.#unsureSince = undefined;
  }

  listed(): void {
    this.#listedAt = this.#deps.clock.monotonic();
  }

  /** All is compared as the node is read, by what was read. */
  reading(): void {
    this.#stale.clear();
    this.#unsureSince = undefined;
  }

  /** The node was read since others wrote there last. */
  get isSure(): boolean {
    return this.#unsureSince === undefined;
  }

  setStale(id: string): void {
    this.#stale.add(id);
  }

  /**
   * It is being written, or not enough is known of it: what the cluster does not have need not be gone. `seen` is when that was
   * seen.
   */
  isHeld(id: string, seen: number): boolean {
    const { wanted, registered } = this.#deps;
    if (registered.isUnderWay(id) || this.#stale.has(id)) return true;
    const from = this.#listedAt;
    // What came with the lists counts too, for what was seen before them.
    if (wanted.isBehindOn(id, Math.max(seen, from ?? seen))) return true;
    return from === undefined && wanted.get(id) === undefined && registered.get(id) !== undefined;
  }

  /** Before the node was read what changed lately alone, and the last first: who had the turn knew least of it. */
  inOrder(pending: Pending): Iterable<readonly [id: string, due: Due]> {
    if (this.#unsureSince === undefined) return pending.common();
    if (this.#deps.clock.monotonic() - this.#unsureSince > MAX_UNSURE_MS) return [];
    return pending.lately(this.#unsureSince - LATELY_MS);
  }
}
