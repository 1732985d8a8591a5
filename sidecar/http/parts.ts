/**
 * Parts of a body that wait, in their order. They hold little more than they count: a small part would keep all
 * that came with it alive, and is more to the heap than what it says.
 */

/** From here on a part may stay where it is, unless it is a small share of that. */
const LARGE_BYTES = 4096;
const MAX_SHARE = 4;
const NOTHING: Buffer = Buffer.alloc(0);
const [FIRST_STAGE_BYTES, STAGE_BYTES] = [256, 16 * 1024];

export class Parts {
  readonly #told: ((bytes: number) => void) | undefined;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Where small ones are put together: from `#from` to `#at` they wait, behind all others. */
  #stage = NOTHING;
  #from = 0;
  #at = 0;

  /** `told`: of each change, how many bytes more wait, or fewer where it is below 0. */
  constructor(told?: (bytes: number) => void) {
    this.#told = told;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    const isAlone = chunk.length >= LARGE_BYTES || this.#bytes === 0;
    this.#count(chunk.length);
    if (isAlone && chunk.length * MAX_SHARE >= chunk.buffer.byteLength) {
      this.#close();
      this.#parts.push(chunk);
      return;
    }
    for (let from = 0; from < chunk.length; ) {
      if (this.#at === this.#stage.length) this.#renew();
      const bytes = chunk.copy(this.#stage, this.#at, from);
      this.#at += bytes;
      from += bytes;
    }
  }

  /** What is next, as much as there is in one piece; undefined where nothing waits. */
  take(most: number): Buffer | undefined {
    if (this.#parts.length === 0) this.#close();
    const [first] = this.#parts;
    if (first === undefined) return undefined;
    const part = first.length <= most ? first : first.subarray(0, most);
    if (part === first) this.#parts.shift();
    else this.#parts[0] = first.subarray(most);
    this.#count(-part.length);
    return part;
  }

  /** All of them; they stay. */
  all(): readonly Buffer[] {
    this.#close();
    return this.#parts;
  }

  clear(): void {
    this.#parts = [];
    this.#count(-this.#bytes);
    this.#stage = NOTHING;
    [this.#from, this.#at] = [0, 0];
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (bytes !== 0) this.#told?.(bytes);
  }

  #close(): void {
    if (this.#at === this.#from) return;
    this.#parts.push(this.#stage.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }

  #renew(): void {
    this.#close();
    const bytes = Math.min(STAGE_BYTES, Math.max(FIRST_STAGE_BYTES, this.#bytes));
    this.#stage = Buffer.allocUnsafe(bytes);
    [this.#from, this.#at] = [0, 0];
  }
}
