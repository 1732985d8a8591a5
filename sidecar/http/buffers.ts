/**
 * What is kept in memory because somebody does not take it: of all connections of this process together, so that
 * many callers who read nothing cost no more than one. Where there is no room left, whoever keeps the most is cut:
 * never somebody who takes what he is sent.
 */
import type { Socket } from 'node:net';

/** What a socket may still read after it was told to wait. */
export const PAUSED_BYTES = 64 * 1024;

export interface BuffersOptions {
  readonly maxBytes: number;
  /** Breaks a caller's connection, which kept so much. */
  readonly cut: (caller: Socket, bytes: number) => void;
}

export class Buffers {
  readonly #options: BuffersOptions;
  readonly #all = new Set<Buffered>();
  #bytes = 0;
  #cuts = 0;
  #isDue = false;

  constructor(options: BuffersOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Callers that were cut. */
  get cuts(): number {
    return this.#cuts;
  }

  /** What a caller's connection keeps, until it closes. */
  of(caller: Socket): Buffered {
    const buffered = new Buffered(caller, (bytes) => this.#keeps(bytes));
    this.#all.add(buffered);
    caller.once('close', () => this.#forget(buffered));
    return buffered;
  }

  #keeps(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#options.maxBytes || this.#isDue) return;
    this.#isDue = true;
    // Whoever keeps more by this is in the middle of something; no more is read before it is done.
    process.nextTick(this.#cut);
  }

  readonly #cut = (): void => {
    this.#isDue = false;
    while (this.#bytes > this.#options.maxBytes) {
      let most: Buffered | undefined;
      for (const each of this.#all) if (each.bytes > (most?.bytes ?? 0)) most = each;
      if (most === undefined) return;
      const { caller, bytes } = most;
      this.#cuts++;
      this.#forget(most);
      this.#options.cut(caller, bytes);
    }
  };

  #forget(buffered: Buffered): void {
    this.#all.delete(buffered);
    buffered.over();
  }
}

export class Buffered {
  readonly caller: Socket;
  readonly #told: (bytes: number) => void;
  #bytes = 0;
  #isOver = false;

  constructor(caller: Socket, told: (bytes: number) => void) {
    this.caller = caller;
    this.#told = told;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** So much more, or less where it is below 0. */
  keeps(bytes: number): void {
    if (this.#isOver || bytes === 0) return;
    this.#bytes += bytes;
    this.#told(bytes);
  }

  /** What is kept for it goes with it. */
  over(): void {
    this.keeps(-this.#bytes);
    this.#isOver = true;
  }
}
