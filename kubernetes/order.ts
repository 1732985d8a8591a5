/**
 * Questions about what is followed too. An answer that says how it is now may be overtaken by one that was asked for later, or
 * that whoever follows had meanwhile: it does not go over what is newer.
 */
import { ProconsulError } from '../lib/errors.ts';

/** It changes each time it is asked for: somebody asks again later. */
const MAX_TRIES = 3;

export class Order {
  #asked = 0;
  /** The last question whose answer counted. */
  #taken = 0;
  #followed = 0;

  /** Whoever follows has an answer: it counts, for its next question has whatever came since. */
  followed(): void {
    this.#followed++;
  }

  /** Resolves once it is known as it was after this was called. Rejects as `ask` does, and with ProconsulError 'busy'. */
  async read<T>(ask: () => Promise<T>, take: (answer: T) => void): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const [number, followed] = [++this.#asked, this.#followed];
      const answer = await ask();
      if (number < this.#taken) return;
      if (followed !== this.#followed) continue;
      this.#taken = number;
      take(answer);
      return;
    }
    throw new ProconsulError('busy', 'it changed each time it was asked for');
  }
}
