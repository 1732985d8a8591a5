/**
 * One connection as the fast path sees it: between two messages, in the hands of Node's parser, or
 * parked, which is to say that its request waits here and the parser has not seen it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Cancel } from '../../clock.ts';
import type { Shared } from '../reply.ts';
import type { ReadyBytes } from './ready-bytes.ts';
import type { SharedWait } from './shared-wait.ts';

/** A request without a body is hardly ever longer, and a longer one is not worth its room. */
const MAX_REQUEST_BYTES = 4096;
const HEAD_END = '\r\n\r\n';

/** What was learnt of a request: its answer, or what it waits for. */
export interface Learnt {
  readonly shared: Shared;
  readonly ready?: ReadyBytes;
  readonly wait?: SharedWait;
}

export interface ConnectionDeps {
  readonly keepAliveMs: number;
  /** Those that are parked now. */
  readonly parked: Set<Connection>;
  /** What was learnt of a request, byte for byte. */
  readonly find: (request: string) => Learnt | undefined;
}

/** What the parser was given since it last stood between two messages. */
interface Given {
  readonly first: Buffer;
  bytes: number;
  requests: number;
}

interface Parked {
  readonly request: Buffer;
  readonly cancel: Cancel;
}

export class Connection {
  readonly #socket: Socket;
  readonly #deps: ConnectionDeps;
  readonly #parse: (chunk: Buffer) => void;
  /** Undefined while the parser stands between two messages and everything is answered. */
  #given: Given | undefined;
  #parked: Parked | undefined;
  /** Until its first message, the parser's server counts how long the connection takes for it. */
  #isFresh = true;

  /** Steps in between the socket and the parser; not where something else reads along. */
  static on(socket: Socket, deps: ConnectionDeps): Connection | undefined {
    const [parse, ...others] = socket.listeners('data');
    if (parse === undefined || others.length > 0) return undefined;
    const connection = new Connection(socket, deps, (chunk) => parse.call(socket, chunk));
    socket.on('data', (chunk: Buffer) => connection.#take(chunk));
    socket.off('data', parse as (chunk: Buffer) => void);
    socket.once('close', () => connection.#unpark());
    return connection;
  }

  private constructor(socket: Socket, deps: ConnectionDeps, parse: (chunk: Buffer) => void) {
    this.#socket = socket;
    this.#deps = deps;
    this.#parse = parse;
  }

  /** The parser has read the head of a message. */
  requested(message: IncomingMessage, response: ServerResponse): void {
    const given = this.#given;
    if (given === undefined) return;
    given.requests++;
    response.once('close', () => {
      // Whatever was given is this one message and nothing more: so nothing is left in the parser.
      const isWhole = message.complete && given.bytes === lengthOf(message, given.first);
      if (this.#given === given && given.requests === 1 && isWhole) this.#given = undefined;
    });
  }

  /**
   * The bytes of this message, where they are all that the parser was given and where any other
   * connection could send them too and get the same answer.
   */
  wholeRequest(message: IncomingMessage): string | undefined {
    const given = this.#given;
    if (given === undefined || given.requests !== 1 || !isPlain(message)) return undefined;
    const { first, bytes } = given;
    if (bytes !== first.length || bytes > MAX_REQUEST_BYTES) return undefined;
    if (lengthOf(message, first) !== bytes) return undefined;
    return first.toString('latin1');
  }

  /** Leaves its wait: the parser gets the request, and its route waits anew. */
  release(): void {
    const request = this.#unpark();
    if (request !== undefined) this.#give(request);
  }

  #take(chunk: Buffer): void {
    // More before the answer came: the parser knows how to keep the order.
    if (this.#parked !== undefined) this.release();
    const learnt = this.#find(chunk);
    if (learnt === undefined) {
      this.#give(chunk);
      return;
    }
    const ready = learnt.shared.ready();
    if (ready === undefined) {
      this.#use(learnt, chunk);
      return;
    }
    this.#socket.pause();
    ready
      .then(
        () => this.#use(learnt, chunk),
        () => this.#give(chunk),
      )
      .finally(() => this.#socket.resume());
  }

  #find(chunk: Buffer): Learnt | undefined {
    if (this.#given !== undefined || this.#isFresh || chunk.length > MAX_REQUEST_BYTES) {
      return undefined;
    }
    // A client that does not read what it is answered: Node's server knows how to hold it back.
    if (this.#socket.writableLength > 0) return undefined;
    return this.#deps.find(chunk.toString('latin1'));
  }

  #use(learnt: Learnt, request: Buffer): void {
    if (!this.#socket.writable) return;
    if (!stands(learnt)) this.#give(request);
    else if (learnt.ready !== undefined) learnt.ready.writeTo(this.#socket);
    else if (learnt.wait !== undefined) this.#park(learnt.wait, request);
  }

  #park(wait: SharedWait, request: Buffer): void {
    // A wait may be longer than a connection may be idle.
    this.#socket.setTimeout(0);
    const cancel = wait.join((ready) => {
      this.#unpark();
      this.#socket.setTimeout(this.#deps.keepAliveMs);
      if (ready === undefined) this.#socket.destroy();
      else ready.writeTo(this.#socket);
    });
    this.#parked = { request, cancel };
    this.#deps.parked.add(this);
  }

  #unpark(): Buffer | undefined {
    const parked = this.#parked;
    if (parked === undefined) return undefined;
    this.#parked = undefined;
    this.#deps.parked.delete(this);
    parked.cancel();
    return parked.request;
  }

  #give(chunk: Buffer): void {
    // The client went away while its read waited to be fresh; Node has taken the parser back.
    if (this.#socket.destroyed) return;
    this.#isFresh = false;
    this.#given ??= { first: chunk, bytes: 0, requests: 0 };
    this.#given.bytes += chunk.length;
    this.#parse(chunk);
  }
}

/** A query that comes to an error has no answer that could stand: its route says it best. */
function stands({ shared }: Learnt): boolean {
  try {
    return shared.stands();
  } catch {
    return false;
  }
}

/** A GET as nearly all are: no body, no wish about the connection but to keep it. */
function isPlain({ method, httpVersion, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    httpVersion === '1.1' &&
    (headers.connection === undefined || headers.connection.toLowerCase() === 'keep-alive') &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    headers.expect === undefined &&
    headers.upgrade === undefined
  );
}

/** How many bytes the message has; NaN where that cannot be told from its head. */
function lengthOf({ headers }: IncomingMessage, first: Buffer): number {
  const headEnd = first.indexOf(HEAD_END);
  if (headEnd < 0 || headers['transfer-encoding'] !== undefined) return Number.NaN;
  return headEnd + HEAD_END.length + Number(headers['content-length'] ?? 0);
}
