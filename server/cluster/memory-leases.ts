import type { Clock } from '../../lib/clock.ts';
import { type Expired, GRACE_MS, type Leases, MAX_SILENCE_MS, MAX_SILENCES } from '../leases.ts';

interface Lease {
  readonly end: number;
  readonly ttlMs: number;
}

/**
 * The leases of a server that is alone. They begin anew with the process, which only prolongs. All
 * times are on the monotonic clock, less what was not counted: a wall clock set forward ends nothing.
 */
export class MemoryLeases implements Leases {
  readonly #clock: Clock;
  readonly #leases = new Map<string, Lease>();
  /** When the keeper last asked. */
  #asked: number | undefined;
  #unheardMs = 0;
  #silences = 0;
  /** From when on every lease has its grace. */
  #graceFrom = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async renew(id: string, ttlMs: number): Promise<void> {
    this.#leases.set(id, { end: this.#heard() + ttlMs, ttlMs });
  }

  async drop(id: string): Promise<void> {
    this.#leases.delete(id);
  }

  async expired(): Promise<Expired> {
    const unheardMs = this.#listen();
    const ids: string[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [id, each] of this.#leases) {
      const left = this.#leftOf(each);
      if (left <= 0) ids.push(id);
      else if (left < nextMs) nextMs = left;
    }
    return { ids, unheardMs, nextMs };
  }

  async grace(): Promise<void> {
    this.#graceFrom = this.#heard();
  }

  async remaining(): Promise<ReadonlyMap<string, number>> {
    return new Map([...this.#leases].map(([id, lease]) => [id, Math.max(0, this.#leftOf(lease))]));
  }

  async left(id: string): Promise<number | undefined> {
    const lease = this.#leases.get(id);
    return lease === undefined ? undefined : Math.max(0, this.#leftOf(lease));
  }

  /** The time that counts. It goes on while the keeper is silent, and back once that is known. */
  #heard(): number {
    return this.#clock.monotonic() - this.#unheardMs;
  }

  #leftOf({ end, ttlMs }: Lease): number {
    return Math.max(end, this.#graceFrom + Math.min(ttlMs, GRACE_MS)) - this.#heard();
  }

  #listen(): number {
    const now = this.#clock.monotonic();
    const silentMs = now - (this.#asked ?? now);
    this.#asked = now;
    if (silentMs <= MAX_SILENCE_MS) return 0;
    if (this.#heard() - silentMs - this.#graceFrom >= GRACE_MS) this.#silences = 0;
    if (this.#silences >= MAX_SILENCES) return 0;
    this.#silences++;
    this.#unheardMs += silentMs;
    this.#graceFrom = this.#heard();
    // Who was renewed meanwhile has its time, and not the silence besides.
    for (const [id, { end, ttlMs }] of this.#leases) {
      const most = this.#heard() + ttlMs;
      if (end > most) this.#leases.set(id, { end: most, ttlMs });
    }
    return silentMs;
  }
}
