/** How many requests services have answered, as they or their proxies say it. */
import type { Clock } from '../../lib/clock.ts';
import { MAX_LOAD_MS, MAX_LOAD_REQUESTS, MIN_LOAD_MS } from '../../lib/load.ts';

export interface Counted {
  readonly ms: number;
  readonly requests: number;
}

interface Count {
  total: number;
  at: number;
  ms: number;
  requests: number;
}

export class RequestCounts {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #services: Pick<ReadonlyMap<string, unknown>, 'has' | 'size'>;
  readonly #counts = new Map<string, Count>();

  constructor(
    clock: Pick<Clock, 'monotonic'>,
    services: Pick<ReadonlyMap<string, unknown>, 'has' | 'size'>,
  ) {
    this.#clock = clock;
    this.#services = services;
  }

  get size(): number {
    return this.#counts.size;
  }

  /** `total` since the service began: fewer than before is one that began anew. */
  counted(serviceId: string, total: number): void {
    const at = this.#clock.monotonic();
    const count = this.#counts.get(serviceId);
    if (count === undefined) {
      this.#counts.set(serviceId, { total, at, ms: 0, requests: 0 });
      this.#forget();
      return;
    }
    const more = total >= count.total ? total - count.total : total;
    const ms = at - count.at;
    const isLong = count.ms + ms > MAX_LOAD_MS;
    // Nobody has asked for long, or nobody has told for long: what is older says nothing of now.
    count.ms = isLong ? Math.min(ms, MAX_LOAD_MS) : count.ms + ms;
    const part = ms > MAX_LOAD_MS ? (more * MAX_LOAD_MS) / ms : more;
    count.requests = Math.min(isLong ? part : count.requests + more, MAX_LOAD_REQUESTS);
    count.total = total;
    count.at = at;
  }

  /** Nothing, until it is of a time that says something. */
  of(serviceId: string): Counted {
    const { ms = 0, requests = 0 } = this.#counts.get(serviceId) ?? {};
    return ms < MIN_LOAD_MS ? { ms: 0, requests: 0 } : { ms, requests };
  }

  /** A server knows of so much. */
  told(serviceId: string, { ms, requests }: Counted): void {
    const count = this.#counts.get(serviceId);
    if (count === undefined) return;
    count.ms = Math.max(0, count.ms - ms);
    count.requests = Math.max(0, count.requests - requests);
  }

  /** There are never more than services, whether anybody wants to know of them or not. */
  #forget(): void {
    if (this.#counts.size <= this.#services.size) return;
    for (const id of this.#counts.keys()) if (!this.#services.has(id)) this.#counts.delete(id);
  }
}
