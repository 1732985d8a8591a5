/**
 * How long a host takes, as peak EWMA: it goes up at once with a slow answer and down slowly with fast ones,
 * so that whoever has become slow is left alone after one call, and not after ten.
 */

/** After so long without a slow answer two thirds of it are forgotten. */
const FORGETS_MS = 10_000;

export class PeakEwma {
  #ms: number;
  #at: number;
  #isKnown: boolean;

  /** `ms`: what is taken for it until something is known of it, 0 where nothing can be. */
  constructor(now: number, ms = 0) {
    this.#at = now;
    this.#ms = ms;
    this.#isKnown = ms > 0;
  }

  get isKnown(): boolean {
    return this.#isKnown;
  }

  observe(ms: number, now: number): void {
    const kept = this.#kept(now);
    this.#ms = ms > this.#ms ? ms : this.#ms * kept + ms * (1 - kept);
    this.#at = now;
    this.#isKnown = true;
  }

  /** It goes down without answers too: whoever gets no calls for being slow is tried again. */
  at(now: number): number {
    return this.#ms * this.#kept(now);
  }

  #kept(now: number): number {
    return Math.exp(-Math.max(0, now - this.#at) / FORGETS_MS);
  }
}
