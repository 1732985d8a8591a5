/**
 * Whether it is believed that things are gone. Where nearly all go at once the store behind the catalog came back empty, as
 * a rule, and servers and agents put back what was lost: until then nothing is taken out for it.
 */
import type { Cancel, Clock } from '../lib/clock.ts';

/** So many may go together as they like. */
const FEW = 3;
const MOST = 0.9;
/** Agents tell of themselves anew each minute, or a little later. */
const HOLD_MS = 120_000;

export interface Holding {
  /** Told once as it begins. */
  readonly begun: (text: string) => void;
  /** It is to be looked at again. */
  readonly over: () => void;
}

export class AllAtOnce {
  readonly #clock: Clock;
  readonly #holding: Holding;
  /** When it is believed, by the clock that never goes back. */
  #until: number | undefined;
  #cancel: Cancel = () => undefined;

  constructor(clock: Clock, holding: Holding) {
    this.#clock = clock;
    this.#holding = holding;
  }

  get isHolding(): boolean {
    return this.#until !== undefined && this.#clock.monotonic() < this.#until;
  }

  /** Whether what is gone stays for now, where `gone` of `had` are. */
  holds(had: number, gone: number): boolean {
    if (this.isHolding) return true;
    const isAll = had > FEW && gone >= had * MOST;
    if (!isAll) this.#until = undefined;
    else if (this.#until === undefined) this.#begin(had, gone);
    return this.isHolding;
  }

  /** Nobody looks any more; whoever does later begins anew. */
  stop(): void {
    this.#until = undefined;
    this.#cancel();
  }

  #begin(had: number, gone: number): void {
    this.#until = this.#clock.monotonic() + HOLD_MS;
    this.#cancel = this.#clock.after(HOLD_MS, () => this.#holding.over());
    this.#holding.begun(`${gone} of ${had} went at once: they stay for ${HOLD_MS / 1000} s`);
  }
}
