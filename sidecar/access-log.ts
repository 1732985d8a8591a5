/** A line for each connection or request that is over. */

export interface AccessLine {
  readonly upstream: string;
  readonly from: string;
  /** '' where none took it. */
  readonly host: string;
  readonly tries: number;
  readonly ms: number;
  /** Bytes from the caller, and back to it. */
  readonly sent: number;
  readonly received: number;
  /** '' where it came to its end. */
  readonly fault: string;
  /** Of a request by HTTP. */
  readonly method?: string;
  readonly authority?: string;
  /** Without its query. */
  readonly path?: string;
  readonly status?: number;
}

export interface AccessOutput {
  readonly write: (text: string) => void;
  /** Of what was written, how many bytes nobody has read yet. */
  readonly waiting: () => number;
  /** Lines that could not be written. */
  readonly unwritten: () => number;
}

/** With more than this, whoever reads has stopped: calls go on, and are not kept in memory for him. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

export class AccessLog {
  readonly #output: AccessOutput;
  #unread = 0;

  constructor(output: AccessOutput) {
    this.#output = output;
  }

  /** Lines that nobody was there to read, or that found no room. */
  get lost(): number {
    return this.#unread + this.#output.unwritten();
  }

  /** As JSON, which has no line ends in it, whatever a name is. */
  add(line: AccessLine, nowMs: number): void {
    const { write, waiting } = this.#output;
    if (waiting() > MAX_WAITING_BYTES) this.#unread++;
    else write(`${JSON.stringify({ time: new Date(nowMs).toISOString(), ...line })}\n`);
  }
}
