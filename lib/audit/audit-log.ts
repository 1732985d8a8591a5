/**
 * Who asked what over HTTP, and what became of it: two lines for each request, when it is known who asks
 * and when it is over. The answer waits for neither: what the lines cost is a little of the processor.
 */
import type { Socket } from 'node:net';
import { RESOLVE_PATH } from '../acl/resolving.ts';
import type { Caller } from '../acl/rights.ts';
import type { Clock } from '../clock.ts';
import { ADDRESS_OWNER_PATH } from '../dns-lookups.ts';
import { type Asker, type Audit, type Audited, CLIENT_GONE, type Repeated } from '../http/audit.ts';
import type { Message, Response } from '../http/ready-exchange.ts';
import { BEAT_PATH, INTRODUCTION_PATH, MEMBERS_PATH } from '../membership.ts';
import { addressOf, authText, eventLine, type RequestText, requestText } from './event-text.ts';

/** Where lines go, and may get lost. */
export interface AuditSink {
  write(line: string): void;
}

export interface AuditLogOptions {
  readonly sinks: readonly AuditSink[];
  readonly clock: Pick<Clock, 'now'>;
  /** Whether the text is the id of a token, and surely not a secret. */
  readonly isKnownId: (text: string) => boolean;
}

/** By these agents keep a cluster together, several times a second: written where they are refused. */
const QUIET = [BEAT_PATH, RESOLVE_PATH, MEMBERS_PATH, INTRODUCTION_PATH, ADDRESS_OWNER_PATH];
const FIRST_REFUSAL = 400;

export class AuditLog implements Audit {
  readonly #options: AuditLogOptions;
  /** Whose last request has its first line already. */
  readonly #begun = new WeakSet<Socket>();

  constructor(options: AuditLogOptions) {
    this.#options = options;
  }

  begins(message: Message, response: Response): Audited {
    const request = requestText(message, this.#options.isKnownId);
    const { socket } = message;
    const event = new Event(this, request, { socket, isBegun: this.#begun.delete(socket) });
    response.once('close', () => {
      event.ends(response.headersSent ? response.statusCode : CLIENT_GONE);
    });
    return event;
  }

  /** The fast path has begun what is now its route's. */
  hasBegun(socket: Socket): void {
    this.#begun.add(socket);
  }

  now(): number {
    return this.#options.clock.now();
  }

  write(line: string): void {
    for (const sink of this.#options.sinks) sink.write(line);
  }
}

interface Connected {
  readonly socket: Socket;
  readonly isBegun: boolean;
}

class Event implements Audited {
  asker: Asker = nobody;
  readonly #log: AuditLog;
  readonly #request: RequestText;
  readonly #address: string;
  readonly #isQuiet: boolean;
  readonly #isBegun: boolean;
  #startedAt: number;
  #auth: string | Promise<string> | undefined;

  constructor(log: AuditLog, request: RequestText, { socket, isBegun }: Connected) {
    this.#log = log;
    this.#request = request;
    this.#address = addressOf(socket);
    this.#isBegun = isBegun;
    this.#isQuiet = QUIET.some((path) => request.path.startsWith(path));
    this.#startedAt = log.now();
  }

  starts(by?: Caller): void {
    if (this.#auth !== undefined) return;
    this.#startedAt = this.#log.now();
    this.#auth = by === undefined ? authOf(this.asker) : authText(by);
    if (!this.#isQuiet && !this.#isBegun) this.#write(this.#startedAt, undefined);
  }

  ends(status: number): void {
    this.starts();
    const isRefused = status >= FIRST_REFUSAL && status !== CLIENT_GONE;
    if (this.#isQuiet && !isRefused) return;
    if (this.#isQuiet) this.#write(this.#startedAt, undefined);
    this.#write(this.#log.now(), status);
  }

  repeated(): Repeated | undefined {
    if (this.#isQuiet) return undefined;
    return new RepeatedRequest(this.#log, this.#request, this.asker);
  }

  #write(at: number, status: number | undefined): void {
    writeFor(this.#auth ?? authText(undefined), (auth) =>
      this.#log.write(
        eventLine({ at, auth, request: this.#request, address: this.#address, status }),
      ),
    );
  }
}

/** In their order: those who wait for one promise are told in turn. */
function writeFor(auth: string | Promise<string>, write: (auth: string) => void): void {
  if (typeof auth === 'string') write(auth);
  else void auth.then(write);
}

const nobody: Asker = () => {
  throw new Error('nobody can say who asks');
};

/** It never rejects: whom nobody knows is nobody. */
function authOf(asker: Asker): string | Promise<string> {
  try {
    const caller = asker();
    if (!(caller instanceof Promise)) return authText(caller);
    return caller.then(authText, () => authText(undefined));
  } catch {
    return authText(undefined);
  }
}

/** What it keeps alive beside its texts. */
const REPEATED_BYTES = 512;

class RepeatedRequest implements Repeated {
  readonly bytes: number;
  readonly #log: AuditLog;
  readonly #request: RequestText;
  readonly #asker: Asker;
  /** The same as long as the same is found to ask. */
  #caller: Caller | undefined;
  #auth = '';

  constructor(log: AuditLog, request: RequestText, asker: Asker) {
    this.#log = log;
    this.#request = request;
    this.#asker = asker;
    const { path, beforeAddress, afterAddress } = request;
    const letters = path.length + beforeAddress.length + afterAddress.length;
    this.bytes = 2 * letters + REPEATED_BYTES;
  }

  begins(socket: Socket): (status: number | undefined) => void {
    const auth = this.#authNow();
    const [request, address] = [this.#request, addressOf(socket)];
    const write = (status: number | undefined) => {
      const at = this.#log.now();
      writeFor(auth, (said) =>
        this.#log.write(eventLine({ at, auth: said, request, address, status })),
      );
    };
    write(undefined);
    return (status) => {
      if (status === undefined) this.#log.hasBegun(socket);
      else write(status);
    };
  }

  #authNow(): string | Promise<string> {
    try {
      const caller = this.#asker();
      if (caller instanceof Promise) return authOf(() => caller);
      if (caller !== this.#caller) {
        this.#caller = caller;
        this.#auth = authText(caller);
      }
      return this.#auth;
    } catch {
      return authText(undefined);
    }
  }
}
