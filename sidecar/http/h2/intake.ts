/** What comes on all streams of a connection: how much more may, and how much of it nobody has taken yet. */
import { SESSION_WINDOW } from './settings.ts';

/**
 * Of what has come and nobody takes: from then on the connection of a caller is held up. That to a host is shared by
 * callers who have nothing to do with one another, and has no more streams than are opened here.
 */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
/** Streams that were reset here: what is still on its way there is no fault. */
const MAX_RESET_KNOWN = 4096;

export class Intake {
  readonly #maxKept: number;
  readonly #widen: (bytes: number) => void;
  readonly #reset = new Set<number>();
  #left = SESSION_WINDOW;
  #owed = 0;
  #kept = 0;

  /** `widen`: is told how much more may come. */
  constructor(isServer: boolean, widen: (bytes: number) => void) {
    this.#maxKept = isServer ? MAX_KEPT_BYTES : Number.POSITIVE_INFINITY;
    this.#widen = widen;
  }

  /** False where that is more than may. */
  came(bytes: number): boolean {
    this.#left -= bytes;
    this.#owed += bytes;
    return this.#left >= 0;
  }

  /** So much more is kept, or less where it is below 0: then the connection may have been held up by it. */
  keeps(bytes: number): void {
    this.#kept += bytes;
    if (bytes < 0) this.letMoreCome();
  }

  letMoreCome(): void {
    if (this.#owed * 2 < SESSION_WINDOW || this.#kept > this.#maxKept) return;
    this.#widen(this.#owed);
    this.#left += this.#owed;
    this.#owed = 0;
  }

  wasReset(stream: number): void {
    this.#reset.add(stream);
    if (this.#reset.size <= MAX_RESET_KNOWN) return;
    const [oldest = 0] = this.#reset;
    this.#reset.delete(oldest);
  }

  /** Whether it may still come for a stream that is over here. */
  isLate(stream: number): boolean {
    return this.#reset.has(stream);
  }
}
