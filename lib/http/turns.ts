/**
 * How many requests begin in one turn of the event loop. While more than a thousand sockets have something
 * to be read, Node polls them up to 48 times before any timer has its turn: thousands of clients who ask
 * without a pause would hold up beats, leases and the end of the process for ten seconds. What comes when
 * a turn has no room waits until the loop has been around, in the order in which it came.
 */

/** Some milliseconds, where each is parsed and refused. */
const AT_ONCE = 64;
/** To begin a count costs as much as a small answer: it is begun when it may be needed. */
const COUNTED_FROM = 32;

export interface Comer {
  begin(): void;
}

/** Of one listener. */
export class Turns {
  #begun = 0;
  #isArmed = false;
  readonly #waiting = new Set<Comer>();

  /** Whether one more may begin in this turn, which then has begun. */
  beginsNow(): boolean {
    if (this.#waiting.size > 0 || this.#begun >= AT_ONCE) return false;
    if (++this.#begun >= COUNTED_FROM) this.#arm();
    return true;
  }

  /** It begins when its turn has come. */
  wait(comer: Comer): void {
    this.#waiting.add(comer);
    this.#arm();
  }

  isWaiting(comer: Comer): boolean {
    return this.#waiting.has(comer);
  }

  leave(comer: Comer): void {
    this.#waiting.delete(comer);
  }

  #arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    setImmediate(() => this.#next());
  }

  #next(): void {
    this.#isArmed = false;
    this.#begun = 0;
    for (const comer of this.#waiting) {
      if (this.#begun >= AT_ONCE) break;
      this.#begun++;
      this.#waiting.delete(comer);
      comer.begin();
    }
    if (this.#waiting.size > 0) this.#arm();
  }
}
