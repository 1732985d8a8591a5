/**
 * Whether it is believed that things are gone. Where most go at once the store behind the catalog came back empty, as a rule,
 * and servers and agents put back what was lost: until then nothing is taken out for it.
 */
import type { Cancel, Clock } from '../lib/clock.ts';

/** So many may go together as they like. */
const FEW = 3;
/** Whoever begins later, or whose turn does, sees some of it that was put back already. */
const MOST = 0.5;
/** Agents are told with their next beat that nothing is known of them, and bring what they have. */
const HOLD_MS = 120_000;

/** How it looks now. */
export interface Gone {
  readonly had: number;
  /** Which of those are gone. */
  readonly gone: readonly string[];
  /** More than so many are to be held, where it is not as many as of anything. */
  readonly few?: number;
}

export interface Holding {
  readonly look: () => Gone;
  /** Told once as it begins. */
  readonly begun: (text: string) => void;
  /** It is to be looked at again. */
  readonly over: () => void;
}

export class AllAtOnce {
  readonly #clock: Clock;
  readonly #holding: Holding;
  #isHolding = false;
  /** They stayed for their time, and did not come back. */
  readonly #believed = new Set<string>();
  #cancel: Cancel = () => undefined;

  constructor(clock: Clock, holding: Holding) {
    this.#clock = clock;
    this.#holding = holding;
  }

  get isHolding(): boolean {
    return this.#isHolding;
  }

  /** Whether these, which are gone, stay for now. */
  holds(asked: readonly string[]): boolean {
    if (asked.every((each) => this.#believed.has(each))) return false;
    if (this.#isHolding) return true;
    const { had, gone, few = FEW } = this.#holding.look();
    const more = gone.filter((each) => !this.#believed.has(each)).length;
    const there = had - (gone.length - more);
    if (more > few && more >= there * MOST) this.#begin(there, more);
    return this.#isHolding;
  }

  /** It is there: where it goes once more it is not believed again. */
  isThere(one: string): void {
    this.#believed.delete(one);
  }

  /** Nobody looks any more; whoever does later begins anew. */
  stop(): void {
    this.#cancel();
    this.#isHolding = false;
    this.#believed.clear();
  }

  #begin(had: number, gone: number): void {
    this.#isHolding = true;
    this.#cancel = this.#clock.after(HOLD_MS, () => this.#end());
    this.#holding.begun(`${gone} of ${had} went at once: they stay for ${HOLD_MS / 1000} s`);
  }

  #end(): void {
    this.#isHolding = false;
    for (const each of this.#holding.look().gone) this.#believed.add(each);
    this.#holding.over();
  }
}
