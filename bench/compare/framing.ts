/** As much parsing of answers on one connection as tells when each is whole. */

const HEAD_END = '\r\n\r\n';
const CHUNKED_END = Buffer.from('0\r\n\r\n');

export class Framing {
  #head = '';
  #left = Number.NaN;
  #tail = Buffer.alloc(0);

  /** The head of the answer that this is the last of. */
  take(chunk: Buffer): string | undefined {
    let body = chunk;
    if (this.#head === '') {
      const at = chunk.indexOf(HEAD_END);
      this.#head = chunk.toString('latin1', 0, at + HEAD_END.length);
      const length = /content-length: (\d+)/i.exec(this.#head)?.[1];
      this.#left = length === undefined ? Number.NaN : Number(length);
      body = chunk.subarray(at + HEAD_END.length);
    }
    if (!this.#isWhole(body)) return undefined;
    const head = this.#head;
    this.forget();
    return head;
  }

  /** The next is of another connection. */
  forget(): void {
    this.#head = '';
    this.#left = Number.NaN;
    this.#tail = Buffer.alloc(0);
  }

  #isWhole(body: Buffer): boolean {
    if (Number.isNaN(this.#left)) {
      // A copy of the last bytes alone: what came may be read over by the next.
      const last = body.subarray(-CHUNKED_END.length);
      this.#tail = Buffer.concat([this.#tail, last]).subarray(-CHUNKED_END.length);
      return this.#tail.equals(CHUNKED_END);
    }
    this.#left -= body.length;
    return this.#left <= 0;
  }
}
