/** All of an answer that a line brings, for those that many are told. */
import type { Claim } from '../../lib/body-room.ts';
import { HeldBody, type ServerAnswer } from './answer.ts';
import type { Head, Taker } from './line.ts';
import { PASSED_STATUS } from './passed-read.ts';

export class WholeAnswer implements Taker {
  readonly #claim: Claim;
  /** Undefined where it has to be asked the long way. */
  readonly #tell: (answer: ServerAnswer | undefined) => void;
  #status = 0;
  #headers: Record<string, string> = {};
  #body: HeldBody | undefined;
  /** Bytes of the head that are still to come. */
  #head = 0;

  constructor(claim: Claim, tell: (answer: ServerAnswer | undefined) => void) {
    this.#claim = claim;
    this.#tell = tell;
  }

  wants({ status, text }: Head): boolean {
    if (!PASSED_STATUS.has(status)) return false;
    this.#status = status;
    this.#headers = headersIn(text);
    this.#head = text.length;
    try {
      this.#body = new HeldBody(this.#headers, this.#claim);
    } catch {
      // There is no room for it, which the long way says.
      return false;
    }
    return true;
  }

  takes(bytes: Buffer): boolean {
    const head = this.#head;
    this.#head = 0;
    this.#body?.take(head === 0 ? bytes : bytes.subarray(head));
    return true;
  }

  ends(): void {
    this.#claim.end();
    const body = this.#body?.whole() ?? Buffer.alloc(0);
    this.#tell({ status: this.#status, headers: this.#headers, body });
  }

  breaks(): void {
    this.#claim.end();
    this.#tell(undefined);
  }

  drops(): void {
    this.#claim.end();
  }
}

/** By names in small letters, as Node has them. Of a name that comes twice the last counts: ours come once. */
function headersIn(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of text.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return headers;
}
