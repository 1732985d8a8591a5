/** Keeps the last bytes of an output, however long it grows. */
export class OutputTail {
  readonly #maxBytes: number;
  #kept = Buffer.alloc(0);
  #total = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(part: Buffer): void {
    this.#total += part.length;
    const all = part.length >= this.#maxBytes ? part : Buffer.concat([this.#kept, part]);
    // A copy, so that a short tail does not hold a long buffer.
    this.#kept = Buffer.from(all.subarray(Math.max(0, all.length - this.#maxBytes)));
  }

  get total(): number {
    return this.#total;
  }

  get text(): string {
    return this.#kept.toString();
  }

  /** The text, saying so at the top when it is not all. */
  get captured(): string {
    if (this.#total <= this.#maxBytes) return this.text;
    return `Captured ${this.#kept.length} of ${this.#total} bytes\n...\n${this.text}`;
  }
}
