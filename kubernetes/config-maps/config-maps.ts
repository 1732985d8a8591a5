/** Prefixes of the key-value store and ConfigMaps, each pair by itself: none of them holds up another, or other ways. */
import { together } from '../together.ts';
import { type Fence, readsOf, type Way, type WayCounts, type WayDeps } from '../way.ts';
import { Pair } from './pair.ts';
import type { MapRule } from './rules.ts';

export class ConfigMaps implements Way {
  readonly name = 'config-maps';
  /** Each pair waits for what it reads itself. */
  readonly isWhole = true;
  /** A map that cannot be read is no reason for another to have the turn. */
  readonly lostAt = undefined;
  readonly #pairs: readonly Pair[];

  constructor(deps: WayDeps, rules: readonly MapRule[]) {
    this.#pairs = rules.map((rule) => new Pair(deps, rule));
  }

  get counts(): WayCounts {
    const sum = (of: (pair: Pair) => number) =>
      this.#pairs.reduce((all, pair) => all + of(pair), 0);
    return {
      written: sum(({ written }) => written),
      refused: sum(({ refused }) => refused),
      waiting: sum(({ isChanged }) => Number(isChanged)),
      ...readsOf(this.#pairs.map(({ mirror }) => mirror)),
    };
  }

  async read(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#pairs.map((pair) => pair.read(signal)));
  }

  work(fence: Fence, signal: AbortSignal): Promise<void> {
    const works = this.#pairs.map((pair) => (turn: AbortSignal) => pair.work(fence, turn));
    return together(works, signal);
  }
}
