/**
 * How much of a turn of the event loop goes into what has changed. One change may have thousands of things worked out
 * anew, and each of those may have to be told to thousands of streams: some are worked out and some told in a turn, of
 * each address its next, and what else the process does comes between. A stream is told a turn after something has come
 * of it, for more may. Whoever goes may leave thousands of questions that nobody needs any more: those are let go last.
 */
import type { Clock } from '../lib/clock.ts';
import { describeChain } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { lookedFor } from '../lib/looking.ts';
import { Lines, MOST_LINES } from './lines.ts';

/** With the answers that were made of it in the same turn; half of what is left at most is for what is worked out. */
const TURN_MS = 8;
const LEAST_MS = 2;
/** Where a clock says nothing. */
const WORKS_PER_TURN = 64;
/** Of streams that have little to look at. */
const TOLD_PER_TURN = 64;
const ENDS_PER_TURN = 64;

type Work = () => void;

/** Says how many streams with little to look at it was worth. */
type Tell = () => number;

export interface PaceOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Pick<Logger, 'error'>;
}

/** Of one process. None that throws keeps others from their turn. */
export class Pace {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #logger: Pick<Logger, 'error'>;
  /** Each is in it once at most, and so is each stream in the other. */
  readonly #works = new Lines<Due>();
  readonly #tells = new Lines<Tell>();
  /** They have come since the last turn began. */
  #coming: (readonly [of: object, tell: Tell])[] = [];
  readonly #ends = new Lines<Due>();
  #isArmed = false;

  constructor({ clock, logger }: PaceOptions) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** In the turn of whichever of those comes first. */
  workOut(work: Work, of: Iterable<object>): void {
    const due = new Due(work);
    let lines = 0;
    for (const each of of) {
      this.#works.add(each, due);
      if (++lines === MOST_LINES) break;
    }
    if (lines === 0) this.#works.add(this, due);
    this.#arm();
  }

  soon(tell: Tell, of: object): void {
    this.#coming.push([of, tell]);
    this.#arm();
  }

  /** Nobody waits for it. `of`: whose it is, where that is known. */
  end(work: Work, of: object = this): void {
    this.#ends.add(of, new Due(work));
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
    const come = this.#coming;
    this.#coming = [];
    for (const [of, tell] of come) this.#tells.add(of, tell);
    const from = this.#clock.monotonic();
    const roomMs = Math.max(LEAST_MS, TURN_MS - lookedFor());
    this.#some(this.#works, WORKS_PER_TURN, from + roomMs / 2);
    this.#tellSome(from + roomMs);
    // However much there is to tell, what ends must not gather.
    if (!this.#ends.isEmpty) {
      const until = Math.max(from + roomMs, this.#clock.monotonic() + LEAST_MS);
      this.#some(this.#ends, ENDS_PER_TURN, until);
    }
    const isOver = this.#works.isEmpty && this.#tells.isEmpty && this.#ends.isEmpty;
    if (!isOver || this.#coming.length > 0) this.#arm();
  };

  #tellSome(until: number): void {
    let left = TOLD_PER_TURN;
    const tell = (each: Tell) => {
      left -= this.#safely(each) ?? 1;
      return true;
    };
    while (left > 0 && !this.#tells.isEmpty) {
      this.#tells.next(tell);
      if (this.#clock.monotonic() >= until) break;
    }
  }

  /** What follows from those stands behind them, and has its place in this turn where there is room. */
  #some(works: Lines<Due>, most: number, until: number): void {
    const work = (due: Due) => {
      if (due.isDone) return false;
      due.isDone = true;
      this.#safely(due.work);
      return true;
    };
    for (let left = most; left > 0 && !works.isEmpty; left--) {
      works.next(work);
      if (this.#clock.monotonic() >= until) break;
    }
  }

  #safely<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      const line = 'xds: what has changed can not be worked out, or told: this is a defect';
      this.#logger.error(line, { error: describeChain(error) });
      return undefined;
    }
  }
}

/** It may stand in several lines. */
class Due {
  readonly work: Work;
  isDone = false;

  constructor(work: Work) {
    this.work = work;
  }
}
