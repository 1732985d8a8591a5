/** How many connections each address has open at a listener: one client must not take all there are. */
import type { Socket } from 'node:net';

export class PerAddress {
  readonly #max: () => number;
  readonly #open = new Map<string, number>();

  /** 0 for no limit; asked for each new connection. */
  constructor(max: () => number) {
    this.#max = max;
  }

  /** Counts it until it closes, but for one that is too many. One without an address has no limit. */
  isOneTooMany(socket: Socket, address = socket.remoteAddress): boolean {
    if (address === undefined) return false;
    const max = this.#max();
    const open = this.#open.get(address) ?? 0;
    if (max > 0 && open >= max) return true;
    this.#open.set(address, open + 1);
    socket.once('close', () => {
      const left = (this.#open.get(address) ?? 1) - 1;
      if (left > 0) this.#open.set(address, left);
      else this.#open.delete(address);
    });
    return false;
  }
}
