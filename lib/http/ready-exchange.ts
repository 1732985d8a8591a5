/**
 * A request whose head was known and whose body came with it, or that no socket brings, and its answer: what an exchange
 * needs of Node's message and response, without the parser and the streams that those are made of.
 */
import assert from 'node:assert/strict';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { writeOnce } from './fast/ready-bytes.ts';
import type { Reply, Wire } from './reply.ts';

/** Either kind. */
export type Message = IncomingMessage | ReadyMessage;
export type Response = ServerResponse | ReadyResponse;

/** Begins its exchange; false where that needs Node's own objects, and nothing has begun. */
export type Begin = (message: ReadyMessage, response: ReadyResponse) => boolean;

/** Of an answer that is told as it comes. */
export type Parts = NonNullable<Reply['stream']>;

interface Head {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

export class ReadyMessage implements Head {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly socket: Socket;
  /** The body. */
  readonly whole: Buffer;
  readonly httpVersion = '1.1';
  readonly complete = true;

  constructor({ method, url, headers, rawHeaders }: Head, socket: Socket, whole: Buffer) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.rawHeaders = rawHeaders;
    this.socket = socket;
    this.whole = whole;
  }

  /** There is nothing left to be read. */
  resume(): void {}
}

export interface Ending {
  /** Whether the connection ends with this answer. */
  readonly isLast: () => boolean;
  /** All of it was taken; `closes`: the connection has ended with it. */
  readonly over: (closes: boolean) => void;
}

export class ReadyResponse {
  statusCode = 200;
  headersSent = false;
  readonly #socket: Socket;
  readonly #ending: Ending;
  #onClose: (() => void)[] = [];
  #isOver = false;

  constructor(socket: Socket, ending: Ending) {
    this.#socket = socket;
    this.#ending = ending;
  }

  get destroyed(): boolean {
    return this.#isOver || this.#socket.destroyed;
  }

  get shouldKeepAlive(): boolean {
    return !this.#ending.isLast();
  }

  /** When it is answered, or the client has gone. */
  once(_event: 'close', call: () => void): void {
    this.#onClose.push(call);
  }

  /** Throws where a large one finds no room, and then has sent nothing. */
  send(wire: Wire): void {
    writeOnce(this.#socket, wire, {
      isLast: this.#ending.isLast(),
      begins: () => {
        this.statusCode = wire.status;
        this.headersSent = true;
      },
      sent: (closes) => {
        if (this.#isOver) return;
        this.#close();
        this.#ending.over(closes);
      },
    });
  }

  /** Only what nobody reads from a socket is answered so: a head is learnt of writes, which are answered in one piece. */
  stream(_head: Omit<Wire, 'body'>, _parts: Parts): Promise<void> {
    assert.fail('a write is answered in one piece');
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The client has gone. */
  gone(): void {
    if (!this.#isOver) this.#close();
  }

  #close(): void {
    this.#isOver = true;
    for (const call of this.#onClose) call();
    this.#onClose = [];
  }
}
