/**
 * The door of a listener that speaks TLS: sees by the first byte of a connection what it speaks, and
 * hands it on once HTTP can be read from it. Who says nothing, or does not come to an end with the
 * handshake, is sent away.
 */
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { ServerSide } from './identities.ts';

export interface DoorOptions {
  /** Asked for each connection, for a reload changes it. */
  readonly side: () => ServerSide | undefined;
  /** Whether those who speak no TLS are served too. */
  readonly takesPlain: () => boolean;
  /** From the connection to the end of the handshake. */
  readonly handshakeMs: number;
  /** What is spoken under TLS; HTTP/1.1 where nobody says. */
  readonly protocol?: 'h2';
  /** Somebody who had begun to speak was sent away. */
  readonly onRefused: (address: string, why: string) => void;
}

/** The first byte of TLS; no method of HTTP begins so. */
const HANDSHAKE = 0x16;
/** As Go's server says it, and to whom. */
const PLAIN_REFUSED =
  'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

/** One that has not yet been handed on. */
interface Waiting {
  readonly raw: Socket;
  readonly hand: (socket: Socket) => void;
}

export class Handshakes {
  readonly #options: DoorOptions;
  /** By both ends, which is all that a connection under TLS and the one beneath it share. */
  readonly #waiting = new Map<string, Waiting>();
  /** The address of who left the door last: what is beneath TLS closes before that says why. */
  #lastGone = '';
  #spoken: { readonly side: ServerSide; readonly server: Server } | undefined;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** Calls `serve` once, with what HTTP is to be read from, or closes the connection. */
  take(raw: Socket, serve: (socket: Socket) => void): void {
    const { side, takesPlain, handshakeMs } = this.#options;
    if (side() === undefined && takesPlain()) {
      serve(raw);
      return;
    }
    const [ends, address = ''] = [endsOf(raw), raw.remoteAddress];
    const timer = setTimeout(() => raw.destroy(), handshakeMs);
    const over = () => {
      clearTimeout(timer);
      this.#lastGone = address;
      // A new connection may have the ends of one that is not yet known to be closed.
      if (this.#waiting.get(ends)?.raw === raw) this.#waiting.delete(ends);
    };
    const hand = (socket: Socket) => {
      over();
      raw.off('close', over);
      serve(socket);
    };
    this.#waiting.set(ends, { raw, hand });
    // A reset is no news; once it is handed on, others listen too.
    raw.on('error', () => undefined);
    raw.once('close', over);
    // Who goes without a word would otherwise be waited for: a listener keeps its own side open.
    const leave = () => raw.destroy();
    raw.once('end', leave);
    raw.once('data', (first: Buffer) => {
      raw.off('end', leave);
      raw.pause();
      raw.unshift(first);
      this.#meet(raw, first[0] === HANDSHAKE, hand);
    });
  }

  /** Those who are still at the door go. */
  stop(): void {
    for (const { raw } of this.#waiting.values()) raw.destroy();
  }

  #meet(raw: Socket, speaksTls: boolean, hand: (socket: Socket) => void): void {
    const side = this.#options.side();
    if (speaksTls && side !== undefined) {
      this.#serverFor(side).emit('connection', raw);
    } else if (!speaksTls && this.#options.takesPlain()) {
      hand(raw);
      raw.resume();
    } else {
      this.#options.onRefused(raw.remoteAddress ?? '', 'it did not speak TLS');
      raw.end(PLAIN_REFUSED, () => raw.destroy());
    }
  }

  /** One for each that a reload has made: what began with the last one ends with it. */
  #serverFor(side: ServerSide): Server {
    if (this.#spoken?.side === side) return this.#spoken.server;
    const server = createServer({ ...side, ALPNProtocols: [this.#options.protocol ?? 'http/1.1'] });
    server.on('secureConnection', (socket) => this.#secured(socket, side));
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      const why = socket.authorizationError ?? error.code ?? error.message;
      this.#options.onRefused(socket.remoteAddress ?? this.#lastGone, String(why));
      socket.destroy();
    });
    this.#spoken = { side, server };
    return server;
  }

  #secured(socket: TLSSocket, { requestCert }: ServerSide): void {
    const waiting = this.#waiting.get(endsOf(socket));
    // Node closes what is not authorised by itself; here it has no other way in either.
    if (waiting === undefined || (requestCert && !socket.authorized)) socket.destroy();
    else waiting.hand(socket);
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
