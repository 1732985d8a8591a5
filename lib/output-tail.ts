/** Outputs are cut in one way, whatever made them: by bytes, at the start of a character, the end kept. */

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
    if (this.#total <= this.#maxBytes) return this.#kept.toString();
    return this.#kept.subarray(startOfCharacter(this.#kept)).toString();
  }

  /** The text, saying so at the top when it is not all. */
  get captured(): string {
    if (this.#total <= this.#maxBytes) return this.text;
    return `Captured ${this.#kept.length} of ${this.#total} bytes\n...\n${this.text}`;
  }
}

/** What is kept of an output that is there as a whole. */
export function cutOutput(output: string, maxBytes: number): string {
  // No character has more than three bytes for each of its units.
  if (output.length * 3 <= maxBytes) return output;
  const tail = new OutputTail(maxBytes);
  tail.push(Buffer.from(output));
  return tail.captured;
}

/** The rest of a character that was cut through, at most three bytes, goes. */
function startOfCharacter(bytes: Buffer): number {
  let at = 0;
  while (at < 3 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  return at;
}
