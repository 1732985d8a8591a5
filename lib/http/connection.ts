/**
 * One connection, between its socket and Node's parser. The parser would hand over every request of a chunk at
 * once; here a request begins when the one before it is answered, and of what a client sends ahead only a little is
 * read. So a GET after a PUT sees what was put, and whoever sends ten thousand requests at once waits for them himself.
 */
import assert from 'node:assert/strict';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { hostFault } from './host.ts';
import { asciiTarget } from './path.ts';
import { isPlain } from './plain-request.ts';
import type { AtWork, Shortcut } from './shortcut.ts';
import type { Turns } from './turns.ts';

/** The parser is given so much at once: some 150 requests at the very most. */
const PIECE_BYTES = 4096;
/** So much is read ahead; a client that goes away is noticed as long as it is less. */
const MAX_AHEAD_BYTES = 4096;
const HEAD_END = Buffer.from('\r\n\r\n');

export interface ConnectionOptions {
  readonly serve: (message: IncomingMessage, response: ServerResponse) => void;
  readonly shortcut?: Shortcut | undefined;
  readonly turns: Turns;
}

interface Open {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** It is refused for it, when its turn has come. */
  readonly fault: string | undefined;
  end?: () => void;
}

/** What the parser was given since it last stood between two messages. */
interface Given {
  readonly first: Buffer;
  /** Up to where the first head ends, which may come in pieces. */
  head: Buffer;
  bytes: number;
  requests: number;
  /** The last bytes: a head ends with HEAD_END, and so does a body in chunks. */
  tail: Buffer;
}

const BY_SOCKET = new WeakMap<Socket, Connection>();

export function connectionOf(socket: Socket): Connection | undefined {
  return BY_SOCKET.get(socket);
}

