import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { networkOf } from '../../lib/ip.ts';
import type { Logger } from '../../lib/logger.ts';
import {
  MAX_PIPELINED,
  MAX_TCP_CONNECTIONS,
  MAX_TCP_CONNECTIONS_PER_ADDRESS,
  TCP_IDLE_MS,
} from './limits.ts';
import type { Responder } from './responder.ts';
import { HEADER_BYTES } from './wire.ts';

/** Two bytes of length stand before every packet. */
const LENGTH_BYTES = 2;

export interface TcpOptions {
  readonly host: string;
  readonly port: number;
  readonly responder: Pick<Responder, 'respond'>;
  readonly logger: Logger;
}

/** Answers questions on connections, as many at a time as the client sends. */
export class TcpListener {
  readonly #options: TcpOptions;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #byAddress = new Map<string, number>();

  constructor(options: TcpOptions) {
    this.#options = options;
    // A client may close its side with its last question, and still wants the answer.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      if (this.#admit(socket)) new Conversation(socket, options.responder).start();
      else socket.destroy();
    });
    this.#server.maxConnections = MAX_TCP_CONNECTIONS;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** `port` instead of the one of the options. */
  async start(port = this.#options.port): Promise<void> {
    const { host, logger } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#server.on('error', (error) => logger.debug(`dns: tcp: ${error.message}`));
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  #admit(socket: Socket): boolean {
    const address = networkOf(socket.remoteAddress ?? '');
    const count = this.#byAddress.get(address) ?? 0;
    if (count >= MAX_TCP_CONNECTIONS_PER_ADDRESS) return false;
    this.#byAddress.set(address, count + 1);
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      const left = (this.#byAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#byAddress.set(address, left);
      else this.#byAddress.delete(address);
    });
    return true;
  }
}

class Conversation {
  readonly #socket: Socket;
  readonly #responder: Pick<Responder, 'respond'>;
  #got: Buffer = Buffer.alloc(0);
  #pending = 0;
  #ended = false;
  #draining = false;

  constructor(socket: Socket, responder: Pick<Responder, 'respond'>) {
    this.#socket = socket;
    this.#responder = responder;
  }

  start(): void {
    const socket = this.#socket;
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
    // A client that goes away is no event.
    socket.on('error', () => undefined);
    socket.on('data', (part) => {
      this.#got = this.#got.length === 0 ? part : Buffer.concat([this.#got, part]);
      this.#readOn();
    });
    socket.on('drain', () => {
      this.#draining = false;
      this.#readOn();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#readOn();
    });
  }

  /** Answers what is there, unless as much as may wait is on its way. */
  #readOn(): void {
    while (!this.#isFull) {
      const packet = this.#next();
      if (packet === undefined) break;
      if (packet.length < HEADER_BYTES) {
        this.#socket.destroy();
        return;
      }
      this.#answer(packet);
    }
    if (this.#isFull) this.#socket.pause();
    else this.#socket.resume();
    if (this.#ended && this.#pending === 0 && !this.#isFull) this.#socket.end();
  }

  get #isFull(): boolean {
    return this.#draining || this.#pending >= MAX_PIPELINED;
  }

  #next(): Buffer | undefined {
    const got = this.#got;
    if (got.length < LENGTH_BYTES) return undefined;
    const end = LENGTH_BYTES + got.readUInt16BE(0);
    if (got.length < end) return undefined;
    this.#got = got.subarray(end);
    return got.subarray(LENGTH_BYTES, end);
  }

  #answer(packet: Buffer): void {
    const response = this.#responder.respond(packet, 'tcp', this.#socket.remoteAddress);
    if (!(response instanceof Promise)) {
      this.#write(response);
      return;
    }
    this.#pending++;
    void response.then((answer) => {
      this.#pending--;
      this.#write(answer);
      this.#readOn();
    });
  }

  #write(answer: Buffer | undefined): void {
    if (answer === undefined || this.#socket.destroyed) return;
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt16BE(answer.length);
    this.#socket.cork();
    this.#socket.write(length);
    if (!this.#socket.write(answer)) this.#draining = true;
    this.#socket.uncork();
  }
}
