import type { IncomingHttpHeaders } from 'node:http';
import { ANYONE, type Caller } from '../acl/rights.ts';
import { systemClock } from '../clock.ts';
import type { Decoder } from '../decode.ts';
import { MAX_JSON_BODY_BYTES } from '../limits.ts';
import { bodyTurn } from '../long-turns.ts';
import { bodyOf } from './body.ts';
import { connectionOf } from './connection.ts';
import { Params } from './params.ts';
import { localTarget, refuseBroken, splitTarget } from './path.ts';
import type { Place } from './place.ts';
import type { Message, Response } from './ready-exchange.ts';
import type { HttpRequest, Limit } from './route.ts';
import { isRaw, type RowBody, type Takes } from './takes.ts';

const TOKEN = 'x-consul-token';
/** Whoever asks by these may be answered late, or without end, also where the row is another process's. */
const WAITING = ['index', 'hash', 'stream'];
/** Node makes one with a stack for each signal that is given none, and every request that has one comes to its end. */
const GONE = new Error('the exchange is over');
/** To read, judge and write down more takes some milliseconds. */
const LARGE_BODY_BYTES = 64 * 1024;

/** A request as its route sees it. */
export class Request implements HttpRequest {
  readonly path: string;
  readonly queryString: string;
  readonly params: Params;
  readonly pretty: boolean;
  rest = '';
  caller: Caller = ANYONE;
  callerNow: () => Caller | Promise<Caller> = () => ANYONE;
  /** Throws where whoever asks may not, of all that its row asks. */
  enforce: (caller: Caller) => void = () => undefined;
  /** The same where he may do nothing of it, whatever his body says. */
  refuseHopeless: (caller: Caller) => void = () => undefined;
  /** Its answer goes on for as long as the client is there. */
  isEndless = false;
  /** Of a row that waits for a change by itself. */
  waits = false;
  readonly #message: Message;
  readonly #response: Response;
  #gone: AbortController | undefined;
  #row: Takes | undefined;

  /** `place`: what its target is known to lead to. Throws where the target is none. */
  constructor(
    message: Message,
    response: Response,
    prettyJson: boolean,
    place?: Pick<Place<unknown>, 'path' | 'query'>,
  ) {
    const { path, query } = place ?? splitTarget(message.url ?? '/');
    if (place !== undefined) refuseBroken(query);
    this.path = path;
    this.queryString = query;
    this.params = new Params(query);
    this.pretty = prettyJson || this.params.has('pretty');
    this.#message = message;
    this.#response = response;
  }

  get method(): string {
    return this.#message.method ?? 'GET';
  }

  get target(): string {
    return localTarget(this.#message.url ?? '/');
  }

  get headers(): IncomingHttpHeaders {
    return this.#message.headers;
  }

  get remoteAddress(): string {
    return this.#message.socket.remoteAddress ?? '';
  }

  get token(): string {
    const named = this.params.get('token');
    if (named !== '') return named;
    // An empty one says nothing, as in Consul.
    const header = this.#tokenHeader();
    if (header !== '') return header;
    const [, bearer] = /^Bearer \s*(\S+)/i.exec(this.headers.authorization ?? '') ?? [];
    return bearer ?? '';
  }

  /** Of several the first counts, as in Consul, where Node puts them all into one. */
  #tokenHeader(): string {
    const joined = this.headers[TOKEN];
    if (typeof joined !== 'string' || !joined.includes(',')) return String(joined ?? '');
    const { rawHeaders } = this.#message;
    const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === TOKEN);
    return rawHeaders[at + 1] ?? '';
  }

  /** Made on demand: most requests are answered before anyone asks for it. */
  get signal(): AbortSignal {
    this.#gone ??= this.#abortedOnceGone();
    return this.#gone.signal;
  }

  /** Whether it may wait for long, by what Consul calls it. */
  get mayWait(): boolean {
    return WAITING.some((name) => this.params.has(name)) || this.isEndless || this.waits;
  }

  /** Whether it goes on until somebody ends it, also where the row is another process's. */
  get #isStream(): boolean {
    return this.isEndless || this.params.has('stream');
  }

  onceOver(call: () => void): void {
    if (this.#response.destroyed) call();
    else this.#response.once('close', call);
  }

  /** From now on it is for a row, and the row is handed what it says that it takes. */
  handTo(row: Takes): void {
    this.#row = row;
    this.params.handTo(row);
  }

  body(maxBytes: number, limit?: Limit): Promise<Buffer> {
    this.#refuseUnsaid((body) => isRaw(body));
    return this.#read(maxBytes, limit);
  }

  async json<T>(decode: Decoder<T>, maxBytes = MAX_JSON_BODY_BYTES, limit?: Limit): Promise<T> {
    this.#refuseUnsaid((body) => body === decode);
    return decode(await this.#read(maxBytes, limit));
  }

  /** Where there is no row, the request is passed on as it is. */
  #refuseUnsaid(isSaid: (body: RowBody) => boolean): void {
    if (this.#row === undefined) return;
    const { body } = this.#row;
    if (body === undefined || !isSaid(body)) {
      throw new Error('the row asks for a body that it does not say it takes');
    }
  }

  async #read(maxBytes: number, limit?: Limit): Promise<Buffer> {
    const claimed = Number(this.headers['content-length'] ?? 0);
    if (claimed >= LARGE_BODY_BYTES) this.refuseHopeless(this.caller);
    const bytes = await bodyOf(this.#message, { maxBytes, limit, clock: systemClock });
    if (bytes.length >= LARGE_BODY_BYTES) {
      this.refuseHopeless(this.caller);
      // Whatever is made of it takes long, and so it does of the next one.
      const onceOver = (call: () => void) => this.onceOver(call);
      await bodyTurn({ bytes: bytes.length, address: this.remoteAddress, onceOver });
    }
    // It may have been long in coming: whoever sent its head in time may be nobody by now.
    await this.callerStill();
    return bytes;
  }

  /** Asked before each write, where nearly always nothing has changed. */
  callerStill(): Caller | Promise<Caller> {
    return this.caller.stands() ? this.caller : this.#callerAnew();
  }

  async #callerAnew(): Promise<Caller> {
    const caller = await this.callerNow();
    this.enforce(caller);
    this.caller = caller;
    return caller;
  }

  #abortedOnceGone(): AbortController {
    const gone = new AbortController();
    const { socket } = this.#message;
    const end = () => gone.abort(GONE);
    const destroy = () => socket.destroy();
    if (this.#isStream) connectionOf(socket)?.endsBy(end);
    if (this.#response.destroyed) end();
    this.#response.once('close', () => {
      end();
      socket.off('end', destroy);
    });
    if (!this.mayWait) return gone;
    // What came in one piece with a request before it may have been the last that he sends.
    if (socket.readableEnded) destroy();
    else socket.once('end', destroy);
    return gone;
  }
}
