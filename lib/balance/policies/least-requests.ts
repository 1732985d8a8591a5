/** The one with the fewest calls under way for its weight, of all; by chance where there are several. */
import type { Host } from '../host.ts';
import type { Pick, Policy, Scales } from '../policy.ts';

export class LeastRequests implements Policy {
  readonly #scales: Scales;

  constructor(scales: Scales) {
    this.#scales = scales;
  }

  choose(hosts: readonly Host[], { avoid }: Pick): Host | undefined {
    const { random, weightOf } = this.#scales;
    let best: Host | undefined;
    let least = Number.POSITIVE_INFINITY;
    let drawnFrom = 0;
    for (const host of hosts) {
      if (avoid?.has(host)) continue;
      const weight = weightOf(host);
      const load = host.active / weight;
      if (load > least) continue;
      // Of those that are equal each is as likely as its weight: the first of a list would get all of
      // the calls that find nothing under way.
      drawnFrom = load < least ? weight : drawnFrom + weight;
      if (load < least || random.next() * drawnFrom < weight) best = host;
      least = load;
    }
    return best;
  }
}
