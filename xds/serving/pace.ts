/** A change may have to be told to thousands of streams: some are told in a turn, and what else waits comes between. */

/** Some milliseconds of writing. */
const PER_TURN = 32;

export class Pace {
  /** Each stream is in it once at most. */
  #waiting: (() => void)[] = [];

  soon(tell: () => void): void {
    if (this.#waiting.push(tell) === 1) setImmediate(this.#some);
  }

  readonly #some = (): void => {
    // Whoever comes meanwhile stands behind those that wait.
    const [now, later] = [this.#waiting.slice(0, PER_TURN), this.#waiting.slice(PER_TURN)];
    this.#waiting = later;
    if (later.length > 0) setImmediate(this.#some);
    for (const tell of now) tell();
  };
}
