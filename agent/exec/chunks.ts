/** What a program says, in parts that go into a key each: a part is large, or nothing followed for a moment. */
import type { Readable } from 'node:stream';
import type { Cancel, Clock } from '../../lib/clock.ts';

const MAX_BYTES = 16 * 1024;
/** So long a part waits for more. */
const IDLE_MS = 100;
const NOTHING = Buffer.alloc(0);

export class Chunks {
  readonly #stream: Readable;
  readonly #clock: Clock;
  #pending: Buffer = NOTHING;
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(stream: Readable, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    stream.on('data', (part: Buffer) => {
      this.#pending = Buffer.concat([this.#pending, part]);
      // What is not read yet stays in the pipe, and then in the program.
      if (this.#pending.length >= MAX_BYTES) stream.pause();
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    stream.once('end', end);
    stream.once('close', end);
    stream.once('error', end);
  }

  /** The next part; an empty one where the program said nothing for so long, undefined at its end. */
  async next(quietMs: number): Promise<Buffer | undefined> {
    while (this.#pending.length < MAX_BYTES && !this.#ended) {
      const waitMs = this.#pending.length === 0 ? quietMs : IDLE_MS;
      if (!(await this.#woken(waitMs))) break;
    }
    const part = this.#take();
    return part.length === 0 && this.#ended ? undefined : part;
  }

  #take(): Buffer {
    const pending = this.#pending;
    const end = pending.length <= MAX_BYTES ? pending.length : beforeCharacter(pending, MAX_BYTES);
    this.#pending = pending.subarray(end);
    if (this.#pending.length < MAX_BYTES) this.#stream.resume();
    return pending.subarray(0, end);
  }

  /** False where nothing came in time. */
  #woken(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      let cancel: Cancel = () => undefined;
      const settle = (isNews: boolean) => {
        cancel();
        this.#wake = () => undefined;
        resolve(isNews);
      };
      cancel = this.#clock.after(ms, () => settle(false));
      this.#wake = () => settle(true);
    });
  }
}

/** Where the character begins that the limit would cut through. */
function beforeCharacter(bytes: Buffer, limit: number): number {
  let at = limit;
  while (at > limit - 3 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at--;
  return at;
}
