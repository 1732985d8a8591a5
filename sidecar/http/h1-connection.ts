/** One connection of HTTP/1.1 to a host: one request at a time. */
import type { Socket } from 'node:net';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { reset } from '../relay.ts';
import { type AnswerHead, AnswerParser } from './answer-parser.ts';
import { PAUSED_BYTES } from './buffers.ts';
import type { Fields } from './fields.ts';
import type { Head } from './head.ts';
import type { Failure } from './retry-rules.ts';
import type { Connection, Sending, Taking } from './sending.ts';

/** A host may say that it keeps connections for so long; before that it is left alone. */
const MARGIN_MS = 1000;

export interface H1Owner {
  /** It may be leased again. */
  idle(connection: H1Connection): void;
  /** It is not there any more. */
  gone(connection: H1Connection): void;
}

export class H1Connection implements Connection {
  readonly #socket: Socket;
  readonly #owner: H1Owner;
  readonly #parser: AnswerParser;
  #call: Call | undefined;
  #upgraded: AnswerHead | undefined;
  #isGone = false;
  #uses = 0;

  constructor(socket: Socket, owner: H1Owner, idleMs: number) {
    this.#socket = socket;
    this.#owner = owner;
    this.#parser = new AnswerParser({
      head: (head, isLast) => this.#answered(head, isLast),
      data: (chunk) => this.#call?.taking.data(chunk),
      end: (trailers) => this.#over((call) => call.taking.ended(trailers)),
    });
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => this.#call?.taking.drained());
    socket.on('end', () => this.#closed('connection termination'));
    // An answer that goes on to the end of its connection is not whole where that broke.
    socket.on('error', (error) => this.#lost(messageOf(error)));
    socket.on('close', () => this.#closed('connection termination'));
    if (idleMs > 0) {
      socket.setTimeout(idleMs, () => {
        if (this.#call === undefined) this.destroy();
      });
    }
  }

  /** For so long it is sure to be taken by the host; 0 where the host says nothing of it. */
  get keepsMs(): number {
    const { keepsSeconds } = this.#parser;
    return keepsSeconds === 0 ? 0 : Math.max(1, keepsSeconds * 1000 - MARGIN_MS);
  }

  send(head: Head, taking: Taking): Sending {
    const call = new Call(this, this.#socket, head, taking);
    this.#call = call;
    this.#uses++;
    this.#parser.asked(head.method);
    if (head.length !== 0) this.gather();
    this.#socket.write(textOf(head), 'latin1');
    return call;
  }

  /** What is written in this turn goes out in one piece: a caller may say his body byte by byte. */
  gather(): void {
    if (this.#socket.writableCorked > 0) return;
    this.#socket.cork();
    process.nextTick(() => this.#socket.uncork());
  }

  back(): void {
    if (!this.#isGone) this.#owner.idle(this);
  }

  /** Nobody waits any more for what comes: it cannot be read as anybody else's. */
  abort(): void {
    this.#release();
    this.#forget();
    reset(this.#socket);
  }

  destroy(): void {
    this.#forget();
    this.#socket.destroy();
  }

  #forget(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#owner.gone(this);
  }

  /** Whose call it was has no power over it any more. */
  #release(): Call | undefined {
    const call = this.#call;
    this.#call = undefined;
    call?.over();
    return call;
  }

  #read(chunk: Buffer): void {
    if (this.#isGone) return;
    try {
      const rest = this.#parser.push(chunk);
      if (this.#upgraded !== undefined) this.#handOver(this.#upgraded, rest);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      this.#broken({ kind: 'reset', message: error.message });
    }
  }

  #answered(head: AnswerHead, isLast: boolean): void {
    if (head.status === 101) {
      if (this.#call?.isUpgrade !== true) throw notAsked();
      this.#upgraded = head;
    } else if (isLast) this.#over((call) => call.taking.answered(head, true));
    else this.#call?.taking.answered(head, false);
  }

  /** Told last: whoever hears of it may want the connection for the next request. */
  #over(tell: (call: Call) => void): void {
    const call = this.#release();
    if (call === undefined) return;
    // Who answers before the request was over may read the rest of it as the next.
    if (this.#parser.isReusable && call.isSent) {
      if (this.#socket.isPaused()) this.#socket.resume();
      this.#owner.idle(this);
    } else this.destroy();
    tell(call);
  }

  #handOver(head: AnswerHead, rest: Buffer = Buffer.alloc(0)): void {
    const call = this.#release();
    this.#forget();
    const socket = this.#socket;
    for (const event of ['data', 'drain', 'end', 'error', 'close', 'timeout']) {
      socket.removeAllListeners(event);
    }
    socket.setTimeout(0);
    socket.pause();
    call?.taking.upgraded(head, socket, rest);
  }

  #closed(why: string): void {
    if (this.#isGone) return;
    const isWhole = this.#call !== undefined && this.#parser.closed();
    if (!isWhole) this.#broken({ kind: 'reset', message: why });
  }

  #lost(why: string): void {
    if (!this.#isGone) this.#broken({ kind: 'reset', message: why });
  }

  #broken(failure: Failure): void {
    const isStale = this.#uses > 1 && !this.#parser.hasBegun;
    const call = this.#release();
    this.destroy();
    call?.taking.failed({ ...failure, isStale });
  }
}

function notAsked(): ProconsulError {
  return new ProconsulError('unavailable', 'it changes to a protocol that nobody asked for');
}

const CRLF = '\r\n';
/** Up to here to copy a part costs less than three writes. */
const MAX_JOINED_BYTES = 1024;

class Call implements Sending {
  readonly #connection: H1Connection;
  readonly #socket: Socket;
  readonly #isChunked: boolean;
  readonly isUpgrade: boolean;
  readonly taking: Taking;
  /** All of the request has been written. */
  isSent: boolean;
  /** From here on the connection is another's. */
  isOver = false;
  #isPaused = false;

  constructor(connection: H1Connection, socket: Socket, head: Head, taking: Taking) {
    this.#connection = connection;
    this.#socket = socket;
    this.#isChunked = head.length === undefined;
    this.isUpgrade = head.upgrade !== '';
    this.isSent = head.length === 0;
    this.taking = taking;
  }

  write(chunk: Buffer): boolean {
    // An empty part would be the end of the body.
    if (this.isOver || chunk.length === 0) return true;
    const socket = this.#socket;
    this.#connection.gather();
    if (!this.#isChunked) return socket.write(chunk);
    const size = chunk.length.toString(16) + CRLF;
    if (chunk.length <= MAX_JOINED_BYTES)
      return socket.write(size + chunk.toString('latin1') + CRLF, 'latin1');
    socket.write(size, 'latin1');
    socket.write(chunk);
    return socket.write(CRLF, 'latin1');
  }

  end(trailers: Fields): void {
    if (this.isOver) return;
    this.isSent = true;
    if (this.#isChunked) this.#socket.write(`0\r\n${linesOf(trailers)}\r\n`, 'latin1');
  }

  pause(): void {
    if (this.isOver) return;
    this.#socket.pause();
    this.#paused(true);
  }

  resume(): void {
    if (this.isOver) return;
    this.#paused(false);
    this.#socket.resume();
  }

  over(): void {
    this.isOver = true;
    this.#paused(false);
  }

  #paused(is: boolean): void {
    if (this.#isPaused === is) return;
    this.#isPaused = is;
    this.taking.buffered.keeps(is ? PAUSED_BYTES : -PAUSED_BYTES);
  }

  abort(): void {
    if (!this.isOver) this.#connection.abort();
  }
}

/** These methods have a body as a rule, and a host may wait for one. */
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

function textOf({ method, path, authority, fields, length, upgrade }: Head): string {
  let text = `${method} ${path} HTTP/1.1\r\nhost: ${authority}\r\n${linesOf(fields)}`;
  if (length === undefined) text += 'transfer-encoding: chunked\r\n';
  else if (length > 0 || WITH_BODY.has(method)) text += `content-length: ${length}\r\n`;
  if (upgrade !== '') text += `connection: upgrade\r\nupgrade: ${upgrade}\r\n`;
  return text + CRLF;
}

function linesOf(fields: Fields): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
}
