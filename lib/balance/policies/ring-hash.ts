/** By a ring: who comes takes its share of the keys, who goes leaves its own, and no other key moves. */
import { createHash } from 'node:crypto';
import { hash32 } from '../../hash32.ts';
import type { Host } from '../host.ts';
import { heaviestOf, type Pick, type Policy, type Scales } from '../policy.ts';

/** Of the heaviest host. A share is within some 9 % of the mean then. */
const POINTS = 128;
const POINT_BYTES = 4;
/** More hosts than a ring has: a point and whose it is go into one number, exactly. */
const HOSTS = 2 ** 20;

export class RingHash implements Policy {
  readonly #scales: Scales;
  #given: readonly Host[] = [];
  /** In the order of their ids, so that all balancers agree on whose a point is that two hosts have. */
  #hosts: readonly Host[] = [];
  /** Sorted: a point times HOSTS, and which host's it is. */
  #ring = new Float64Array();

  constructor(scales: Scales) {
    this.#scales = scales;
  }

  /** A call without a key goes anywhere. */
  choose(hosts: readonly Host[], { key, avoid }: Pick): Host | undefined {
    if (hosts !== this.#given) this.#build(hosts);
    const ring = this.#ring;
    const from = this.#placeOf(hash32(key ?? String(this.#scales.random.next())) >>> 0);
    for (let i = 0; i < ring.length; i++) {
      const host = this.#hosts[(ring[(from + i) % ring.length] ?? 0) % HOSTS];
      if (host !== undefined && !avoid?.has(host)) return host;
    }
    return undefined;
  }

  #build(hosts: readonly Host[]): void {
    const perWeight = POINTS / heaviestOf(hosts);
    this.#given = hosts;
    this.#hosts = [...hosts].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#ring = Float64Array.from(
      this.#hosts.flatMap((host, i) => pointsOf(host, perWeight).map((point) => point * HOSTS + i)),
    ).sort();
  }

  /** The first place at or behind the point; the end is the beginning. */
  #placeOf(point: number): number {
    const wanted = point * HOSTS;
    let [low, high] = [0, this.#ring.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ring[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Fewer points are the first of more: who becomes heavier takes keys, and gives none away. */
function pointsOf({ id, endpoint }: Host, perWeight: number): readonly number[] {
  const count = Math.max(1, Math.round(perWeight * endpoint.weight));
  const outputLength = count * POINT_BYTES;
  const bytes = createHash('shake256', { outputLength }).update(id).digest();
  return Array.from({ length: count }, (_, i) => bytes.readUInt32BE(i * POINT_BYTES));
}
