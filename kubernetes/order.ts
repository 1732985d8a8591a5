/**
 * Questions about what is followed too. An answer that says how it is now may be overtaken by one that was asked for later, or
 * that whoever follows had meanwhile: it does not go over what is newer.
 */
export class Order {
  #asked = 0;
  /** The last question whose answer counted. */
  #taken = 0;
  #followed = 0;

  /** Whoever follows has an answer: it counts, for its next question has whatever came since. */
  followed(): void {
    this.#followed++;
  }

  /** Resolves once it is known as it was after this was called. Rejects as `ask` does. */
  async read<T>(ask: () => Promise<T>, take: (answer: T) => void): Promise<void> {
    const first = this.#followed;
    for (;;) {
      const [number, followed] = [++this.#asked, this.#followed];
      const answer = await ask();
      // Whoever follows asked for the second answer after the first: it is as new as this was to be.
      if (number < this.#taken || this.#followed - first > 1) return;
      if (followed !== this.#followed) continue;
      this.#taken = number;
      take(answer);
      return;
    }
  }
}
