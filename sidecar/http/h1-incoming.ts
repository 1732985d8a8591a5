/** A request by HTTP/1.1, as Node's parser read it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { reset } from '../relay.ts';
import { type Buffered, PAUSED_BYTES } from './buffers.ts';
import { type Fields, trailersIn } from './fields.ts';
import { type Head, headOf, type Unclear } from './head.ts';
import type { BodyTaker, Incoming, IncomingBody } from './incoming.ts';

export function h1Head(request: IncomingMessage): Head | Unclear {
  const { method = '', url = '', rawHeaders, headers } = request;
  const encoding = headers['transfer-encoding'];
  // How else it is encoded would be forgotten on the way.
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked') return 'unclear';
  const hasBody = encoding !== undefined || (headers['content-length'] ?? '0') !== '0';
  return headOf({ method, target: url, authority: '', raw: rawHeaders, hasBody });
}

export interface H1Options {
  readonly head: Head;
  readonly who: string;
  /** No more is taken on this connection; asked when it is answered. */
  readonly isEnding: () => boolean;
  /** What came after a request that asks for another protocol. */
  readonly rest: Buffer;
  readonly buffered: Buffered;
  /** Of a connection without a request; 0 for ever. */
  readonly idleMs: number;
  /** How long the rest of an answer waits for the caller without going on; 0 for ever. */
  readonly streamIdleMs: number;
}

/** A body that came at once goes out with its head in one piece, where to copy it costs less than a second one. */
const MAX_JOINED_BYTES = 8 * 1024;

const TIMED_OUT = 408;

export class H1Incoming implements Incoming, IncomingBody {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: H1Options;
  #length: number | undefined;
  /** Of the answer, what waits. */
  #waiting = 0;
  #isPaused = false;
  #isEnded = false;

  constructor(request: IncomingMessage, response: ServerResponse, options: H1Options) {
    this.#request = request;
    this.#response = response;
    this.#options = options;
    // What there is was said by the program.
    response.sendDate = false;
  }

  get head(): Head {
    return this.#options.head;
  }

  get who(): string {
    return this.#options.who;
  }

  get buffered(): Buffered {
    return this.#options.buffered;
  }

  get from(): string {
    return this.#request.socket.remoteAddress ?? '';
  }

  get port(): number {
    return this.#request.socket.remotePort ?? 0;
  }

  get body(): IncomingBody | undefined {
    return this.head.length === 0 ? undefined : this;
  }

  takenBy(taker: BodyTaker): void {
    this.#request.on('data', (chunk: Buffer) => taker.came(chunk));
    this.#request.once('end', () => taker.ended());
  }

  pause(): void {
    this.#request.pause();
    this.#paused(true);
  }

  resume(): void {
    this.#paused(false);
    this.#request.resume();
  }

  #paused(is: boolean): void {
    if (this.#isPaused === is) return;
    this.#isPaused = is;
    this.buffered.keeps(is ? PAUSED_BYTES : -PAUSED_BYTES);
  }

  trailers(): Fields {
    return trailersIn(this.#request.rawTrailers);
  }

  answer(status: number, fields: Fields, length: number | undefined, isLast: boolean): void {
    const response = this.#response;
    this.#length = length;
    // What would come after a time-out is the rest of the request that did not come.
    if (status === TIMED_OUT || this.#options.isEnding()) response.shouldKeepAlive = false;
    const all = length === undefined ? [...fields] : [...fields, 'content-length', String(length)];
    response.writeHead(status, all);
    if (isLast) response.end();
    // Whoever waits for an event sees it before there is one.
    else if (length === undefined) response.flushHeaders();
  }

  write(chunk: Buffer): boolean {
    if (chunk.length !== this.#length || chunk.length > MAX_JOINED_BYTES) {
      const goesOn = this.#response.write(chunk);
      if (!goesOn) this.#waits(this.#response.writableLength);
      return goesOn;
    }
    this.#isEnded = true;
    this.#response.end(chunk.toString('latin1'), 'latin1');
    return true;
  }

  end(trailers: Fields): void {
    if (this.#isEnded) return;
    const response = this.#response;
    if (trailers.length > 0) response.addTrailers(pairs(trailers));
    response.end();
    const { idleMs, streamIdleMs } = this.#options;
    if (streamIdleMs === 0 || response.writableLength === 0) return;
    const { socket } = this.#request;
    socket.setTimeout(streamIdleMs);
    response.once('finish', () => socket.setTimeout(idleMs));
  }

  #waits(bytes: number): void {
    this.buffered.keeps(bytes - this.#waiting);
    this.#waiting = bytes;
  }

  abort(): void {
    reset(this.#request.socket);
  }

  upgrade(status: number, fields: Fields, protocol: string): { socket: Socket; rest: Buffer } {
    const response = this.#response;
    const { socket } = this.#request;
    response.writeHead(status, [...fields, 'connection', 'upgrade', 'upgrade', protocol]);
    response.flushHeaders();
    response.detachSocket(socket);
    return { socket, rest: this.#options.rest };
  }

  onDrained(tell: () => void): void {
    this.#response.on('drain', () => {
      this.#waits(0);
      tell();
    });
  }

  onGone(tell: () => void): void {
    this.#response.once('close', () => {
      this.#waits(0);
      this.#paused(false);
      if (!this.#response.writableFinished) tell();
    });
  }
}

function pairs(fields: Fields): [string, string][] {
  const all: [string, string][] = [];
  for (let i = 0; i < fields.length; i += 2)
    all.push([fields[i] as string, fields[i + 1] as string]);
  return all;
}
