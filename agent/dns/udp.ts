import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Logger } from '../../lib/logger.ts';
import type { Amplification } from './amplification.ts';
import { truncated } from './packet.ts';
import type { Responder } from './responder.ts';

/** Questions that come in one burst wait here; the kernel may allow less. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

export interface UdpOptions {
  readonly host: string;
  readonly port: number;
  readonly responder: Pick<Responder, 'respond'>;
  readonly amplification: Amplification;
  readonly logger: Logger;
}

/** Answers questions in datagrams. */
export class UdpListener {
  readonly #options: UdpOptions;
  #socket: Socket | undefined;

  constructor(options: UdpOptions) {
    this.#options = options;
  }

  get anyPort(): boolean {
    return this.#options.port === 0;
  }

  get port(): number {
    return this.#socket?.address().port ?? 0;
  }

  async start(): Promise<void> {
    const { host, port, logger } = this.#options;
    const family = isIPv6(host) ? 6 : 4;
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // Answers go to addresses only: to look them up would cost a turn of the event loop each.
      lookup: (address, _, done) => done(null, address, family),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address: host, port }, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    this.#socket = socket;
    enlarge(socket);
    socket.on('error', (error) => logger.debug(`dns: udp: ${error.message}`));
    socket.on('message', (packet, from) => this.#answer(packet, from));
  }

  stop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #answer(packet: Buffer, from: RemoteInfo): void {
    // Forged: no socket sends from there, and to send there is an error of whoever calls it.
    if (from.port === 0) return;
    const response = this.#options.responder.respond(packet, 'udp', from.address);
    if (response instanceof Promise) {
      void response.then((answer) => this.#send(packet.length, answer, from));
    } else this.#send(packet.length, response, from);
  }

  #send(askedBytes: number, answer: Buffer | undefined, { address, port }: RemoteInfo): void {
    // One that was made while the server stopped goes nowhere.
    if (answer === undefined || this.#socket === undefined) return;
    const allowed = this.#options.amplification.allows(address, askedBytes, answer.length);
    const packet = allowed ? answer : truncated(answer);
    this.#socket.send(packet, port, address);
  }
}

function enlarge(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
  } catch {
    // The kernel's own size will do.
  }
}
