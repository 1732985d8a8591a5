/** What it costs to try patterns on texts that callers write. */

/** Of each text on which one is tried: a path, or a header such as a token, is no longer as a rule. */
const USUAL = { path: 1024, header: 4096 } as const;
/** Of a path in all the ways to read it. */
const USUAL_READINGS = 1024;

class TooMuch extends Error {}

export class Tried {
  /** The letters of a usual request, with each pattern tried on them. */
  usual = USUAL_READINGS;
  /** Of all texts on which one was tried. */
  letters = 0;
  #most = Number.POSITIVE_INFINITY;

  /** From now on one is tried on texts of that kind. */
  takes(text: keyof typeof USUAL): void {
    this.usual += USUAL[text];
  }

  /** Before it is tried on them. */
  add(letters: number): void {
    if (this.letters + letters > this.#most) throw new TooMuch();
    this.letters += letters;
  }

  /** Undefined where that takes more letters: then it ended before. */
  within<T>(letters: number, judge: () => T): T | undefined {
    this.#most = this.letters + letters;
    try {
      return judge();
    } catch (error) {
      if (error instanceof TooMuch) return undefined;
      throw error;
    } finally {
      this.#most = Number.POSITIVE_INFINITY;
    }
  }
}
