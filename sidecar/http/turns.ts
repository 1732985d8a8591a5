/**
 * Requests of one connection of HTTP/1.1, one at a time: who asks for more before he is answered waits. Else what is
 * answered them would wait in memory for those before, and Node would not tell them that their caller has gone.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Buffered } from './buffers.ts';

/**
 * Of those that wait, the heads are read: only behind all that a caller has said it is seen that he has gone. Who says more
 * than this without an answer is not read on meanwhile.
 */
const MAX_READ = 32;
const MAX_READ_BYTES = 64 * 1024;
/** Of a head, beside its letters. */
const HEAD_BYTES = 2048;

interface Waiting {
  readonly begin: () => void;
  readonly bytes: number;
}

export class Turns {
  readonly #socket: Socket;
  readonly #buffered: Pick<Buffered, 'keeps'>;
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #isTaken = false;
  #isPaused = false;
  #isOver = false;

  constructor(socket: Socket, buffered: Pick<Buffered, 'keeps'>) {
    this.#socket = socket;
    this.#buffered = buffered;
  }

  /** How many requests have no whole answer yet. */
  get underWay(): number {
    return this.#waiting.length + (this.#isTaken ? 1 : 0);
  }

  /** Nothing is begun any more: what is asked now would have no answer. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** `begin` is called when those before are answered; never where their caller goes before. */
  take(request: IncomingMessage, response: ServerResponse, begin: () => void): void {
    if (this.#isOver) return;
    const now = () => {
      this.#isTaken = true;
      response.once('close', () => this.#next());
      begin();
    };
    if (this.#isTaken) this.#waits({ begin: now, bytes: HEAD_BYTES + lettersIn(request) });
    else now();
  }

  /** The answer that comes next is the last one. Those before it are still given. */
  end(): void {
    this.#isOver = true;
    // Of what comes behind it something would stay until then.
    if (this.underWay > 0) this.#socket.pause();
  }

  #waits(one: Waiting): void {
    this.#waiting.push(one);
    this.#bytes += one.bytes;
    this.#buffered.keeps(one.bytes);
    if (this.#waiting.length < MAX_READ && this.#bytes < MAX_READ_BYTES) return;
    this.#isPaused = true;
    // All of the request that is under way has come: there is nothing else to read for.
    this.#socket.pause();
  }

  #next(): void {
    this.#isTaken = false;
    const { destroyed, writableEnded } = this.#socket;
    const next = destroyed || writableEnded ? undefined : this.#waiting.shift();
    if (next === undefined) return;
    this.#bytes -= next.bytes;
    this.#buffered.keeps(-next.bytes);
    if (this.#isPaused && !this.#isOver) {
      this.#isPaused = false;
      this.#socket.resume();
    }
    next.begin();
  }
}

function lettersIn({ url = '', rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((sum, each) => sum + each.length, url.length);
}
