/** A way to a server that takes its time: each byte is so long under way, there and back, in its order. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const HOST = '127.0.0.1';

export class DelayingRelay {
  /** From one end to the other. */
  ms: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number, ms: number) {
    this.ms = ms;
    this.#server = createServer({ noDelay: true }, (client) => {
      const server = connect({ host: HOST, port, noDelay: true });
      this.#lead(client, server);
      this.#lead(server, client);
    });
  }

  static async start(port: number, ms: number): Promise<DelayingRelay> {
    const relay = new DelayingRelay(port, ms);
    await new Promise<void>((resolve) => relay.#server.listen(0, HOST, resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #lead(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    // Timers of unlike length may fire out of their order: what came later is written later.
    let last: Promise<void> = Promise.resolve();
    const later = (act: () => void) => {
      const due = new Promise<void>((resolve) => setTimeout(resolve, this.ms));
      last = last.then(() => due).then(act);
    };
    from.on('data', (data) => later(() => void to.write(data)));
    from.on('end', () => later(() => void to.end()));
    from.on('error', () => undefined);
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
