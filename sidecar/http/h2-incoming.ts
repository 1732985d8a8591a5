/** A request by HTTP/2: one stream of a connection. */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { type Fields, NO_FIELDS, trailersIn } from './fields.ts';
import { objectOf } from './h2-host.ts';
import { type Head, headOf, type Unclear } from './head.ts';
import type { Incoming } from './incoming.ts';

export function h2Head(headers: IncomingHttpHeaders, raw: readonly string[], hasBody: boolean) {
  const said = (name: string) => String(headers[name] ?? '');
  const [method, target, authority] = [said(':method'), said(':path'), said(':authority')];
  return headOf({ method, target, authority, raw, hasBody }) satisfies Head | Unclear;
}

export class H2Incoming implements Incoming {
  readonly #stream: ServerHttp2Stream;
  readonly head: Head;
  readonly who: string;
  #trailers: Fields = NO_FIELDS;
  #out: Fields = NO_FIELDS;
  #isAborted = false;

  constructor(stream: ServerHttp2Stream, { head, who }: Pick<Incoming, 'head' | 'who'>) {
    this.#stream = stream;
    this.head = head;
    this.who = who;
    stream.on('trailers', (_: IncomingHttpHeaders, __: number, raw?: readonly string[]) => {
      this.#trailers = trailersIn(raw ?? []);
    });
    // To close a stream is to end it too, and with trailers it would be whole.
    stream.on('wantTrailers', () => {
      if (!this.#isAborted) stream.sendTrailers(objectOf(this.#out));
    });
  }

  get from(): string {
    return this.#socket?.remoteAddress ?? '';
  }

  get port(): number {
    return this.#socket?.remotePort ?? 0;
  }

  get body(): Readable | undefined {
    return this.head.length === 0 ? undefined : this.#stream;
  }

  trailers(): Fields {
    return this.#trailers;
  }

  answer(status: number, fields: Fields, length: number | undefined, isLast: boolean): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    const headers = objectOf(fields);
    headers[':status'] = status;
    if (length !== undefined) headers['content-length'] = length;
    stream.respond(headers, isLast ? { endStream: true } : { waitForTrailers: true });
  }

  write(chunk: Buffer): boolean {
    return this.#stream.destroyed || this.#stream.write(chunk);
  }

  end(trailers: Fields): void {
    this.#out = trailers;
    if (!this.#stream.destroyed) this.#stream.end();
  }

  abort(): void {
    const { NGHTTP2_INTERNAL_ERROR } = constants;
    this.#isAborted = true;
    if (!this.#stream.destroyed) this.#stream.close(NGHTTP2_INTERNAL_ERROR);
  }

  upgrade(): { socket: Socket; rest: Buffer } {
    throw new Error('HTTP/2 has no upgrades');
  }

  onDrained(tell: () => void): void {
    this.#stream.on('drain', tell);
  }

  onGone(tell: () => void): void {
    const stream = this.#stream;
    stream.once('close', () => {
      if (stream.rstCode !== 0 || !stream.writableFinished) tell();
    });
  }

  get #socket(): Socket | undefined {
    const { session } = this.#stream;
    return session === undefined || session.destroyed ? undefined : session.socket;
  }
}
