/** What clients do in a run, and what must then be true. */
import type { World } from '../world/world.ts';

export interface Workload {
  /** Resolves when the time has come, or when all that it began before has been answered. */
  run(untilMs: number): Promise<void>;
  /** A last look, when everything has had time to heal. */
  look?(): Promise<void>;
  /** Whether it judges nothing that was acknowledged where that may be lost. */
  readonly bearsLoss?: boolean;
  /** What must not be, and was before then. */
  verdict(before: number): readonly string[];
}

/** What was seen that must not be, each kind of it once: what follows is the same again. */
export class Violations {
  readonly #world: World;
  readonly #found = new Map<string, { readonly at: number; readonly line: string }>();

  constructor(world: World) {
    this.#world = world;
  }

  /** `at`: when that was, where it is found out later. */
  add(what: string, detail = '', at = this.#world.now): void {
    if ((this.#found.get(what)?.at ?? Number.POSITIVE_INFINITY) <= at) return;
    const line = `at ${(at / 1000).toFixed(1)} s ${what}${detail === '' ? '' : `: ${detail}`}`;
    this.#found.set(what, { at, line });
    this.#world.say(`VIOLATED: ${line}`);
  }

  before(ms: number): readonly string[] {
    return [...this.#found.values()].filter(({ at }) => at < ms).map(({ line }) => line);
  }

  get all(): readonly string[] {
    return this.before(Number.POSITIVE_INFINITY);
  }
}
