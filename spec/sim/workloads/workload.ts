/** What clients do in a run, and what must then be true. */
import type { World } from '../world/world.ts';

export interface Workload {
  /** Resolves when the time has come, or when all that it began before has been answered. */
  run(untilMs: number): Promise<void>;
  /** A last look, when everything has had time to heal. */
  look?(): Promise<void>;
  /** Whether it judges nothing that was acknowledged where that may be lost. */
  readonly bearsLoss?: boolean;
  /** What must not be, and is. */
  verdict(): readonly string[];
}

/** What was seen that must not be, each kind of it once: what follows is the same again. */
export class Violations {
  readonly #world: World;
  readonly #found = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  add(what: string, detail = ''): void {
    if (this.#found.has(what)) return;
    const at = (this.#world.now / 1000).toFixed(1);
    const line = `at ${at} s ${what}${detail === '' ? '' : `: ${detail}`}`;
    this.#found.set(what, line);
    this.#world.say(`VIOLATED: ${line}`);
  }

  get all(): readonly string[] {
    return [...this.#found.values()];
  }
}
