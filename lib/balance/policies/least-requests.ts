/**
 * The one with the fewest calls under way for its weight, of all; by chance where there are several. But for
 * hosts that are far behind the others, or start: as the best of all they would have each call of each balancer
 * until they have as many as the others. Of those a call looks at two by chance, or fewer, so that they catch up
 * with twice their share at most.
 */
import type { Host } from '../host.ts';
import { drawn, type Pick, type Policy, type Scales } from '../policy.ts';

const LOOKS = 2;
/** Whoever has grown into less than that part of what others have is starting, beside them. */
const GROWN = 0.9;

/** What hosts have by and large: calls under way for a weight of 1, and the most that one has grown. */
interface Level {
  readonly calls: number;
  readonly grown: number;
}

export class LeastRequests implements Policy {
  readonly #scales: Scales;

  constructor(scales: Scales) {
    this.#scales = scales;
  }

  choose(hosts: readonly Host[], { avoid }: Pick): Host | undefined {
    const { random, weightOf } = this.#scales;
    const level = this.#levelOf(hosts, avoid);
    let best: Host | undefined;
    let least = Number.POSITIVE_INFINITY;
    let drawnFrom = 0;
    let isAnyBehind = false;
    for (const host of hosts) {
      if (avoid?.has(host)) continue;
      const weight = weightOf(host);
      const load = host.active / weight;
      if (load > least) continue;
      if (this.#isBehind(host, weight, level)) {
        isAnyBehind = true;
        continue;
      }
      // Of those that are equal each is as likely as its weight: the first of a list would get all of
      // the calls that find nothing under way.
      drawnFrom = load < least ? weight : drawnFrom + weight;
      if (load < least || random.next() * drawnFrom < weight) best = host;
      least = load;
    }
    return isAnyBehind ? this.#lookedAt(hosts, avoid, best) : best;
  }

  /** The best of those that are not behind, or of two drawn whichever has less. */
  #lookedAt(hosts: readonly Host[], avoid: Pick['avoid'], others: Host | undefined) {
    const loadOf = (host: Host) => host.active / this.#scales.weightOf(host);
    let best = others;
    for (let i = 0; i < LOOKS; i++) {
      const host = drawn(hosts, avoid, this.#scales);
      if (host === undefined) continue;
      if (best === undefined || loadOf(host) <= loadOf(best)) best = host;
    }
    return best;
  }

  #levelOf(hosts: readonly Host[], avoid: Pick['avoid']): Level {
    const { weightOf } = this.#scales;
    let [active, total, grown] = [0, 0, 0];
    for (const host of hosts) {
      if (avoid?.has(host)) continue;
      const weight = weightOf(host);
      active += host.active;
      total += weight;
      grown = Math.max(grown, weight / host.endpoint.weight);
    }
    return { calls: active / total, grown };
  }

  readonly #behind = new WeakSet<Host>();

  /** From where it has a quarter of what others have until it has as much: others are idle by chance. */
  #isBehind(host: Host, weight: number, { calls, grown }: Level): boolean {
    const { active, endpoint } = host;
    const fair = calls * weight;
    if (active + 1 >= fair) this.#behind.delete(host);
    else if (host.begun === 0 || (active + 1) * 4 < fair) this.#behind.add(host);
    return this.#behind.has(host) || weight < GROWN * grown * endpoint.weight;
  }
}
