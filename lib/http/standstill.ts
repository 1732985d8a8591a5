/**
 * A process that stood still (it was stopped, its machine slept, a turn of its loop took seconds) finds at its sockets
 * what was asked meanwhile. Whoever asked may have given up, asked another server, and said something later there: what
 * changes something is begun for nobody who has gone, or it would count over the later word.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../clock.ts';
import { ProconsulError } from '../errors.ts';
import { errorReply, errorWire, sendWire } from './respond.ts';
import type { Shortcut } from './shortcut.ts';

const TICK_MS = 250;
/** Less than anybody waits before he asks another. */
const STILL_MS = 1000;
/** A turn of the loop takes one of those who stand in line: by then it has taken all thousands, also where it shares its processor. */
const LATELY_MS = 30_000;
const READS: readonly (string | undefined)[] = ['GET', 'HEAD', 'OPTIONS'];
const LETTER_G = 0x47;

const BY_SOCKET = new WeakMap<Socket, Standstill>();

export interface StandstillOptions {
  readonly clock: Clock;
  /** It stood still for so long, and goes on. */
  readonly onNoticed: (ms: number) => void;
}

/** Of a process. */
export class Standstill {
  readonly #options: StandstillOptions;
  /** When it surely moved. */
  #at = Number.POSITIVE_INFINITY;
  #wallAt = Number.POSITIVE_INFINITY;
  #latelyUntil = Number.NEGATIVE_INFINITY;
  #cancel: Cancel = () => undefined;

  constructor(options: StandstillOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.#moves();
    this.#arm();
  }

  stop(): void {
    this.#cancel();
    this.#at = Number.POSITIVE_INFINITY;
    this.#wallAt = Number.POSITIVE_INFINITY;
  }

  /** Looks by itself, for what lies at the sockets is read before any timer that is late has its turn. */
  wasLately(): boolean {
    return this.#look() < this.#latelyUntil;
  }

  /** Serves as `serve` does; lately, what changes something only once the ends of connections have been heard. */
  around(serve: RequestListener): RequestListener {
    const begin = unlessGone(serve);
    return (message, response) => {
      if (isRead(message) || !this.wasLately()) serve(message, response);
      else onceEndsAreHeard(() => begin(message, response));
    };
  }

  /** What it would have to hold back is the parser's. */
  beside(shortcut: Shortcut): Shortcut {
    return {
      take: (request, socket, done) => {
        if (request[0] !== LETTER_G && this.wasLately()) return undefined;
        return shortcut.take(request, socket, done);
      },
    };
  }

  /** What comes by this socket is served `around`. */
  watch(socket: Socket): void {
    BY_SOCKET.set(socket, this);
  }

  #arm(): void {
    this.#cancel = this.#options.clock.after(TICK_MS, () => {
      this.#look();
      this.#moves();
      this.#arm();
    });
  }

  #moves(): void {
    const { clock } = this.#options;
    this.#at = clock.monotonic();
    this.#wallAt = clock.now();
  }

  /** By either time: while a machine sleeps, its monotonic one may stand still as well. Says how late it is. */
  #look(): number {
    const { clock, onNoticed } = this.#options;
    const now = clock.monotonic();
    const ms = Math.max(now - this.#at, clock.now() - this.#wallAt);
    if (ms < STILL_MS) return now;
    this.#moves();
    this.#latelyUntil = now + LATELY_MS;
    onNoticed(ms);
    return now;
  }
}

/** Serves, but for a change that is asked by whoever has gone, of which nothing is begun. */
export function unlessGone(serve: RequestListener): RequestListener {
  return (message, response) => {
    if (isRead(message) || !hasGone(message)) serve(message, response);
    else refuse(response);
  };
}

/**
 * The same of one whose body has come only now: its connection's end lay behind that. Resolves at once as a rule, and
 * rejects where he has gone.
 */
export function whoStays<T>(message: IncomingMessage, body: T): T | Promise<T> {
  if (BY_SOCKET.get(message.socket)?.wasLately() !== true || isRead(message)) return body;
  return new Promise((resolve, reject) => {
    onceEndsAreHeard(() => (hasGone(message) ? reject(stale()) : resolve(body)));
  });
}

/** The next turn of the loop polls each socket once more, and what it reads is told before the one after it. */
function onceEndsAreHeard(call: () => void): void {
  setImmediate(() => setImmediate(call));
}

function isRead({ method }: IncomingMessage): boolean {
  return READS.includes(method);
}

/** Who only closed his side cannot be told from him. */
function hasGone({ socket }: IncomingMessage): boolean {
  return socket.destroyed || socket.readableEnded;
}

/** Who only closed his side hears that he may repeat it. */
function refuse(response: ServerResponse): void {
  sendWire(errorWire(errorReply(stale()), { common: {} }), response);
}

function stale(): ProconsulError {
  const text = 'whoever asked had closed his side before it could be begun';
  return new ProconsulError('unavailable', text);
}
