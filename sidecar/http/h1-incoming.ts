/** A request by HTTP/1.1, as Node's parser read it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { reset } from '../relay.ts';
import { type Fields, trailersIn } from './fields.ts';
import { type Head, headOf, type Unclear } from './head.ts';
import type { BodyTaker, Incoming, IncomingBody } from './incoming.ts';

export function h1Head(request: IncomingMessage): Head | Unclear {
  const { method = '', url = '', rawHeaders, headers } = request;
  const hasBody =
    headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  return headOf({ method, target: url, authority: '', raw: rawHeaders, hasBody });
}

export interface H1Options {
  readonly head: Head;
  readonly who: string;
  /** No more is taken on this connection. */
  readonly isEnding: boolean;
  /** What came after a request that asks for another protocol. */
  readonly rest: Buffer;
}

/** A body that came at once goes out with its head in one piece, where to copy it costs less than a second one. */
const MAX_JOINED_BYTES = 8 * 1024;

const TIMED_OUT = 408;

export class H1Incoming implements Incoming, IncomingBody {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #rest: Buffer;
  readonly head: Head;
  readonly who: string;
  #length: number | undefined;
  #isEnded = false;

  constructor(request: IncomingMessage, response: ServerResponse, options: H1Options) {
    this.#request = request;
    this.#response = response;
    this.#rest = options.rest;
    this.head = options.head;
    this.who = options.who;
    // What there is was said by the program.
    response.sendDate = false;
    if (options.isEnding) response.shouldKeepAlive = false;
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
  }

  resume(): void {
    this.#request.resume();
  }

  trailers(): Fields {
    return trailersIn(this.#request.rawTrailers);
  }

  answer(status: number, fields: Fields, length: number | undefined, isLast: boolean): void {
    const response = this.#response;
    this.#length = length;
    // What would come now is the rest of the request that did not come.
    if (status === TIMED_OUT) response.shouldKeepAlive = false;
    const all = length === undefined ? [...fields] : [...fields, 'content-length', String(length)];
    response.writeHead(status, all);
    if (isLast) response.end();
    // Whoever waits for an event sees it before there is one.
    else if (length === undefined) response.flushHeaders();
  }

  write(chunk: Buffer): boolean {
    if (chunk.length !== this.#length || chunk.length > MAX_JOINED_BYTES) {
      return this.#response.write(chunk);
    }
    this.#isEnded = true;
    this.#response.end(chunk.toString('latin1'), 'latin1');
    return true;
  }

  end(trailers: Fields): void {
    if (this.#isEnded) return;
    if (trailers.length > 0) this.#response.addTrailers(pairs(trailers));
    this.#response.end();
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
    return { socket, rest: this.#rest };
  }

  onDrained(tell: () => void): void {
    this.#response.on('drain', tell);
  }

  onGone(tell: () => void): void {
    this.#response.once('close', () => {
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
