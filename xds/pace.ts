/**
 * How much of a turn of the event loop goes into what has changed. One change may have thousands of things worked out
 * anew, and each of those may have to be told to thousands of streams: some are worked out and some told in a turn, and
 * what else the process does comes between. A stream is told a turn after something has come of it, for more may.
 * Whoever goes may leave thousands of questions that nobody needs any more: those are let go last.
 */
import type { Clock } from '../lib/clock.ts';
import { lookedFor } from '../lib/looking.ts';

/** With the answers that were made of it in the same turn; half of what is left at most is for what is worked out. */
const TURN_MS = 8;
const LEAST_MS = 2;
/** Where a clock says nothing. */
const WORKS_PER_TURN = 64;
/** Of streams that have little to look at. */
const TOLD_PER_TURN = 64;
const ENDS_PER_TURN = 64;

/** Never throws. */
type Work = () => void;

/** Says how many streams with little to look at it was worth. */
type Tell = () => number;

/** Of one process. */
export class Pace {
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** Each is in it once at most, and so is each stream in the other. */
  #works: Work[] = [];
  #tells: Tell[] = [];
  #ends: Work[] = [];
  #isArmed = false;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  workOut(work: Work): void {
    this.#works.push(work);
    this.#arm();
  }

  soon(tell: Tell): void {
    this.#tells.push(tell);
    this.#arm();
  }

  /** Nobody waits for it. */
  end(work: Work): void {
    this.#ends.push(work);
    this.#arm();
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isArmed = false;
    // Whoever comes meanwhile stands behind those that wait, and is told in a later turn: more may come of it by then.
    const waiting = this.#tells;
    this.#tells = [];
    const from = this.#clock.monotonic();
    const roomMs = Math.max(LEAST_MS, TURN_MS - lookedFor());
    this.#works = this.#some(this.#works, WORKS_PER_TURN, from + roomMs / 2);
    const left = this.#tellSome(waiting, from + roomMs);
    this.#tells = [...left, ...this.#tells];
    // However much there is to tell, what ends must not gather.
    if (this.#ends.length > 0) {
      const until = Math.max(from + roomMs, this.#clock.monotonic() + LEAST_MS);
      this.#ends = this.#some(this.#ends, ENDS_PER_TURN, until);
    }
    if (this.#works.length + this.#tells.length + this.#ends.length > 0) this.#arm();
  };

  /** Those for whom there was no room. */
  #tellSome(waiting: readonly Tell[], until: number): readonly Tell[] {
    let told = 0;
    for (let left = TOLD_PER_TURN; left > 0 && told < waiting.length; ) {
      left -= waiting[told++]?.() ?? 1;
      if (this.#clock.monotonic() >= until) break;
    }
    return waiting.slice(told);
  }

  /** What is left. What follows from those stands behind them, and has its place in this turn where there is room. */
  #some(works: readonly Work[], most: number, until: number): Work[] {
    let done = 0;
    while (done < works.length && done < most) {
      works[done++]?.();
      if (this.#clock.monotonic() >= until) break;
    }
    return works.slice(done);
  }
}
