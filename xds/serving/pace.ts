/** A change may have to be told to thousands of streams: some are told in a turn, and what else waits comes between. */

/** Of streams that have little to look at: some milliseconds of writing. */
const PER_TURN = 32;

/** Says how many such streams it was worth. */
type Tell = () => number;

export class Pace {
  /** Each stream is in it once at most. */
  #waiting: Tell[] = [];

  soon(tell: Tell): void {
    if (this.#waiting.push(tell) === 1) setImmediate(this.#some);
  }

  readonly #some = (): void => {
    // Whoever comes meanwhile stands behind those that wait.
    const now = this.#waiting;
    this.#waiting = [];
    let at = 0;
    for (let left = PER_TURN; left > 0 && at < now.length; at++) left -= now[at]?.() ?? 1;
    const later = now.slice(at);
    if (later.length === 0) return;
    // Where some came it was armed by them.
    if (this.#waiting.length === 0) setImmediate(this.#some);
    this.#waiting = [...later, ...this.#waiting];
  };
}
