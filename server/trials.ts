/**
 * Whether two batches that take turns are quicker than one is tried, and not reckoned. A log makes one durable after the
 * other, so what that takes is paid twice; in exchange the log has one while those of the other ask again. Which is more
 * depends on the disk, the way there, the processors and the writers: without a disk halves came to a third more, on one
 * that others wrote to as well to a tenth less.
 */

/** What one look takes: so long, and so many batches. */
const LOOK_MS = 100;
const LOOK_BATCHES = 8;
/** Nobody writes as fast as they can where it takes longer. */
const LONGEST_LOOK_MS = 1000;
/** The other way is tried for one look of so many, and soon after the writing has begun. */
const EVERY = 20;
const FIRST = 3;
/** Where both are as quick, fewer and larger batches take less of everybody. */
const BETTER = 1.1;
/** How much the newest look counts. */
const WEIGHT = 0.5;

export class Trials {
  #inHalves = false;
  #isTrial = false;
  /** Writes a millisecond; 0 of what was not tried. */
  readonly #rates = { whole: 0, halves: 0 };
  #looks = 0;
  #from: number;
  #batches = 0;
  #writes = 0;

  constructor(now: number) {
    this.#from = now;
  }

  get inHalves(): boolean {
    return this.#inHalves;
  }

  /** A batch is back. */
  back(now: number, count: number): void {
    this.#batches++;
    this.#writes += count;
    const ms = now - this.#from;
    if (ms < LOOK_MS || (this.#batches < LOOK_BATCHES && ms < LONGEST_LOOK_MS)) return;
    if (ms < LONGEST_LOOK_MS) this.#looked(this.#writes / ms);
    else this.#beginAnew();
    this.#from = now;
    this.#batches = 0;
    this.#writes = 0;
  }

  #looked(rate: number): void {
    const way = this.#inHalves ? 'halves' : 'whole';
    const before = this.#rates[way];
    this.#rates[way] = before === 0 ? rate : before + (rate - before) * WEIGHT;
    this.#looks++;
    if (this.#isTrial) {
      this.#isTrial = false;
      this.#inHalves = this.#rates.halves > this.#rates.whole * BETTER;
    } else if (this.#looks % EVERY === FIRST) {
      this.#isTrial = true;
      this.#inHalves = !this.#inHalves;
    }
  }

  /** How fast others were says nothing of who comes now; what was better is mostly better again. */
  #beginAnew(): void {
    if (this.#isTrial) this.#inHalves = !this.#inHalves;
    this.#isTrial = false;
    this.#rates.whole = 0;
    this.#rates.halves = 0;
    this.#looks = 0;
  }
}
