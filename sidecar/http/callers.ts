/**
 * Those who call by HTTP: their connections, whichever version each speaks, and of each its requests. Node's
 * parsers read them, as strictly as they can.
 */
import {
  createServer as createH1,
  type IncomingMessage,
  type Server,
  ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import { MAX_HEADER_BYTES } from '../../lib/limits.ts';
import type { Buffered, Buffers } from './buffers.ts';
import { endSoon } from './ending.ts';
import { type Fields, fieldIn, tokensIn } from './fields.ts';
import { H1Incoming, h1Head } from './h1-incoming.ts';
import { CODE } from './h2/frames.ts';
import { type Block, fieldText } from './h2/hpack.ts';
import { Session } from './h2/session.ts';
import { PREFACE as GREETING } from './h2/settings.ts';
import type { Stream } from './h2/stream.ts';
import { type H2Caller, H2Incoming, h2Head } from './h2-incoming.ts';
import type { Head, Unclear } from './head.ts';
import type { Incoming } from './incoming.ts';
import { Turns } from './turns.ts';

export interface CallersOptions {
  readonly serve: (incoming: Incoming) => void;
  /** What its head is taken for, by whom it is; undefined where it stays as it is. */
  readonly admitted?: (head: Head, who: string) => Head | Unclear;
  readonly clock: Clock;
  /** 0: a connection may be silent for ever. */
  readonly idleMs: number;
  /** The rest of an answer may wait so long for its caller; 0 for ever. */
  readonly streamIdleMs: number;
  readonly buffers: Buffers;
}

/** Whose connection it is. */
interface Caller {
  readonly who: string;
  readonly buffered: Buffered;
  /** Of its requests by HTTP/1.1. */
  readonly turns: Turns;
}

/** What every client of HTTP/2 begins with. */
const PREFACE = Buffer.from(GREETING);
/** A head that does not begin, or come to its end, holds a connection for no longer. */
const HEAD_MS = 60_000;
/** Requests at once on one connection. */
const MAX_STREAMS = 250;
/** Of what comes for one request, until somebody takes it. */
const WINDOW_BYTES = 256 * 1024;
/** Who is silent for so long while this ends has no request on its way, or none that could not be sent again. */
const QUIET_MS = 1000;

export class HttpCallers {
  readonly #options: CallersOptions;
  readonly #h1: Server;
  readonly #sessions = new Set<Session>();
  readonly #callers = new WeakMap<Socket, Caller>();
  /** Of which nothing was read yet. */
  readonly #silent = new Set<Socket>();
  #isEnding = false;

  constructor(options: CallersOptions) {
    this.#options = options;
    this.#h1 = createH1({
      insecureHTTPParser: false,
      requireHostHeader: true,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEAD_MS,
      // A body takes as long as it takes: routes say how long an answer may.
      requestTimeout: 0,
      keepAliveTimeout: options.idleMs,
      noDelay: true,
    });
    this.#h1.timeout = options.idleMs;
    // As many as there is room for in a head: what is behind the last that counts would be passed over.
    this.#h1.maxHeadersCount = 0;
    this.#h1.on('request', (request, response) => this.#h1Asked(request, response));
    this.#h1.on('upgrade', (request, socket, rest) =>
      this.#h1Upgrade(request, socket as Socket, rest),
    );
    this.#h1.on('connect', (_, socket) => {
      if (!this.#mayChange(socket as Socket)) return;
      socket.write(NOT_FOUND);
      endSoon(socket as Socket, this.#options.clock);
    });
    // It never listens itself; this has it look after heads that do not come to their end.
    this.#h1.emit('listening');
  }

  /**
   * Takes a connection over, of which nothing was read yet; its errors are up to whoever gives it. `who`: whose
   * it is, '' where nobody has to say.
   */
  accept(socket: Socket, who = ''): void {
    const buffered = this.#options.buffers.of(socket, who);
    const caller = { who, buffered, turns: new Turns(socket, buffered) };
    this.#callers.set(socket, caller);
    let seen: Buffer = Buffer.alloc(0);
    const cancel = this.#options.clock.after(HEAD_MS, () => socket.destroy());
    const spoke = () => {
      cancel();
      this.#silent.delete(socket);
    };
    const look = () => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const isLike = PREFACE.subarray(0, seen.length).equals(seen.subarray(0, PREFACE.length));
      if (isLike && seen.length < PREFACE.length) return;
      socket.off('readable', look);
      spoke();
      if (isLike) this.#h2Begins(socket, caller, seen.subarray(PREFACE.length));
      else {
        socket.unshift(seen);
        this.#h1.emit('connection', socket);
      }
    };
    this.#silent.add(socket);
    socket.once('close', spoke);
    socket.on('readable', look);
  }

  /** From now on each answer is the last one of its connection; those without a request are closed soon. */
  end(): void {
    this.#isEnding = true;
    // All that is on its way is taken; what comes after it is not.
    for (const session of this.#sessions) session.warn();
    this.#options.clock.after(QUIET_MS, () => {
      this.#h1.close();
      this.#h1.closeIdleConnections();
      for (const socket of this.#silent) socket.destroy();
      for (const session of [...this.#sessions]) session.retireWarned();
    });
  }

  #h1Asked(request: IncomingMessage, response: ServerResponse, rest: Buffer = NONE): void {
    const { who, buffered, turns } = this.#callers.get(request.socket) as Caller;
    if (turns.isOver) return;
    const head = this.#admitted(h1Head(request), who);
    if (head === 'unclear' || turns.underWay >= MAX_STREAMS) {
      turns.end();
      response.shouldKeepAlive = false;
      response.writeHead(head === 'unclear' ? 400 : 503).end();
      return;
    }
    const { idleMs, streamIdleMs } = this.#options;
    const isEnding = () => this.#isEnding;
    const by = { ...{ who, buffered, idleMs, streamIdleMs }, head, isEnding, rest };
    turns.take(request, response, () => this.#options.serve(new H1Incoming(request, response, by)));
  }

  #admitted(head: Head | Unclear, who: string): Head | Unclear {
    const { admitted } = this.#options;
    return head === 'unclear' || admitted === undefined ? head : admitted(head, who);
  }

  /** Who asks for another protocol before he was answered would be answered in the wrong order. */
  #mayChange(socket: Socket): boolean {
    const { turns } = this.#callers.get(socket) as Caller;
    // What was refused before it has the last answer.
    if (turns.isOver) return false;
    const may = turns.underWay === 0;
    if (!may) socket.destroy();
    return may;
  }

  #h1Upgrade(request: IncomingMessage, socket: Socket, rest: Buffer): void {
    if (!this.#mayChange(socket)) return;
    if (!/^websocket$/i.test(request.headers.upgrade ?? '')) {
      this.#asPlain(request, socket, rest);
      return;
    }
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    response.shouldKeepAlive = false;
    response.on('finish', () => endSoon(socket, this.#options.clock));
    this.#h1Asked(request, response, rest);
  }

  /** RFC 9110, 7.8: who does not want the other protocol goes on as if nobody had offered it. */
  #asPlain(request: IncomingMessage, socket: Socket, rest: Buffer): void {
    const { method, url, rawHeaders } = request;
    const lines: string[] = [`${method} ${url} HTTP/1.1`];
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] as string;
      const value = rawHeaders[i + 1] as string;
      if (OFFERS.has(name.toLowerCase())) continue;
      lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutOffers(value) : value}`);
    }
    socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), rest]));
    this.#h1.emit('connection', socket);
  }

  /** `rest`: what came behind the greeting. */
  #h2Begins(socket: Socket, { who, buffered }: Caller, rest: Buffer): void {
    const { clock, idleMs, streamIdleMs } = this.#options;
    // Its end is the end of all that is on it.
    socket.allowHalfOpen = false;
    if (rest.length > 0) socket.unshift(rest);
    const by = { who, from: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    const caller = { ...by, buffered, clock, streamIdleMs };
    const cancel = clock.after(HEAD_MS, () => socket.destroy());
    const session: Session = new Session({
      socket,
      windowBytes: WINDOW_BYTES,
      maxHeadBytes: MAX_HEADER_BYTES,
      clock,
      buffered,
      greeted: cancel,
      serves: {
        maxStreams: MAX_STREAMS,
        asked: (stream, block, isWhole) => this.#h2Asked(stream, block, isWhole, caller),
      },
      retired: () => undefined,
      closed: () => {
        cancel();
        this.#sessions.delete(session);
      },
    });
    this.#sessions.add(session);
    if (this.#isEnding) session.warn();
    if (idleMs === 0) return;
    socket.setTimeout(idleMs, () => {
      if (session.streams === 0) session.retire();
      else socket.destroy();
    });
  }

  #h2Asked(stream: Stream, { fields, fault }: Block, isWhole: boolean, caller: H2Caller): void {
    const head = fault === undefined ? h2Head(fields, !isWhole) : 'too large';
    if (head === 'malformed') stream.fault(CODE.protocol);
    else if (head === 'too large') stream.head(TOO_LARGE, true);
    else {
      const admitted = this.#admitted(head, caller.who);
      if (admitted === 'unclear') {
        stream.head(UNCLEAR, true);
        return;
      }
      if (isAwaited(fields, isWhole)) stream.head(CONTINUE, false);
      this.#options.serve(new H2Incoming(stream, admitted, caller));
    }
  }
}

const TOO_LARGE = fieldText(':status', '431');
const UNCLEAR = fieldText(':status', '400');
const CONTINUE = fieldText(':status', '100');

/** Whether a caller keeps the body back until he is told to go on: by HTTP/1.1 Node tells him. */
function isAwaited(fields: Fields, isWhole: boolean): boolean {
  return !isWhole && fieldIn(fields, 'expect')?.toLowerCase() === '100-continue';
}

const OFFERS: ReadonlySet<string> = new Set(['upgrade', 'http2-settings']);

/** What else is named stays on this way, as it would have. */
function withoutOffers(connection: string): string {
  return tokensIn(connection)
    .filter((each) => !OFFERS.has(each))
    .join(', ');
}

const NOT_FOUND = 'HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';
const NONE: Buffer = Buffer.alloc(0);
