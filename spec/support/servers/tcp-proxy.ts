/** A TCP proxy before a server, which can do to its clients what networks do. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Address } from '../../../server/log/redis/link/options.ts';

const started = new Set<TcpProxy>();

export class TcpProxy {
  /** Says for each reply whether the connection is cut instead: the command was executed then. */
  cutReply: (reply: Buffer) => boolean = () => false;
  /** Half-open: connections stay, and nothing comes through any more. */
  frozen = false;
  /** How much comes through from the server; everything at once unless it is set. */
  bytesPerSecond = Number.POSITIVE_INFINITY;
  /** Where new connections go. */
  target: Address;
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: Address) {
    this.target = target;
    this.#server = createServer((client) => this.#join(client, connect(this.target)));
  }

  static async start(target: Address): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    started.add(proxy);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get address(): Address {
    const { port } = this.#server.address() as AddressInfo;
    return { host: '127.0.0.1', port };
  }

  get url(): string {
    return `redis://127.0.0.1:${this.address.port}`;
  }

  /** Ends all connections; new ones are let through. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    started.delete(this);
    this.cutAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #slowDown(server: Socket, bytes: number): void {
    if (this.bytesPerSecond === Number.POSITIVE_INFINITY) return;
    server.pause();
    setTimeout(() => server.resume(), (bytes / this.bytesPerSecond) * 1000);
  }

  #join(client: Socket, server: Socket): void {
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (data) => {
      if (!this.frozen) server.write(data);
    });
    server.on('data', (data) => {
      if (this.frozen) return;
      if (this.cutReply(data)) {
        this.cuts++;
        client.destroy();
        server.destroy();
      } else {
        client.write(data);
        this.#slowDown(server, data.length);
      }
    });
  }
}

export async function stopAllProxies(): Promise<void> {
  for (const proxy of [...started]) await proxy.stop();
}

if (typeof afterEach === 'function') afterEach(stopAllProxies);
