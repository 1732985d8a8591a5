/** What checks said, each text once, for as long as a change has it. */
import { MAX_TEXT } from '../../../lib/limits.ts';

/** Of all together, in characters. What comes beyond it is not kept; the change is. */
const MAX_ALL = 32 * 1024 * 1024;

export class Texts {
  readonly #ids = new Map<string, number>();
  /** By id; 0 is none. */
  readonly #texts: string[];
  readonly #uses: number[] = [0];
  readonly #free: number[] = [];
  #size = 0;

  constructor(texts: string[] = ['']) {
    this.#texts = texts;
  }

  /** In characters. */
  get size(): number {
    return this.#size;
  }

  /** For reading: what these are now. */
  copy(): Texts {
    return new Texts(this.#texts.slice());
  }

  text(id: number): string {
    return this.#texts[id] ?? '';
  }

  /** The very text that is kept, where one like it is. */
  kept(text: string): string {
    const id = this.#ids.get(text);
    return id === undefined ? text : this.text(id);
  }

  /** The id of the text, which has one use more. */
  use(text: string): number {
    const kept = cut(text);
    if (kept === '') return 0;
    const known = this.#ids.get(kept);
    if (known !== undefined) {
      this.#uses[known] = (this.#uses[known] ?? 0) + 1;
      return known;
    }
    if (this.#size + kept.length > MAX_ALL) return 0;
    const id = this.#free.pop() ?? this.#texts.length;
    this.#ids.set(kept, id);
    this.#texts[id] = kept;
    this.#uses[id] = 1;
    this.#size += kept.length;
    return id;
  }

  drop(id: number): void {
    if (id === 0) return;
    const uses = (this.#uses[id] ?? 0) - 1;
    this.#uses[id] = uses;
    if (uses > 0) return;
    const text = this.text(id);
    this.#ids.delete(text);
    this.#texts[id] = '';
    this.#size -= text.length;
    this.#free.push(id);
  }
}

/** A copy: a part of a string keeps the whole of it in memory, and an output may be long. */
function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : Buffer.from(text.slice(0, MAX_TEXT)).toString();
}
