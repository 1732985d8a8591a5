/** What services have answered, as they or their proxies say it. */
import type { Clock } from '../../lib/clock.ts';
import { MAX_LOAD_MS, MAX_LOAD_REQUESTS, MIN_LOAD_MS } from '../../lib/load.ts';
import {
  NOTHING_SERVED,
  type Served,
  servedLess,
  servedPart,
  servedSince,
  servedSum,
} from '../../lib/served.ts';

export interface Counted {
  readonly ms: number;
  readonly served: Served;
}

interface Count extends Counted {
  /** Since the service began. */
  readonly total: Served;
  readonly at: number;
}

const NOTHING: Counted = { ms: 0, served: NOTHING_SERVED };

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

  /** `total` since the service began: fewer requests than before is one that began anew. */
  counted(serviceId: string, total: Served): void {
    const at = this.#clock.monotonic();
    const before = this.#counts.get(serviceId);
    if (before === undefined) {
      this.#counts.set(serviceId, { ...NOTHING, total, at });
      this.#forget();
      return;
    }
    const ms = at - before.at;
    const isLong = before.ms + ms > MAX_LOAD_MS;
    const more = servedSince(total, before.total);
    const part = ms > MAX_LOAD_MS ? servedPart(more, MAX_LOAD_MS / ms) : more;
    // Nobody has asked for long, or nobody has told for long: what is older says nothing of now.
    const served = bounded(isLong ? part : servedSum(before.served, more));
    const counted = isLong ? Math.min(ms, MAX_LOAD_MS) : before.ms + ms;
    this.#counts.set(serviceId, { total, at, ms: counted, served });
  }

  /** Nothing, until it is of a time that says something. */
  of(serviceId: string): Counted {
    const count = this.#counts.get(serviceId);
    return count === undefined || count.ms < MIN_LOAD_MS ? NOTHING : count;
  }

  /** A server knows of so much. */
  told(serviceId: string, { ms, served }: Counted): void {
    const count = this.#counts.get(serviceId);
    if (count === undefined) return;
    const left = { ms: Math.max(0, count.ms - ms), served: servedLess(count.served, served) };
    this.#counts.set(serviceId, { ...count, ...left });
  }

  /** There are never more than services, whether anybody wants to know of them or not. */
  #forget(): void {
    if (this.#counts.size <= this.#services.size) return;
    for (const id of this.#counts.keys()) if (!this.#services.has(id)) this.#counts.delete(id);
  }
}

/** Of more no server takes any. */
function bounded(served: Served): Served {
  const most = Math.max(served.requests, served.errors, ...served.latency);
  return most <= MAX_LOAD_REQUESTS ? served : servedPart(served, MAX_LOAD_REQUESTS / most);
}
