/** Node's caller and Node's host, with nothing between them or with the sidecar: what each hears of the other. */
import { createHash } from 'node:crypto';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { digestOf, plainFields } from './answering.ts';
import type { Call, Event, Play } from './calls.ts';

/** Of one call, at one of its ends. */
export interface Heard {
  head: string;
  readonly digest: ReturnType<typeof createHash>;
  bytes: number;
  trailers: string;
  hasEnd: boolean;
  end: '' | 'whole' | 'broken';
}

function nothing(): Heard {
  return { head: '', digest: createHash('sha1'), bytes: 0, trailers: '', hasEnd: false, end: '' };
}

/** Whoever waits for his turn. */
type Turn = () => void;

export class Player {
  readonly caller = new Map<string, Heard>();
  /** As often as the host was asked for it. */
  readonly host = new Map<string, Heard[]>();
  readonly turns: Turn[] = [];
  readonly #calls = new Map<string, Call>();
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #client: ClientHttp2Session;

  /** `near`: of the caller's connection. */
  constructor({ callerSettings, hostSettings, padding }: Play, near: Socket) {
    this.#server = createServer({ settings: hostSettings, paddingStrategy: padding });
    this.#server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.on('error', () => undefined);
      session.on('close', () => this.#sessions.delete(session));
    });
    this.#server.on('sessionError', () => undefined);
    this.#server.on('stream', (stream: ServerHttp2Stream, headers, _, raw?: string[]) =>
      this.#asked(stream, headers, raw ?? []),
    );
    this.#client = connect('http://x', {
      ...{ createConnection: () => near, settings: callerSettings, paddingStrategy: padding },
    });
    this.#client.on('error', () => undefined);
  }

  serve(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  close(): void {
    this.#client.close();
  }

  get isClosed(): boolean {
    return this.#client.destroyed;
  }

  happens(event: Event): void {
    switch (event.kind) {
      case 'call':
        this.#call(event.call);
        break;
      case 'ping':
        this.#client.ping(() => undefined);
        break;
      case 'caller settings':
        this.#client.settings(event.settings);
        break;
      case 'host settings':
        for (const session of this.#sessions)
          if (!session.destroyed) session.settings(event.settings);
        break;
      case 'host leaves':
        for (const session of this.#sessions) if (!session.destroyed) session.close();
        break;
    }
  }

  #call(call: Call): void {
    const { name, method, fields, parts, trailers, saysLength, callerWaits, breaks, code } = call;
    const heard = nothing();
    this.#calls.set(name, call);
    this.caller.set(name, heard);
    const length = parts.reduce((all, part) => all + part.length, 0);
    const stream: ClientHttp2Stream = this.#client.request(
      {
        ...{ ':method': method, ':path': `/${name}`, ':authority': 'x' },
        ...fields,
        ...(saysLength && { 'content-length': String(length) }),
      },
      { endStream: parts.length === 0, waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.on('response', (headers: IncomingHttpHeaders, _: number, raw?: string[]) => {
      heard.head = `${headers[':status']} ${digestOf(plainFields(raw ?? []))}`;
    });
    takes(stream, heard, callerWaits, this.turns);
    if (breaks === 'caller') this.turns.push(() => stream.close(code));
    for (const part of parts) stream.write(part);
    if (parts.length > 0) stream.end();
  }

  #asked(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]): void {
    const name = String(headers[':path']).slice(1);
    const call = this.#calls.get(name);
    if (call === undefined) throw new Error(`nobody asked for ${name}`);
    const heard = nothing();
    heard.head = digestOf([
      String(headers[':method']),
      String(headers[':authority']),
      ...plainFields(raw),
    ]);
    this.host.set(name, [...(this.host.get(name) ?? []), heard]);
    takes(stream, heard, call.hostWaits, this.turns);
    if (call.breaks === 'host before its answer') this.turns.push(() => stream.close(call.code));
    else if (call.answer.isEarly) this.#answer(stream, call);
    else stream.on('end', () => this.#answer(stream, call));
  }

  #answer(stream: ServerHttp2Stream, { answer, breaks, code }: Call): void {
    if (stream.destroyed || stream.closed) return;
    const { status, fields, parts, trailers, hints } = answer;
    if (hints) stream.additionalHeaders({ ':status': 103, link: '</a>' });
    const isBare = parts.length === 0 && breaks === '';
    stream.respond(
      { ':status': status, ...fields },
      { endStream: isBare, waitForTrailers: !isBare },
    );
    if (isBare) return;
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    for (const part of parts) stream.write(part);
    if (breaks === '') stream.end();
    else if (breaks === 'host') this.turns.push(() => stream.close(code));
  }
}

function takes(
  stream: ClientHttp2Stream | ServerHttp2Stream,
  heard: Heard,
  waits: boolean,
  turns: Turn[],
): void {
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => {
    heard.bytes += chunk.length;
    heard.digest.update(chunk);
  });
  if (waits) {
    stream.pause();
    turns.push(() => stream.resume());
  }
  stream.on('trailers', (_: object, __: number, raw?: string[]) => {
    heard.trailers = digestOf(plainFields(raw ?? []));
  });
  stream.on('end', () => {
    heard.hasEnd = true;
  });
  stream.on('close', () => {
    const isWell = heard.hasEnd && (stream.rstCode === 0 || stream.rstCode === undefined);
    heard.end = isWell ? 'whole' : 'broken';
  });
}

export function told({ head, digest, bytes, trailers, end }: Heard): string {
  return `${end} ${head} ${bytes} ${digest.copy().digest('hex').slice(0, 8)} ${trailers}`;
}
