/**
 * A kept connection to a server, on which one read is asked at a time. It knows as much of HTTP as tells
 * where an answer ends, so that its bytes can be passed on as they come. Whatever it does not know (no
 * length, a connection that is to be closed) it gives up.
 */
import type { Socket } from 'node:net';
import type { ServerInfo } from '../../lib/membership.ts';
import type { ClientSide } from '../../lib/tls/identities.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
const MAX_HEAD_BYTES = 64 * 1024;
const START = 'HTTP/1.1 ';
const LENGTH = /\r\ncontent-length: ?(\d{1,15})\r\n/i;
const KEEPS_OPEN = /\r\nconnection: ?keep-alive\r\n/i;

export interface Head {
  readonly status: number;
  /** With all lines, and the empty one behind them. */
  readonly text: string;
}

/** Who is told of an answer. */
export interface Taker {
  /** Its head has come; false where such an answer is not wanted, and then it breaks. */
  wants(head: Head): boolean;
  /** Its bytes, the head first; false where no more are to come until `resume`. */
  takes(bytes: Buffer): boolean;
  /** It was all; the line is free again. */
  ends(): void;
  /** It never begins, or breaks off. */
  breaks(): void;
  /** Nobody wants it any more: what was taken for it is given back. */
  drops(): void;
}

/** A line hears of no cancelling. */
type Heard = Omit<Taker, 'drops'>;

export interface LineOptions {
  readonly socket: Socket;
  readonly server: ServerInfo;
  readonly side: ClientSide;
  /** It waits for no answer any more. */
  readonly onFree: (line: Line) => void;
  readonly onClosed: (line: Line) => void;
}

export class Line {
  readonly server: ServerInfo;
  readonly side: ClientSide;
  /** For how long nothing was heard of an answer: whoever watches over it counts. */
  quietMs = 0;
  /** For how long an answer may be waited for. */
  beginMs = 0;
  /** An answer came that says neither its length nor that the connection is kept. */
  isStrange = false;
  readonly #options: LineOptions;
  #taker: Heard | undefined;
  /** Of a head that has not come whole. */
  #head: Buffer | undefined;
  /** Of an answer that has begun. */
  #left: number | undefined;
  #isPaused = false;

  constructor(options: LineOptions) {
    const { socket, server, side } = options;
    this.#options = options;
    this.server = server;
    this.side = side;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', () => undefined);
    socket.once('end', () => socket.destroy());
    socket.once('close', () => this.#closed());
  }

  /** Whether an answer has begun. */
  get hasBegun(): boolean {
    return this.#left !== undefined;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** `request` is a read; whoever asked before has been answered. */
  ask(request: Buffer, beginMs: number, taker: Heard): void {
    this.beginMs = beginMs;
    this.#taker = taker;
    this.quietMs = 0;
    this.#options.socket.write(request);
  }

  resume(): void {
    this.#isPaused = false;
    this.#options.socket.resume();
  }

  close(): void {
    this.#options.socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.quietMs = 0;
    const taker = this.#taker;
    // What nobody has asked for belongs to nobody.
    if (taker === undefined) this.close();
    else if (this.#left === undefined) this.#begin(taker, bytes);
    else this.#pass(taker, bytes);
  }

  #begin(taker: Heard, bytes: Buffer): void {
    const all = this.#head === undefined ? bytes : Buffer.concat([this.#head, bytes]);
    const end = all.indexOf(HEAD_END);
    if (end < 0) {
      this.#head = all;
      if (all.length > MAX_HEAD_BYTES) this.close();
      return;
    }
    this.#head = undefined;
    const text = all.toString('latin1', 0, end + HEAD_END.length);
    const bodyBytes = text.startsWith(START) ? lengthIn(text) : undefined;
    this.isStrange = bodyBytes === undefined;
    if (bodyBytes === undefined || !taker.wants({ status: statusIn(text), text })) {
      this.close();
      return;
    }
    this.#left = text.length + bodyBytes;
    this.#pass(taker, all);
  }

  #pass(taker: Heard, bytes: Buffer): void {
    const left = (this.#left ?? 0) - bytes.length;
    if (left < 0) {
      this.close();
      return;
    }
    this.#left = left;
    const goesOn = taker.takes(bytes);
    if (left === 0) this.#end(taker);
    else if (!goesOn) {
      this.#isPaused = true;
      this.#options.socket.pause();
    }
  }

  #end(taker: Heard): void {
    this.#taker = undefined;
    this.#left = undefined;
    this.#options.onFree(this);
    taker.ends();
  }

  #closed(): void {
    const taker = this.#taker;
    this.#taker = undefined;
    this.#options.onClosed(this);
    taker?.breaks();
  }
}

function statusIn(text: string): number {
  return Number(text.slice(START.length, START.length + 3));
}

/** Undefined where it is not said, or the connection is not kept after it. */
function lengthIn(text: string): number | undefined {
  const [, length] = LENGTH.exec(text) ?? [];
  return length === undefined || !KEEPS_OPEN.test(text) ? undefined : Number(length);
}
