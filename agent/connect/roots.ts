/** The mesh's roots, kept fresh for as long as somebody here makes use of them. */
import { type Clock, pause } from '../../lib/clock.ts';
import { Waiters } from '../../lib/waiters.ts';
import type { Authority, KnownRoots } from './authority.ts';

/** After this time without a question they are not followed any more. */
const IDLE_MS = 10 * 60_000;
const WAIT_MS = 5 * 60_000;
const RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;

export interface RootsOptions {
  readonly authority: Pick<Authority, 'roots'>;
  readonly clock: Clock;
  /** Others that rely on them. */
  readonly isNeeded: () => boolean;
  /** Another root signs from now on. */
  readonly onChange: (roots: KnownRoots) => void;
}

export interface FoundRoots {
  readonly known: KnownRoots;
  readonly isHit: boolean;
  readonly ageMs: number;
}

export class Roots {
  readonly #options: RootsOptions;
  readonly #waiters: Waiters;
  #known: KnownRoots | undefined;
  #asking: Promise<KnownRoots> | undefined;
  #confirmedMs = 0;
  #usedMs = 0;
  #following: AbortController | undefined;
  readonly #stopped = new AbortController();

  constructor(options: RootsOptions) {
    this.#options = options;
    this.#waiters = new Waiters(options.clock);
  }

  async get(): Promise<FoundRoots> {
    const { clock } = this.#options;
    this.#usedMs = clock.monotonic();
    if (this.#known !== undefined && this.#following !== undefined) {
      const ageMs = this.#usedMs - this.#confirmedMs;
      return { known: this.#known, isHit: true, ageMs };
    }
    this.#asking ??= this.#ask();
    return { known: await this.#asking, isHit: false, ageMs: 0 };
  }

  /** Once they have another index than this one, or the wait is over. */
  async after(seenIndex: number, waitMs: number, signal: AbortSignal): Promise<FoundRoots> {
    const { clock } = this.#options;
    const deadline = clock.monotonic() + waitMs;
    for (;;) {
      const found = await this.get();
      const left = deadline - clock.monotonic();
      if (found.known.index !== seenIndex || left <= 0 || signal.aborted) return found;
      await this.#waiters.wait(left, signal);
    }
  }

  stop(): void {
    this.#stopped.abort();
    this.#following?.abort();
    this.#waiters.wakeAll();
  }

  async #ask(): Promise<KnownRoots> {
    try {
      const roots = await this.#options.authority.roots(0, 0, this.#stopped.signal);
      this.#take(roots);
      if (!this.#stopped.signal.aborted) void this.#follow(roots.index);
      return roots;
    } finally {
      this.#asking = undefined;
    }
  }

  #take(roots: KnownRoots): void {
    const before = this.#known;
    this.#known = roots;
    this.#confirmedMs = this.#options.clock.monotonic();
    if (before?.index === roots.index) return;
    this.#waiters.wakeAll();
    if (before !== undefined) this.#options.onChange(roots);
  }

  async #follow(from: number): Promise<void> {
    const { authority, clock, isNeeded } = this.#options;
    const following = new AbortController();
    this.#following = following;
    const { signal } = following;
    let [index, failures] = [from, 0];
    while (!signal.aborted && (isNeeded() || clock.monotonic() - this.#usedMs < IDLE_MS)) {
      const asked = clock.monotonic();
      try {
        const roots = await authority.roots(index, WAIT_MS, signal);
        if (signal.aborted) break;
        const isSame = roots.index === index;
        ({ index } = roots);
        failures = 0;
        this.#take(roots);
        // A server that does not wait is not to be asked without end.
        if (isSame && clock.monotonic() - asked < RETRY_MS) await pause(clock, RETRY_MS, signal);
      } catch {
        // What is known goes on to count, and only gets older.
        await pause(clock, Math.min(RETRY_MS * 2 ** failures++, MAX_RETRY_MS), signal);
      }
    }
    if (this.#following === following) this.#following = undefined;
  }
}
