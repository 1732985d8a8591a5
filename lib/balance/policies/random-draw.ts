/** One by chance, by the weights: nothing to keep, and no two balancers ever in step. */
import type { Host } from '../host.ts';
import { drawn, type Pick, type Policy, type Scales } from '../policy.ts';

export class RandomDraw implements Policy {
  readonly #scales: Scales;

  constructor(scales: Scales) {
    this.#scales = scales;
  }

  choose(hosts: readonly Host[], { avoid }: Pick): Host | undefined {
    return drawn(hosts, avoid, this.#scales);
  }
}
