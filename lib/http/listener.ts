/** Listens for HTTP, within the limits that keep one client from harming the others. */
import assert from 'node:assert/strict';
import { lstat, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { systemClock } from '../clock.ts';
import { hostPort } from '../ip.ts';
import { KEEP_ALIVE_MS, MAX_HEADER_BYTES } from '../limits.ts';
import { PerAddress } from '../per-address.ts';
import { type DoorOptions, Handshakes } from '../tls/handshakes.ts';
import { Connection, type ConnectionOptions, connectionOf } from './connection.ts';
import type { Shortcut } from './shortcut.ts';
import type { Standstill } from './standstill.ts';
import { Turns } from './turns.ts';

const IN_LINE = 4096;
/** A head that is sent byte by byte ends here; a body where it is read (body.ts). */
const HEADERS_TIMEOUT_MS = 10_000;
/** What nobody reads, and the largest archive over a slow line. */
const REQUEST_TIMEOUT_MS = 10 * 60_000;
const TIMEOUT_CHECK_MS = 5000;
/** An answer under way may still be written when the process is asked to end. */
const CLOSE_GRACE_MS = 500;
/** Who has just come, and has not said anything, says it by then. */
const FRESH_MS = 200;
/** Of one address: those who are too many, and are told so whatever they do. Each has a handshake where TLS is spoken. */
const TOLD_AT_ONCE = 32;
/** By then who was told so has read it. */
const TOLD_MS = 1000;

export interface ListenerOptions {
  readonly listener: RequestListener;
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly limits: ListenerLimits;
  /** How many may stand in line whom the system has taken: a turn of Node's loop takes one of them. */
  readonly inLine?: number;
  /** Whom it is there for, in the log. */
  readonly whom?: string;
  /** What may answer a request before it is parsed. */
  readonly shortcut?: Shortcut | undefined;
  /** Of the process, where it takes what changes something. */
  readonly standstill?: Standstill | undefined;
  /** Where TLS is spoken, or may be. */
  readonly door?: DoorOptions | undefined;
}

export interface ListenerLimits {
  /** Beyond it a client gets a 429 with a text; 0 for no limit. Asked for each new connection. */
  readonly connectionsPerAddress: () => number;
  /** Of a request's line and headers; Proconsul's own default where nobody says. */
  readonly headerBytes?: number;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #ways: Omit<ConnectionOptions, 'turns'>;
  readonly #turns = new Turns();
  readonly #connections = new Set<Connection>();
  readonly #perAddress: PerAddress;
  readonly #told = new PerAddress(() => TOLD_AT_ONCE);
  /** Who is being told that he is one too many. */
  readonly #refused = new Set<Socket>();
  readonly #door: Handshakes | undefined;
  /** How many connections ever. */
  #taken = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#ways = waysOf(options);
    this.#perAddress = new PerAddress(options.limits.connectionsPerAddress);
    this.#server = createServer(
      {
        keepAliveTimeout: KEEP_ALIVE_MS,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: TIMEOUT_CHECK_MS,
        maxHeaderSize: options.limits.headerBytes ?? MAX_HEADER_BYTES,
        noDelay: true,
        // A connection says it, in its turn and in Consul's words.
        requireHostHeader: false,
      },
      (message, response) => connectionOf(message.socket)?.requested(message, response),
    );
    // A client that closes its side gets its answer all the same; Node's own words for it.
    Object.assign(this.#server, { httpAllowHalfOpen: true });
    // Node would end each that is silent for as long, also one that waits for its answer.
    this.#server.on('timeout', (socket: Socket) => {
      const connection = connectionOf(socket);
      if (connection === undefined) socket.destroy();
      else connection.silent();
    });
    this.#door = options.door && new Handshakes(options.door);
    const [parse, ...others] = this.#server.listeners('connection');
    assert(parse !== undefined && others.length === 0, "only Node's parser reads a connection");
    this.#server.removeAllListeners('connection');
    this.#server.on('connection', (socket: Socket) =>
      this.#accepted(socket, (spoken) => parse.call(this.#server, spoken)),
    );
    this.#server.on('clientError', (error, socket) => {
      const connection = connectionOf(socket as Socket);
      if (connection === undefined) socket.destroy();
      else connection.failed(error);
    });
  }

  /** The port it listens at; useful when 0 was asked for. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Where it listens and for whom, in words. */
  get where(): string {
    const { at, whom } = this.#options;
    const place = 'path' in at ? at.path : hostPort(at.host, this.port);
    return whom === undefined ? place : `${place}, for ${whom}`;
  }

  /** How many are open. */
  get connections(): number {
    return this.#connections.size;
  }

  get server(): Server {
    return this.#server;
  }

  async start(): Promise<void> {
    const { at, inLine = IN_LINE } = this.#options;
    if ('path' in at) await removeStaleSocket(at.path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ ...at, backlog: inLine }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Takes no more connections, and ends those that are open once what they wait for is written. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const finish = () => {
      for (const connection of this.#connections) connection.finish();
    };
    finish();
    // What lies at the sockets of those that seem idle is read by then.
    await this.#takeThoseInLine();
    this.#door?.stop();
    for (const socket of this.#refused) socket.destroy();
    finish();
    // Who has just come has asked, and it may not be read yet.
    for (const connection of this.#connections) if (!connection.isFresh) connection.finishIdle();
    // Node would end those too that the shortcut is at work with.
    this.#server.closeIdleConnections = () => undefined;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const endIdle = () => {
      for (const connection of this.#connections) connection.finishIdle();
    };
    // What lies at the sockets is read in between, however late the timer is.
    const fresh = setTimeout(() => setImmediate(endIdle), FRESH_MS);
    const timer = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE_MS);
    await closed;
    clearTimeout(fresh);
    clearTimeout(timer);
  }

  /** Who stands in line at the socket would be cut off with it, and a turn of the loop takes one of them. */
  async #takeThoseInLine(): Promise<void> {
    const until = systemClock.monotonic() + FRESH_MS;
    let taken: number;
    do {
      taken = this.#taken;
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    } while (this.#taken !== taken && systemClock.monotonic() < until);
  }

  /** Counts it, and lets the parser read it once HTTP can be read from it. */
  #accepted(socket: Socket, parse: (spoken: Socket) => void): void {
    this.#taken++;
    const isOneTooMany = this.#perAddress.isOneTooMany(socket);
    const isTold = isOneTooMany && !this.#told.isOneTooMany(socket);
    const serve = (spoken: Socket) => {
      parse(spoken);
      if (isOneTooMany) this.#refuse(spoken, isTold);
      else this.#connected(spoken);
    };
    if (this.#door === undefined) serve(socket);
    // Before a handshake nothing can be said to it: it would take this for gone, which is only full.
    else if (isOneTooMany && !isTold) socket.destroy();
    else this.#door.take(socket, serve);
  }

  #refuse(socket: Socket, isTold: boolean): void {
    refuse(socket);
    if (!isTold) {
      socket.once('finish', () => socket.destroy());
      return;
    }
    // It would be reset as it closes if something lay there unread, and may not have been read by then.
    socket.on('data', () => undefined).resume();
    this.#refused.add(socket);
    const timer = setTimeout(() => socket.destroy(), TOLD_MS);
    socket.once('end', () => socket.destroy());
    socket.once('close', () => {
      clearTimeout(timer);
      this.#refused.delete(socket);
    });
  }

  #connected(socket: Socket): void {
    const connection = new Connection(socket, { ...this.#ways, turns: this.#turns });
    this.#options.standstill?.watch(socket);
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
  }
}

/** By the parser, and past it. */
function waysOf({ listener, shortcut, standstill }: ListenerOptions) {
  if (standstill === undefined) return { serve: listener, shortcut };
  return { serve: standstill.around(listener), shortcut: shortcut && standstill.beside(shortcut) };
}

/**
 * A process that was killed leaves its socket behind, at which nobody can listen again. As Consul
 * does, a socket is replaced; a file of another kind is somebody's, and stays.
 */
async function removeStaleSocket(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there?.isSocket() === true) await rm(path, { force: true });
}

/** Nothing that it sends is heeded. Consul closes the socket without a word, and its users search for days. */
function refuse(socket: Socket): void {
  // To listen takes the socket away from Node's parser, which reads it past all listeners.
  socket.on('data', () => undefined);
  for (const event of ['data', 'end']) socket.removeAllListeners(event);
  socket.pause();
  const text = 'too many connections from this address (limits.http_max_conns_per_client)\n';
  socket.end(
    'HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; charset=utf-8\r\n' +
      `Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
  );
}
