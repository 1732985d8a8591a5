/**
 * Requests of one connection of HTTP/1.1, one at a time: who asks for more before he is answered waits. Else what is
 * answered them would wait in memory for those before, and Node would not tell them that their caller has gone.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export class Turns {
  readonly #socket: Socket;
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** How many requests have no whole answer yet. */
  get underWay(): number {
    return this.#waiting.length + (this.#isTaken ? 1 : 0);
  }

  /** `begin` is called when those before are answered; never where their caller goes before. */
  take(response: ServerResponse, begin: () => void): void {
    const now = () => {
      this.#isTaken = true;
      response.once('close', () => this.#next());
      begin();
    };
    if (!this.#isTaken) {
      now();
      return;
    }
    this.#waiting.push(now);
    // All of the request before has come: there is nothing else to read for.
    this.#socket.pause();
  }

  #next(): void {
    this.#isTaken = false;
    const { destroyed, writableEnded } = this.#socket;
    const next = destroyed || writableEnded ? undefined : this.#waiting.shift();
    if (next === undefined) return;
    if (this.#waiting.length === 0) this.#socket.resume();
    next();
  }
}
