/** Says what is new of a thing, once: what goes on failing in the same way is no news. */
export class Notices {
  readonly #say: (text: string) => void;
  /** By what it is about: what was said last. */
  readonly #said = new Map<string, string>();

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** `text` is how it stands with the thing; it is said where something else was said before. */
  tell(about: string, text: string): void {
    if (this.#said.get(about) === text) return;
    this.#said.set(about, text);
    this.#say(text);
  }

  /** It is well again, or gone. Answers whether anything had been said of it. */
  clear(about: string): boolean {
    return this.#said.delete(about);
  }
}
