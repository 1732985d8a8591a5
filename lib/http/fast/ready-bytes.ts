/** An answer down to the last byte, but for the date, which is that of the second it goes out in. */

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { systemClock } from '../../clock.ts';
import { KEEP_ALIVE_MS } from '../../limits.ts';
import type { Wire } from '../respond.ts';

/** Copied behind the header block once a second, so that it goes out in one piece. */
const MAX_COPIED_BYTES = 32 * 1024;

export class ReadyBytes {
  readonly status: number;
  readonly #beforeDate: string;
  readonly #afterDate: string;
  readonly #body: Buffer;
  #second = 0;
  /** The header block, and a short body behind it. */
  #first: Buffer = Buffer.alloc(0);

  /** As Node's server writes the answer on a connection that it keeps open. */
  constructor({ status, headers, body }: Wire) {
    let block = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
    for (let i = 0; i < headers.length; i += 2) block += `${headers[i]}: ${headers[i + 1]}\r\n`;
    this.status = status;
    this.#beforeDate = `${block}Date: `;
    this.#afterDate = `\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_MS / 1000}\r\n\r\n`;
    this.#body = body;
  }

  /** What it keeps alive, the copy that goes out included. */
  get bytes(): number {
    const copied = this.#body.length <= MAX_COPIED_BYTES ? this.#body.length : 0;
    return 2 * (this.#beforeDate.length + this.#afterDate.length) + this.#body.length + copied;
  }

  writeTo(socket: Socket): void {
    const now = systemClock.now();
    if (now - this.#second >= 1000 || now < this.#second) this.#date(now);
    if (this.#body.length <= MAX_COPIED_BYTES) {
      socket.write(this.#first);
      return;
    }
    socket.cork();
    socket.write(this.#first);
    socket.write(this.#body);
    socket.uncork();
  }

  /** Into new bytes: the old ones may still be on their way. */
  #date(now: number): void {
    this.#second = now - (now % 1000);
    const head = Buffer.from(
      this.#beforeDate + new Date(now).toUTCString() + this.#afterDate,
      'latin1',
    );
    const isShort = this.#body.length <= MAX_COPIED_BYTES;
    this.#first = isShort ? Buffer.concat([head, this.#body]) : head;
  }
}
