/**
 * Leases: sessions' TTLs, agents' heartbeats, servers' presence. They are renewed beside the log,
 * since a heartbeat changes nothing that anybody reads; only an expiry becomes a command.
 */
import type { Clock } from '../lib/clock.ts';

export interface Leases {
  /** From now on the lease has `ttlMs` left, whatever it had before. */
  renew(id: string, ttlMs: number): Promise<void>;
  /** Forgets the lease; nothing happens when there is none. */
  drop(id: string): Promise<void>;
  /**
   * The leases that have ended, never one that has time left. They stay until they are dropped, so
   * that an expiry that did not reach the log is tried again.
   */
  expired(): Promise<string[]>;
  /**
   * Milliseconds left of every known lease, 0 of those that have ended. A leader renews whatever
   * the state holds and this does not: leases may be lost, and a lost one would never end.
   */
  remaining(): Promise<ReadonlyMap<string, number>>;
  /** Milliseconds left of one lease, 0 when it has ended; undefined when there is none. */
  left(id: string): Promise<number | undefined>;
}

/** The leases of a server that is alone. They begin anew with the process, which only prolongs. */
export class MemoryLeases implements Leases {
  readonly #clock: Clock;
  /** When each ends, on the monotonic clock: a wall clock set forward must not end a lease. */
  readonly #ends = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async renew(id: string, ttlMs: number): Promise<void> {
    this.#ends.set(id, this.#clock.monotonic() + ttlMs);
  }

  async drop(id: string): Promise<void> {
    this.#ends.delete(id);
  }

  async expired(): Promise<string[]> {
    const now = this.#clock.monotonic();
    return [...this.#ends].filter(([, end]) => end <= now).map(([id]) => id);
  }

  async remaining(): Promise<ReadonlyMap<string, number>> {
    const now = this.#clock.monotonic();
    return new Map([...this.#ends].map(([id, end]) => [id, Math.max(0, end - now)]));
  }

  async left(id: string): Promise<number | undefined> {
    const end = this.#ends.get(id);
    return end === undefined ? undefined : Math.max(0, end - this.#clock.monotonic());
  }
}
