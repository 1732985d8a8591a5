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
import type { Pending, Shared } from '../reply.ts';
import type { Wire, Writing } from '../respond.ts';
import { Connection, type Known } from './connection.ts';
import { ReadyBytes } from './ready-bytes.ts';
import { SharedWait } from './shared-wait.ts';

/** Room for what is known; what was learnt first goes first, and is learnt again when it is asked. */
const MAX_KNOWN_BYTES = 64 * 1024 * 1024;
/** What an entry takes beside its bytes. */
const ENTRY_OVERHEAD_BYTES = 512;

export interface Exchange {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
}

interface Entry extends Known {
  readonly bytes: number;
}

export class FastPath {
  readonly #known = new Map<string, Entry>();
  readonly #connections = new WeakMap<Socket, Connection>();
  readonly #parked = new Set<Connection>();
  readonly #maxBytes: number;
  #bytes = 0;
  #keepAliveMs = 0;

  constructor(maxBytes: number = MAX_KNOWN_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** How many requests are known, their room, and how many connections wait. */
  get size(): { known: number; bytes: number; parked: number } {
    return { known: this.#known.size, bytes: this.#bytes, parked: this.#parked.size };
  }

  /** Takes its place between the server's sockets and its parser, before the server listens. */
  attach(server: Server): void {
    this.#keepAliveMs = server.keepAliveTimeout;
    const deps = {
      keepAliveMs: this.#keepAliveMs,
      parked: this.#parked,
      find: (request: string) => this.#known.get(request),
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
    this.#learn(request, { shared, ready, bytes: ready.length });
  }

  /** The exchange is about to wait. */
  waits(exchange: Exchange, pending: Pending, writing: Writing): void {
    const request = this.#requestOf(exchange);
    if (request === undefined) return;
    const wait = new SharedWait(pending, writing, this.#keepAliveMs);
    this.#learn(request, { shared: pending, wait, bytes: 0 });
  }

  /** Gives every connection that waits here to the parser: its server is about to stop. */
  release(): void {
    for (const connection of [...this.#parked]) connection.release();
  }

  #requestOf({ message, response }: Exchange): string | undefined {
    if (!response.shouldKeepAlive) return undefined;
    return this.#connections.get(message.socket)?.wholeRequest(message);
  }

  #learn(request: string, entry: Entry): void {
    this.#forget(request);
    this.#known.set(request, entry);
    this.#bytes += roomOf(request, entry);
    for (const oldest of this.#known.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#forget(oldest);
    }
  }

  #forget(request: string): void {
    const entry = this.#known.get(request);
    if (entry === undefined) return;
    this.#known.delete(request);
    this.#bytes -= roomOf(request, entry);
  }
}

function roomOf(request: string, { bytes }: Entry): number {
  return request.length + bytes + ENTRY_OVERHEAD_BYTES;
}
