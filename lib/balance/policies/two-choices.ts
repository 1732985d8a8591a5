/**
 * Of two drawn by their weights the one that costs less. As good as to look at all of them, nearly; and where
 * all balancers see the same host as the best, half of them do not even look at it.
 */
import type { Host } from '../host.ts';
import { drawn, type Pick, type Policy, type Scales } from '../policy.ts';

/** What one more call costs there. */
export type Cost = (host: Host, scales: Scales) => number;

/** Calls under way, for its weight. */
export const callsUnderWay: Cost = (host, { weightOf }) => host.active / weightOf(host);

/** Of an unknown host with a call under way: one is enough to find out. */
const UNKNOWN_MS = 1e6;

/** Milliseconds until its answer, as far as is known. */
export const expectedMs: Cost = (host, scales) => {
  const { latency, active } = host;
  if (!latency.isKnown) return active === 0 ? 0 : UNKNOWN_MS * active;
  return (latency.at(scales.now()) * (active + 1)) / scales.weightOf(host);
};

export class TwoChoices implements Policy {
  readonly #scales: Scales;
  readonly #cost: Cost;

  constructor(scales: Scales, cost: Cost) {
    this.#scales = scales;
    this.#cost = cost;
  }

  choose(hosts: readonly Host[], { avoid }: Pick): Host | undefined {
    const first = drawn(hosts, avoid, this.#scales);
    if (first === undefined) return undefined;
    const second = drawn(hosts, new Set(avoid).add(first), this.#scales);
    if (second === undefined) return first;
    const isCheaper = this.#cost(second, this.#scales) < this.#cost(first, this.#scales);
    return isCheaper ? second : first;
  }
}
