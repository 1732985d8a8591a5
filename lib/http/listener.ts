/** Listens for HTTP, within the limits that keep one client from harming the others. */
import { lstat, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { MAX_HEADER_BYTES } from '../limits.ts';
import type { FastPath } from './fast/fast-path.ts';

/** Longer than Go's 90 s, or its clients meet a connection that closes as they write on it. */
const KEEP_ALIVE_MS = 6 * 60_000;
/** A request that is sent byte by byte ends here. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const TIMEOUT_CHECK_MS = 5000;
/** An answer under way may still be written when the process is asked to end. */
const CLOSE_GRACE_MS = 500;

export interface ListenerOptions {
  readonly listener: RequestListener;
  readonly at: { readonly host: string; readonly port: number } | { readonly path: string };
  /** Beyond it a client gets a 429 with a text; 0 for no limit. */
  readonly maxConnectionsPerAddress: number;
  /** The one that the listener tells what it answers. */
  readonly fastPath?: FastPath;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #connections = new Map<string, number>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        keepAliveTimeout: KEEP_ALIVE_MS,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: TIMEOUT_CHECK_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
        noDelay: true,
      },
      options.listener,
    );
    this.#server.on('connection', (socket: Socket) => this.#count(socket));
    options.fastPath?.attach(this.#server);
  }

  /** The port it listens at; useful when 0 was asked for. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  get server(): Server {
    return this.#server;
  }

  async start(): Promise<void> {
    const { at } = this.#options;
    if ('path' in at) await removeStaleSocket(at.path);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ ...at, backlog: 4096 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Takes no more connections, and ends those that are open once what they wait for is written. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#options.fastPath?.release();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE_MS);
    await closed;
    clearTimeout(timer);
  }

  #count(socket: Socket): void {
    const max = this.#options.maxConnectionsPerAddress;
    const address = socket.remoteAddress;
    if (max <= 0 || address === undefined) return;
    const open = (this.#connections.get(address) ?? 0) + 1;
    this.#connections.set(address, open);
    socket.once('close', () => {
      const left = (this.#connections.get(address) ?? 1) - 1;
      if (left > 0) this.#connections.set(address, left);
      else this.#connections.delete(address);
    });
    if (open > max) refuse(socket);
  }
}

/**
 * A process that was killed leaves its socket behind, at which nobody can listen again. As Consul
 * does, a socket is replaced; a file of another kind is somebody's, and stays.
 */
async function removeStaleSocket(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there?.isSocket() === true) await rm(path, { force: true });
}

/** Consul closes the socket without a word, and its users search for days. */
function refuse(socket: Socket): void {
  const text = 'too many connections from this address (limits.http_max_conns_per_client)\n';
  socket.end(
    'HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; charset=utf-8\r\n' +
      `Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
  );
}