export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #parse: (chunk: Buffer) => void;
  readonly #parseEnd: () => void;
  /** Read, and not yet given to the parser. */
  #ahead: Buffer[] = [];
  #aheadBytes = 0;
  #isHeldBack = false;
  #hasEnded = false;
  /** The exchange under way, and those that the parser found behind it in one piece. */
  #open: Open | undefined;
  readonly #next: Open[] = [];
  /** Undefined while the parser stands between two messages and everything is answered. */
  #given: Given | undefined;
  /** What the shortcut is at work with. */
  #taken: AtWork | undefined;
  /** The bytes of that. */
  #asked: Buffer | string = '';
  /** Until its first message, the parser's server counts how long the connection takes for it. */
  #isFresh = true;
  /** The last request, as it says itself: nothing that follows it is one. */
  #last: IncomingMessage | undefined;
  /** Whatever comes to be a request is the last. */
  #isFinishing = false;
  /** Nothing that comes is looked at any more. */
  #closes = false;
  #error: NodeJS.ErrnoException | undefined;

  /** Steps in between the socket and the parser, before either has seen a byte. */
  constructor(socket: Socket, options: ConnectionOptions) {
    const [parse, ...others] = socket.listeners('data') as ((chunk: Buffer) => void)[];
    const parseEnd = socket.listeners('end').at(-1) as () => void;
    assert(parse !== undefined && others.length === 0, 'only the parser reads a new socket');
    this.#socket = socket;
    this.#options = options;
    this.#parse = (chunk) => parse.call(socket, chunk);
    this.#parseEnd = () => parseEnd.call(socket);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.off('data', parse);
    socket.off('end', parseEnd);
    socket.on('end', () => this.#end());
    socket.once('close', () => this.#closed());
    BY_SOCKET.set(socket, this);
  }

  /** The parser has read the head of a message. */
  requested(message: IncomingMessage, response: ServerResponse): void {
    if (this.#given !== undefined) this.#given.requests++;
    const fault = hostFault(message);
    if (this.#isFinishing) response.shouldKeepAlive = false;
    if (!response.shouldKeepAlive || fault !== undefined) this.#last = message;
    const open = { message, response, fault };
    if (this.#open === undefined && this.#next.length === 0) this.#serve(open);
    else this.#next.push(open);
  }

  /** The parser cannot make anything of what it was given. */
  failed(error: NodeJS.ErrnoException): void {
    if (this.#isOver()) return;
    this.#error = error;
    this.#dropAhead();
    // What came whole before it is answered first; a message that broke off never will.
    const current = this.#open ?? this.#next[0];
    if (current?.message.complete !== true) this.#refuse(error);
  }

  /**
   * The bytes of this message, where they are all that the parser was given and where any other
   * connection could send them too and get the same answer.
   */
  wholeRequest(message: IncomingMessage): string | undefined {
    return isPlain(message) ? this.wholeChunk(message)?.toString('latin1') : undefined;
  }

  /** The bytes of this message, where they are all that the parser was given, and came in one piece. */
  wholeChunk(message: IncomingMessage): Buffer | undefined {
    const given = this.#given;
    if (given === undefined || given.requests !== 1) return undefined;
    const { first, bytes } = given;
    return bytes === first.length && lengthOf(message, given) === bytes ? first : undefined;
  }

  /** Takes a request back from the shortcut: the parser gets it, and its route begins anew. */
  release(): void {
    if (this.#taken?.withdraw() === true) this.#giveBack();
  }

  /** What is being answered goes on until somebody ends it: by this. */
  endsBy(end: () => void): void {
    if (this.#open !== undefined) this.#open.end = end;
    if (this.#isFinishing) end();
  }

  get isFinishing(): boolean {
    return this.#isFinishing;
  }

  /** Nothing of it has been read yet. */
  get isFresh(): boolean {
    return this.#isFresh;
  }

  /** For longer than it may be idle, or stall. What the parser is at work with sees to that itself. */
  silent(): void {
    const isWaiting = this.#taken !== undefined && this.#socket.writableLength === 0;
    if (!isWaiting && this.#open === undefined) this.#socket.destroy();
  }

  /** It ends with the answer that has just been given. */
  closes(): void {
    this.#closes = true;
    this.#dropAhead();
  }

  /** Answers what has begun, and says with it that this is the last: whoever asks again asks elsewhere. */
  finish(): void {
    this.#isFinishing = true;
    this.release();
    const open = this.#open;
    open?.end?.();
    if (open === undefined || open.response.headersSent) return;
    open.response.shouldKeepAlive = false;
    this.#last = open.message;
  }

  /** Ends it where nothing is being answered. Node would take one for idle that the shortcut is at work with. */
  finishIdle(): void {
    const isAtWork = this.#open !== undefined || this.#next.length > 0 || !this.#isIdle();
    if (this.#isFinishing && !isAtWork) this.#socket.destroySoon();
  }

  /** In the turn of the loop that has room for it. */
  begin(): void {
    if (this.#socket.destroyed) return;
    const [chunk] = this.#ahead;
    const isBetween = this.#given === undefined && this.#taken === undefined;
    if (chunk?.length === this.#aheadBytes && isBetween && !this.#hasEnded) {
      this.#dropAhead();
      if (this.#shortcutTakes(chunk)) return;
      this.#keep(chunk);
    }
    this.#advance();
  }

  #take(chunk: Buffer): void {
    if (this.#isOver()) return;
    if (!this.#options.turns.beginsNow()) {
      this.#keep(chunk);
      this.#holdBack(this.#aheadBytes > MAX_AHEAD_BYTES);
      this.#options.turns.wait(this);
      return;
    }
    if (this.#isIdle() && this.#shortcutTakes(chunk)) return;
    this.#keep(chunk);
    this.#advance();
  }

  #keep(chunk: Buffer): void {
    this.#ahead.push(chunk);
    this.#aheadBytes += chunk.length;
  }

  /** No more is read: the last request has come whole, or what cannot be read. */
  #isOver(): boolean {
    return this.#closes || this.#last?.complete === true || this.#error !== undefined;
  }

  #isIdle(): boolean {
    return this.#given === undefined && this.#taken === undefined && this.#aheadBytes === 0;
  }

  #shortcutTakes(request: Buffer): boolean {
    const { shortcut } = this.#options;
    // A client that does not read what it is answered: Node's server knows how to hold it back.
    if (shortcut === undefined || this.#isFresh || this.#isFinishing) return false;
    if (this.#socket.writableLength > 0) return false;
    const taken = shortcut.take(request, this.#socket, this.#done);
    if (taken === undefined) return false;
    if (taken === 'answered') return true;
    this.#taken = taken;
    this.#asked = taken.request ?? request;
    return true;
  }

  readonly #done = (answered: boolean): void => {
    if (answered) {
      this.#taken = undefined;
      this.#asked = '';
    } else this.#giveBack();
    this.#advance();
    this.finishIdle();
  };

  #giveBack(): void {
    this.#taken = undefined;
    const asked = this.#asked;
    this.#give(typeof asked === 'string' ? Buffer.from(asked, 'latin1') : asked);
  }

  /** Gives the parser what was read ahead, as far as it is a request's turn. */
  #advance(): void {
    while (this.#aheadBytes > 0 && !this.#isBusy()) this.#give(this.#piece());
    if (this.#socket.destroyed) return;
    this.#holdBack(this.#aheadBytes > MAX_AHEAD_BYTES);
    if (this.#hasEnded && this.#aheadBytes === 0 && this.#taken === undefined) this.#passEnd();
  }

  /** Node pauses a socket too, while nobody reads a body: that is not for us to end. */
  #holdBack(isFull: boolean): void {
    if (isFull) this.#socket.pause();
    else if (this.#isHeldBack) this.#socket.resume();
    this.#isHeldBack = isFull;
  }

  /** A request is being answered that has come whole: what follows is not its body. */
  #isBusy(): boolean {
    if (this.#taken !== undefined || this.#next.length > 0) return true;
    return this.#open?.message.complete === true;
  }

  #piece(): Buffer {
    const [chunk = Buffer.alloc(0)] = this.#ahead;
    const piece = chunk.subarray(0, PIECE_BYTES);
    if (piece.length === chunk.length) this.#ahead.shift();
    else this.#ahead[0] = chunk.subarray(PIECE_BYTES);
    this.#aheadBytes -= piece.length;
    return piece;
  }

  #give(bytes: Buffer): void {
    // The client went away while its read waited to be fresh; Node has taken the parser back.
    if (this.#socket.destroyed) return;
    const piece = this.#given === undefined ? asciiTarget(bytes) : bytes;
    this.#isFresh = false;
    this.#count(piece);
    this.#parse(piece);
  }

  #count(piece: Buffer): void {
    const none = Buffer.alloc(0);
    const given = this.#given ?? {
      first: piece,
      head: none,
      bytes: 0,
      requests: 0,
      tail: none,
    };
    this.#given = given;
    given.tail = Buffer.concat([given.tail, piece.subarray(-HEAD_END.length)]).subarray(
      -HEAD_END.length,
    );
    given.bytes += piece.length;
    if (!given.head.includes(HEAD_END)) given.head = Buffer.concat([given.head, piece]);
  }

  #serve(open: Open): void {
    this.#open = open;
    open.response.once('close', () => this.#answered(open));
    if (open.fault === undefined) this.#options.serve(open.message, open.response);
    else this.#endWith(`400 ${STATUS_CODES[400]}: ${open.fault}`);
  }

  #answered({ message }: Open): void {
    this.#open = undefined;
    const given = this.#given;
    if (given !== undefined && isAllOf(message, given)) this.#given = undefined;
    if (this.#next.length > 0 || this.#aheadBytes > 0) setImmediate(() => this.#goOn());
    else if (this.#error !== undefined) this.#refuse(this.#error);
    else if (this.#hasEnded) this.#advance();
    this.finishIdle();
  }

  /** In a turn of the event loop of its own: other connections have theirs in between. */
  #goOn(): void {
    if (this.#socket.destroyed || this.#open !== undefined) return;
    const next = this.#next.shift();
    const isBroken = this.#error !== undefined && next?.message.complete !== true;
    if (this.#error !== undefined && isBroken) this.#refuse(this.#error);
    else if (next !== undefined) this.#serve(next);
    this.#advance();
  }

  /** The client sends nothing more; what it has sent is answered. */
  #end(): void {
    this.#hasEnded = true;
    this.release();
    if (!this.#options.turns.isWaiting(this)) this.#advance();
  }

  #passEnd(): void {
    this.#hasEnded = false;
    this.#parseEnd();
  }

  #closed(): void {
    this.#options.turns.leave(this);
    this.#taken?.withdraw();
    this.#taken = undefined;
    this.#dropAhead();
    this.#next.length = 0;
  }

  #dropAhead(): void {
    this.#ahead = [];
    this.#aheadBytes = 0;
  }

  #refuse({ code = '' }: NodeJS.ErrnoException): void {
    const status = ERROR_STATUS[code] ?? 400;
    this.#endWith(`${status} ${STATUS_CODES[status]}`);
  }

  /** As Go's server says it. */
  #endWith(line: string): void {
    const type = 'Content-Type: text/plain; charset=utf-8';
    if (this.#socket.writable && this.#open?.response.headersSent !== true) {
      this.#socket.write(`HTTP/1.1 ${line}\r\n${type}\r\nConnection: close\r\n\r\n${line}`);
    }
    this.#socket.destroySoon();
  }
}

const ERROR_STATUS: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

/**
 * Whether what was given is this one message and nothing more, so that nothing is left in the
 * parser. After a body in chunks what is left could only be a part of a head: that does not end as
 * a head does, or it would have been found.
 */
function isAllOf(message: IncomingMessage, given: Given): boolean {
  if (!message.complete || given.requests !== 1) return false;
  if (message.headers['transfer-encoding'] !== undefined) return given.tail.equals(HEAD_END);
  return given.bytes === lengthOf(message, given);
}

/** How many bytes the message has; NaN where that cannot be told from its head. */
function lengthOf({ headers }: IncomingMessage, { head }: Given): number {
  const headEnd = head.indexOf(HEAD_END);
  if (headEnd < 0 || headers['transfer-encoding'] !== undefined) return Number.NaN;
  return headEnd + HEAD_END.length + Number(headers['content-length'] ?? 0);
}
