/**
 * The body of a request on its way to the host that takes it. As long as another may have to take it, what has
 * gone out is kept, within a limit; beyond it the request goes to the first alone.
 */
import type { Fields } from './fields.ts';
import type { IncomingBody } from './incoming.ts';
import { Parts } from './parts.ts';
import type { Sending } from './sending.ts';

/** Of one request. */
const MAX_KEPT_BYTES = 64 * 1024;
/** Of all that are under way in this process. */
const MAX_ALL_BYTES = 64 * 1024 * 1024;

let allBytes = 0;

export interface BodySource {
  readonly body: IncomingBody;
  trailers(): Fields;
}

export class Body {
  readonly #source: BodySource;
  readonly #onEnd: () => void;
  #kept: Parts | undefined = new Parts();
  #sending: Sending | undefined;
  #isRead = false;
  #isOver = false;
  bytes = 0;

  /** `onEnd`: all of it has come. */
  constructor(source: BodySource, onEnd: () => void) {
    this.#source = source;
    this.#onEnd = onEnd;
  }

  /** Whether another may have it from its beginning. */
  get canRepeat(): boolean {
    return this.#kept !== undefined;
  }

  /** All of it has come. */
  get isWhole(): boolean {
    return this.#isOver;
  }

  /** From its beginning. */
  sendTo(sending: Sending): void {
    this.#sending = sending;
    for (const chunk of this.#kept?.all() ?? []) sending.write(chunk);
    if (this.#isOver) sending.end(this.#source.trailers());
    else this.#read();
  }

  /** What has not come yet is left where it is. */
  detach(): void {
    this.#sending = undefined;
    if (!this.#isOver) this.#source.body.pause();
  }

  drained(): void {
    if (!this.#isOver) this.#source.body.resume();
  }

  /** Nobody else will have it. */
  letGo(): void {
    allBytes -= this.#kept?.bytes ?? 0;
    this.#kept = undefined;
  }

  /** Whatever still comes is of no use. */
  discard(): void {
    this.letGo();
    this.#sending = undefined;
    if (!this.#isOver) this.#read();
  }

  #read(): void {
    const { body } = this.#source;
    if (!this.#isRead) {
      this.#isRead = true;
      body.takenBy({ came: (chunk) => this.#came(chunk), ended: () => this.#ended() });
    }
    body.resume();
  }

  #came(chunk: Buffer): void {
    this.bytes += chunk.length;
    this.#keep(chunk);
    if (this.#sending?.write(chunk) === false) this.#source.body.pause();
  }

  #keep(chunk: Buffer): void {
    if (this.#kept === undefined) return;
    const isTooMuch =
      this.#kept.bytes + chunk.length > MAX_KEPT_BYTES || allBytes + chunk.length > MAX_ALL_BYTES;
    if (isTooMuch) {
      this.letGo();
      return;
    }
    this.#kept.push(chunk);
    allBytes += chunk.length;
  }

  #ended(): void {
    this.#isOver = true;
    this.#sending?.end(this.#source.trailers());
    this.#onEnd();
  }
}
