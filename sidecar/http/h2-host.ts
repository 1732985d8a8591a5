/** The connections of HTTP/2 to one host: many requests at once on each. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { messageOf } from '../../lib/errors.ts';
import { type Fields, NO_FIELDS, sorted } from './fields.ts';
import type { Open } from './h1-host.ts';
import type { Head } from './head.ts';
import type { Failure } from './retry-rules.ts';
import type { Connection, Connections, Sending, Taking } from './sending.ts';

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = constants;
/** Requests at once on one connection; more have one more. Hosts often allow a hundred. */
const MAX_STREAMS = 100;
/** Of what comes for one request, until somebody takes it. */
export const WINDOW_BYTES = 256 * 1024;
const MAX_HEAD_BYTES = 64 * 1024;

export class H2Host implements Connections {
  readonly #open: Open;
  readonly #sessions = new Set<Session>();
  #opening: Promise<Session> | undefined;
  #isClosed = false;

  constructor(open: Open) {
    this.#open = open;
  }

  lease(): Connection | Promise<Connection> {
    for (const session of this.#sessions) if (session.hasRoom) return session;
    this.#opening ??= this.#opened().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  close(): void {
    this.#isClosed = true;
    for (const session of this.#sessions) session.retire();
  }

  async #opened(): Promise<Session> {
    const socket = await this.#open();
    // HTTP/2 hears of its end by its close alone.
    socket.allowHalfOpen = false;
    const client = connect('http://host', {
      createConnection: () => socket,
      settings: {
        enablePush: false,
        initialWindowSize: WINDOW_BYTES,
        maxHeaderListSize: MAX_HEAD_BYTES,
      },
    });
    const session = new Session(client, () => this.#sessions.delete(session));
    this.#sessions.add(session);
    if (this.#isClosed) session.retire();
    return session;
  }
}

class Session implements Connection {
  readonly #client: ClientHttp2Session;
  readonly #gone: () => void;
  #streams = 0;

  constructor(client: ClientHttp2Session, gone: () => void) {
    this.#client = client;
    this.#gone = gone;
    // Each of its streams hears of it too.
    client.on('error', () => undefined);
    client.on('goaway', gone);
    client.on('close', gone);
  }

  get hasRoom(): boolean {
    const { closed, destroyed, remoteSettings } = this.#client;
    const most = Math.min(MAX_STREAMS, remoteSettings.maxConcurrentStreams ?? MAX_STREAMS);
    return !closed && !destroyed && this.#streams < most;
  }

  /** Takes no more, and closes when what it has is over. */
  retire(): void {
    this.#gone();
    if (!this.#client.destroyed) this.#client.close();
  }

  /** Nobody has it alone. */
  back(): void {}

  send(head: Head, taking: Taking): Sending {
    this.#streams++;
    const over = () => void this.#streams--;
    let stream: ClientHttp2Stream;
    try {
      stream = this.#client.request(headersOf(head), {
        endStream: head.length === 0,
        waitForTrailers: head.length !== 0,
      });
    } catch (error) {
      over();
      // It has closed meanwhile, and nothing went out.
      const failure: Failure = { kind: 'refused', message: messageOf(error) };
      process.nextTick(() => taking.failed(failure));
      return NOTHING;
    }
    stream.once('close', over);
    return new Call(stream, taking, () => this.retire());
  }
}

const NOTHING: Sending = {
  write: () => true,
  end: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
  abort: () => undefined,
};

class Call implements Sending {
  readonly #stream: ClientHttp2Stream;
  readonly #taking: Taking;
  readonly #retire: () => void;
  #trailers: Fields = NO_FIELDS;
  #out: Fields = NO_FIELDS;
  #hasAnswer = false;
  #isOver = false;

  constructor(stream: ClientHttp2Stream, taking: Taking, retire: () => void) {
    this.#stream = stream;
    this.#taking = taking;
    this.#retire = retire;
    stream.on('response', (headers, flags, raw?: readonly string[]) =>
      this.#answered(headers, flags, raw),
    );
    stream.on('data', (chunk: Buffer) => this.#taking.data(chunk));
    stream.on('trailers', (headers: IncomingHttpHeaders, _: number, raw?: readonly string[]) => {
      this.#trailers = sorted(raw ?? rawOf(headers)).fields;
    });
    stream.on('drain', () => this.#taking.drained());
    stream.on('wantTrailers', () => {
      if (!this.#isOver) stream.sendTrailers(objectOf(this.#out));
    });
    stream.on('end', () => this.#ended());
    stream.on('error', () => undefined);
    stream.on('close', () => this.#closed());
  }

  write(chunk: Buffer): boolean {
    return this.#isOver || this.#stream.destroyed || this.#stream.write(chunk);
  }

  end(trailers: Fields): void {
    this.#out = trailers;
    if (!this.#isOver && !this.#stream.destroyed) this.#stream.end();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    if (!this.#isOver) this.#stream.resume();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stream.close(NGHTTP2_CANCEL);
    this.#stream.resume();
    // Of a host that says nothing nobody knows whether it is still there.
    if (!this.#hasAnswer) this.#retire();
  }

  #answered(headers: IncomingHttpHeaders, flags: number, raw?: readonly string[]): void {
    if (this.#isOver) return;
    const status = Number(headers[':status']);
    if (!isAnswer(status)) {
      this.abort();
      this.#taking.failed({ kind: 'reset', message: `a status of ${status}` });
      return;
    }
    this.#hasAnswer = true;
    const { fields, length } = sorted(raw ?? rawOf(headers));
    const isLast = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    if (isLast) this.#isOver = true;
    const known = /^\d{1,15}$/.test(length) ? Number(length) : undefined;
    this.#taking.answered({ status, fields, length: known, upgrade: '' }, isLast);
  }

  #ended(): void {
    if (this.#isOver || this.#stream.rstCode !== 0 || !this.#hasAnswer) return;
    this.#isOver = true;
    // Who answers before the request was over does not want the rest of it.
    if (!this.#stream.writableEnded) this.#stream.close(NGHTTP2_CANCEL);
    this.#taking.ended(this.#trailers);
  }

  #closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const code = this.#stream.rstCode;
    const kind = code === NGHTTP2_REFUSED_STREAM ? 'refused' : 'reset';
    this.#taking.failed({ kind, message: kind === 'refused' ? 'remote refused' : 'remote reset' });
  }
}

/** As in HTTP/1.1: nobody can be told of any other. */
function isAnswer(status: number): boolean {
  return status >= 200 && status <= 599;
}

function headersOf({ method, path, authority, fields, length, takesTrailers }: Head) {
  const headers = objectOf(fields);
  headers[':method'] = method;
  headers[':path'] = path;
  headers[':scheme'] = 'http';
  headers[':authority'] = authority;
  if (length !== undefined && length > 0) headers['content-length'] = length;
  if (takesTrailers) headers['te'] = 'trailers';
  return headers;
}

/** Names that users give are never keys of an object with others behind it. */
export function objectOf(fields: Fields): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = Object.create(null);
  for (let i = 0; i < fields.length; i += 2) {
    const [name, value] = [fields[i] as string, fields[i + 1] as string];
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (name === 'set-cookie') headers[name] = [...listOf(before), value];
    // A list that Node does not take for such a name is an error where nobody can catch it.
    else headers[name] = SINGLE.has(name) ? value : `${before}, ${value}`;
  }
  return headers;
}

/** Of these a joined value would be another one: the last counts. */
const SINGLE: ReadonlySet<string> = new Set([
  ...['age', 'authorization', 'content-encoding', 'content-language', 'content-location'],
  ...['content-md5', 'content-range', 'content-type', 'date', 'dnt', 'etag', 'expires', 'from'],
  ...['if-modified-since', 'if-unmodified-since', 'last-modified', 'location', 'max-forwards'],
  ...['proxy-authorization', 'range', 'referer', 'retry-after', 'tk', 'user-agent'],
  ...['if-match', 'if-none-match', 'if-range', 'upgrade-insecure-requests'],
]);

function listOf(value: NonNullable<OutgoingHttpHeaders[string]>): readonly string[] {
  return Array.isArray(value) ? value : [String(value)];
}

function rawOf(headers: IncomingHttpHeaders): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).flatMap((each) => [name, each]),
  );
}
