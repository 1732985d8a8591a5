/**
 * Answers a request whose very bytes were answered before, without parsing them. The first time a
 * request goes the long way, through Node's parser to its route; where the route says that the
 * answer is shared, the bytes that asked are kept beside it. The same bytes, coming in one chunk
 * between two messages of a connection, then get the same answer for as long as the route says that
 * it stands, or join the same wait where the route made them wait.
 *
 * Nothing here knows what a request means, so there is nothing in which it could differ from a
 * route; and nothing is taken apart here, so there is nothing that Node's parser could take apart
 * otherwise: a chunk is known, byte for byte, or it goes to the parser.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ByteCache } from '../../byte-cache.ts';
import type { Cancel } from '../../clock.ts';
import type { Pending, Shared } from '../reply.ts';
import type { Wire, Writing } from '../respond.ts';
import { Connection, type Learnt } from './connection.ts';
import { ReadyBytes } from './ready-bytes.ts';
import { SharedWait } from './shared-wait.ts';

/** Room for answers; what is let go is learnt again when it is asked. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
}

export class FastPath {
  /** By the bytes that asked. */
  readonly #answers: ByteCache<string, Learnt>;
  /** By the bytes that asked; each only for as long as someone waits there. */
  readonly #waits = new Map<string, SharedWait>();
  readonly #connections = new WeakMap<Socket, Connection>();
  readonly #parked = new Set<Connection>();
  #keepAliveMs = 0;

  constructor(maxBytes: number = MAX_ANSWER_BYTES) {
    this.#answers = new ByteCache({ maxBytes });
  }

  /** How many requests have an answer or a wait here, the answers' room, and how many are parked. */
  get size(): { answers: number; bytes: number; waits: number; parked: number } {
    return {
      answers: this.#answers.size,
      bytes: this.#answers.bytes,
      waits: this.#waits.size,
      parked: this.#parked.size,
    };
  }

  /** Takes its place between the server's sockets and its parser, before the server listens. */
  attach(server: Server): void {
    this.#keepAliveMs = server.keepAliveTimeout;
    const deps = {
      keepAliveMs: this.#keepAliveMs,
      parked: this.#parked,
      find: (request: string) => this.#answers.get(request)?.value ?? this.#waitFor(request),
    };
    server.on('connection', (socket: Socket) => {
      const connection = Connection.on(socket, deps);
      if (connection !== undefined) this.#connections.set(socket, connection);
    });
    server.prependListener('request', (message: IncomingMessage, response: ServerResponse) =>
      this.#connections.get(message.socket)?.requested(message, response),
    );
  }

  /** The exchange is about to end with this answer. */
  answers(exchange: Exchange, shared: Shared, wire: Wire): void {
    const request = this.#requestOf(exchange);
    if (request === undefined) return;
    const ready = new ReadyBytes(wire, this.#keepAliveMs);
    this.#answers.keep(request, { shared, ready }, ready.bytes + shared.bytes);
  }

  /** The exchange is about to wait, until it calls what this gives. */
  waits(exchange: Exchange, pending: Pending, writing: Writing): Cancel {
    const request = this.#requestOf(exchange);
    if (request === undefined) return () => undefined;
    const known = this.#waits.get(request);
    if (known !== undefined) return known.enter();
    this.#answers.delete(request);
    const wait = new SharedWait({
      pending,
      writing,
      keepAliveMs: this.#keepAliveMs,
      onEmpty: () => this.#waits.delete(request),
    });
    this.#waits.set(request, wait);
    return wait.enter();
  }

  /** Gives every connection that waits here to the parser: its server is about to stop. */
  release(): void {
    for (const connection of [...this.#parked]) connection.release();
  }

  #requestOf({ message, response }: Exchange): string | undefined {
    if (!response.shouldKeepAlive) return undefined;
    return this.#connections.get(message.socket)?.wholeRequest(message);
  }

  #waitFor(request: string): Learnt | undefined {
    const wait = this.#waits.get(request);
    return wait && { shared: wait.shared, wait };
  }
}
