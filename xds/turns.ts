/**
 * How much is begun in one turn of the event loop for all who ask by xDS together: one client may name thousands of
 * services, and a hundred clients as many each. What has no room waits, in a line by address, and of these each has its
 * next in turn; whatever else the process does comes between.
 */
import type { Account } from './accounts.ts';
import { Lines } from './lines.ts';

/** What it takes to follow a name that nobody has asked for yet, and to ask the agent one question. */
export const NAME = 1;
export const QUESTION = 4;
/** Some twenty milliseconds. */
const PER_TURN = 64;

export class Waiting {
  readonly units: number;
  readonly turn: Promise<void>;
  readonly #isOver: () => boolean;
  readonly #onBegun: () => void;
  #begin = (): void => undefined;
  #isDone = false;

  constructor(units: number, isOver: () => boolean, onBegun: () => void) {
    this.#onBegun = onBegun;
    this.units = units;
    this.#isOver = isOver;
    this.turn = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  /** What it takes now: nothing where nobody waits for it any more. */
  begin(): number {
    if (this.#isDone) return 0;
    this.#isDone = true;
    this.#onBegun();
    this.#begin();
    return this.#isOver() ? 0 : this.units;
  }
}

/** Of one process. */
export class Turns {
  #left = PER_TURN;
  #isArmed = false;
  #waiting = 0;
  readonly #lines = new Lines<Waiting>();

  /** However many lines each stands in. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Undefined where it may begin at once. */
  take(account: Account, units: number, isOver: () => boolean): Waiting | undefined {
    this.#arm();
    if (this.#lines.isEmpty && this.#left > 0) {
      this.#left -= units;
      return undefined;
    }
    this.#waiting++;
    const waiting = new Waiting(units, isOver, () => this.#waiting--);
    this.also(waiting, account);
    return waiting;
  }

  /** Somebody else needs it too: it stands in both lines. */
  also(waiting: Waiting, account: Account): void {
    this.#lines.add(account, waiting);
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    setImmediate(() => this.#next());
  }

  #next(): void {
    this.#isArmed = false;
    this.#left = PER_TURN;
    const begin = (waiting: Waiting) => {
      const took = waiting.begin();
      this.#left -= took;
      return took > 0;
    };
    while (this.#left > 0 && !this.#lines.isEmpty) this.#lines.next(begin);
    if (!this.#lines.isEmpty) this.#arm();
  }
}
