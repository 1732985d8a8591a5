/**
 * Those who have come and are not yet known: their handshake goes on. There is room for so many; of more the
 * one who has stood there longest goes, so that whoever never comes to an end keeps nobody out who would.
 */
import type { Socket } from 'node:net';

export class Doorstep {
  readonly #most: number;
  /** By both ends, which is all that a connection under TLS and the one beneath it share. */
  readonly #waiting = new Map<string, Socket>();

  readonly #gone: () => void;

  /** `gone`: told of each who went before it was known who it is. */
  constructor(most: number, gone: () => void = () => undefined) {
    this.#most = most;
    this.#gone = gone;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  came(raw: Socket): void {
    const ends = endsOf(raw);
    this.#waiting.set(ends, raw);
    // A new connection may have the ends of one that is not yet known to be closed.
    raw.once('close', () => {
      if (this.#waiting.get(ends) !== raw) return;
      this.#waiting.delete(ends);
      this.#gone();
    });
    if (this.#waiting.size <= this.#most) return;
    const [[longest, oldest] = ['', raw] as const] = this.#waiting;
    this.#waiting.delete(longest);
    oldest.destroy();
  }

  /** It is known who it is. */
  left(secured: Socket): void {
    this.#waiting.delete(endsOf(secured));
  }

  clear(): void {
    for (const raw of this.#waiting.values()) raw.destroy();
    this.#waiting.clear();
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
