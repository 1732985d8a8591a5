/** Prefixes of the key-value store and ConfigMaps, each pair by itself: none of them holds up another, or other ways. */
import { together } from '../together.ts';
import { type Fence, readsOf, type Way, type WayCounts, type WayDeps } from '../way.ts';
import { Pair } from './pair.ts';
import type { MapRule } from './rules.ts';

export class ConfigMaps implements Way {
  readonly name = 'config-maps';
  readonly #pairs: readonly Pair[];
  readonly #isAlone: boolean;

  /** `isAlone` where the turn is for nothing else. */
  constructor(deps: WayDeps, rules: readonly MapRule[], isAlone: boolean) {
    this.#pairs = rules.map((rule) => new Pair(deps, rule));
    this.#isAlone = isAlone;
  }

  /** Each pair waits for what it reads itself: beside other ways none is waited for. */
  get isWhole(): boolean {
    return !this.#isAlone || this.#pairs.some(({ isWhole }) => isWhole);
  }

  /** A map that cannot be read is no reason for another to have the turn; that none can be is one. */
  get lostAt(): number | undefined {
    const lost = this.#pairs.map(({ mirror }) => mirror.lostAt).filter((at) => at !== undefined);
    return this.#isAlone && lost.length === this.#pairs.length ? Math.max(...lost) : undefined;
  }

  get counts(): WayCounts {
    const sum = (of: (pair: Pair) => number) =>
      this.#pairs.reduce((all, pair) => all + of(pair), 0);
    return {
      written: sum(({ written }) => written),
      refused: sum(({ refused }) => refused),
      held: Number(this.#pairs.some(({ isHolding }) => isHolding)),
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
