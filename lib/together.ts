/**
 * Short answers that are ready in the turn in which they were asked for: the first goes out at once, the others
 * together, when all that lay at the sockets is read. Each that goes out by itself wakes a client, who runs in between
 * and asks again: thirty who asked without a pause took a sixth more of the processor.
 */
import { loop } from './clock.ts';

/** After so many turns in a row with one answer each, as many answers are taken to be alone too; then it is looked again. */
const ALONE_TURNS = 4;
const ALONE_FOR = 64;

type Send = () => void;

export class Together {
  readonly #onceOver: (call: () => void) => void;
  /** Undefined in a turn that has had no answer yet. */
  #waiting: Send[] | undefined;
  #turnsAlone = 0;
  /** How many more go out without a look at how many there are. */
  #unlooked = 0;

  /** `onceOver`: calls when the turn is over. */
  constructor(onceOver: (call: () => void) => void = (call) => loop.nextTurn(call)) {
    this.#onceOver = onceOver;
  }

  send(send: Send): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(send);
      return;
    }
    if (this.#unlooked > 0) this.#unlooked--;
    else {
      this.#waiting = [];
      this.#onceOver(() => this.#over());
    }
    send();
  }

  #over(): void {
    const all = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#turnsAlone = all.length > 0 ? 0 : this.#turnsAlone + 1;
    if (this.#turnsAlone >= ALONE_TURNS) this.#unlooked = ALONE_FOR;
    for (const send of all) send();
  }
}
