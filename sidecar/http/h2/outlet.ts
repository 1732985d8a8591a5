/** What goes out on a connection: gathered, and written once for each turn of the event loop. */
import type { Socket } from 'node:net';
import type { Clock } from '../../../lib/clock.ts';
import type { Buffered } from '../buffers.ts';
import { endSoon } from '../ending.ts';
import { Outgoing } from './frames.ts';

/** Of what waits to be taken: with more, bodies wait; with far more, whoever asks and does not read is cut. */
const MUCH_BYTES = 256 * 1024;
const TOO_MUCH_BYTES = 8 * 1024 * 1024;

interface Waiting {
  flow(): void;
}

export class Outlet {
  readonly #socket: Socket;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #buffered: Buffered | undefined;
  #counted = 0;
  readonly out = new Outgoing();
  readonly #waiting = new Set<Waiting>();
  #isDue = false;

  /** `buffered`: whose all is that is not taken. */
  constructor(socket: Socket, clock: Pick<Clock, 'after'>, buffered: Buffered | undefined) {
    this.#socket = socket;
    this.#clock = clock;
    this.#buffered = buffered;
    socket.on('drain', () => {
      this.#count();
      this.#drained();
    });
  }

  /** More is not to be written for now. */
  get isCongested(): boolean {
    return this.out.bytes > MUCH_BYTES || this.#socket.writableNeedDrain;
  }

  /** Something is to go out. */
  touched(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#flush);
  }

  /** To be told, once, when more may be written. */
  waits(waiting: Waiting): void {
    this.#waiting.add(waiting);
  }

  forget(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  /** When what is written has gone; see `endSoon`. */
  end(): void {
    this.#flush();
    endSoon(this.#socket, this.#clock);
  }

  readonly #flush = (): void => {
    this.#isDue = false;
    const parts = this.out.take();
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    if (parts.length > 1) socket.cork();
    for (const part of parts) socket.write(part);
    if (parts.length > 1) socket.uncork();
    this.#count();
    if (socket.writableLength > TOO_MUCH_BYTES) socket.destroy();
    // Whoever waited for nothing but this may go on.
    else if (this.#waiting.size > 0) this.#drained();
  };

  #count(): void {
    const { writableNeedDrain, writableLength } = this.#socket;
    const waiting = writableNeedDrain ? writableLength : 0;
    this.#buffered?.keeps(waiting - this.#counted);
    this.#counted = waiting;
  }

  #drained(): void {
    for (const each of [...this.#waiting]) {
      if (this.isCongested) return;
      this.#waiting.delete(each);
      each.flow();
    }
  }
}
