/** By a ring: who comes takes its share of the keys, who goes leaves its own, and no other key moves. */
import { Ring } from '../../ring.ts';
import type { Host } from '../host.ts';
import type { Pick, Policy, Scales } from '../policy.ts';

/** Of the heaviest host. A share is within some 9 % of the mean then, and a thousand hosts fit into 20 MB. */
const POINTS = 128;

export class RingHash implements Policy {
  readonly #scales: Scales;
  #hosts: readonly Host[] = [];
  #byId = new Map<string, Host>();
  #ring = new Ring();

  constructor(scales: Scales) {
    this.#scales = scales;
  }

  /** A call without a key goes anywhere. */
  choose(hosts: readonly Host[], { key, avoid }: Pick): Host | undefined {
    if (hosts !== this.#hosts) this.#build(hosts);
    const at = key ?? String(this.#scales.random.next());
    const id = this.#ring.owner(at, (each) => !isAvoided(this.#byId.get(each), avoid));
    return id === undefined ? undefined : this.#byId.get(id);
  }

  #build(hosts: readonly Host[]): void {
    const most = Math.max(...hosts.map(({ endpoint }) => endpoint.weight));
    this.#ring = new Ring();
    this.#byId = new Map(hosts.map((host) => [host.id, host]));
    for (const { id, endpoint } of hosts) {
      this.#ring.add(id, Math.max(1, Math.round((POINTS * endpoint.weight) / most)));
    }
    this.#hosts = hosts;
  }
}

function isAvoided(host: Host | undefined, avoid: Pick['avoid']): boolean {
  return host !== undefined && avoid?.has(host) === true;
}
