/** A port for clients of gRPC: counts their connections, and hands each on once HTTP/2 can be read from it. */

import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { hostPort } from '../lib/ip.ts';
import { PerAddress } from '../lib/per-address.ts';
import { type DoorOptions, Handshakes } from '../lib/tls/handshakes.ts';

export type ListenAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

export interface ListenerOptions {
  readonly at: ListenAddress;
  /** Where TLS is spoken; undefined for none. */
  readonly door: DoorOptions | undefined;
  /** Of one address; 0 for no limit. Asked for each new connection. */
  readonly maxConnections: () => number;
  readonly take: (socket: Socket) => void;
}

export class GrpcListener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #door: Handshakes | undefined;
  readonly #open = new Set<Socket>();
  readonly #perAddress: PerAddress;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#perAddress = new PerAddress(options.maxConnections);
    this.#door = options.door && new Handshakes(options.door);
    this.#server = createServer({ noDelay: true }, (socket) => this.#accepted(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  get where(): string {
    const { at, door } = this.#options;
    const place = 'path' in at ? at.path : hostPort(at.host, this.port);
    return `${place}, for clients of xDS${door === undefined ? '' : ', by TLS'}`;
  }

  get connections(): number {
    return this.#open.size;
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ ...this.#options.at, backlog: 4096 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#door?.stop();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  #accepted(socket: Socket): void {
    socket.on('error', () => undefined);
    if (this.#perAddress.isOneTooMany(socket, socket.remoteAddress ?? '')) {
      socket.destroy();
      return;
    }
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    if (this.#door === undefined) this.#options.take(socket);
    else this.#door.take(socket, (spoken) => this.#options.take(spoken));
  }
}
