/**
 * Smooth weighted round robin: of each run of as many calls as the weights sum up to, every host gets as many
 * as its weight, and no host all of them in a row.
 */
import type { Host } from '../host.ts';
import type { Pick, Policy, Scales } from '../policy.ts';

export class RoundRobin implements Policy {
  readonly #scales: Scales;
  #hosts: readonly Host[] = [];
  /** Of each of them. */
  #credit = new Float64Array();

  constructor(scales: Scales) {
    this.#scales = scales;
  }

  choose(hosts: readonly Host[], { avoid }: Pick): Host | undefined {
    if (hosts !== this.#hosts) this.#takeOver(hosts);
    const credit = this.#credit;
    let total = 0;
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < hosts.length; i++) {
      const host = hosts[i] as Host;
      if (avoid?.has(host)) continue;
      const weight = this.#scales.weightOf(host);
      const now = (credit[i] ?? 0) + weight;
      credit[i] = now;
      total += weight;
      if (now <= most) continue;
      best = i;
      most = now;
    }
    if (best >= 0) credit[best] = most - total;
    return hosts[best];
  }

  /**
   * Who stays keeps its turn. Who comes begins at a place in the round that is left to chance: balancers that
   * share nothing would all begin with the same host.
   */
  #takeOver(hosts: readonly Host[]): void {
    const { random, weightOf } = this.#scales;
    const before = new Map(this.#hosts.map((host, i) => [host, this.#credit[i]]));
    this.#credit = Float64Array.from(
      hosts,
      (host) => before.get(host) ?? (random.next() - 1) * weightOf(host),
    );
    this.#hosts = hosts;
  }
}
