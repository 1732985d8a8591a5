/** An answer down to the last byte, but for the date, which is that of the second it goes out in. */

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { LARGE_BYTES } from '../../body-room.ts';
import { type Clock, systemClock } from '../../clock.ts';
import { takeHeadRoom } from '../../head-room.ts';
import { KEEP_ALIVE_MS } from '../../limits.ts';
import { Together } from '../../together.ts';
import { STALLED_MS, sendBody } from '../delivery.ts';
import type { Wire } from '../reply.ts';

/** Copied behind the header block once a second, so that it goes out in one piece. */
const MAX_COPIED_BYTES = 32 * 1024;

const KEEP_ALIVE = `\r\nConnection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_MS / 1000}`;
const CLOSE = '\r\nConnection: close';
const AFTER_DATE = `${KEEP_ALIVE}\r\n\r\n`;
/** As in every year of four digits. */
const DATE_LENGTH = 29;
/** Of the whole process, since there is one loop: but where many processes are simulated in one. */
export const answers = { together: new Together() };

export class ReadyBytes {
  readonly status: number;
  /** What it keeps alive, once it goes out. */
  readonly bytes: number;
  readonly #wire: Wire;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #isShort: boolean;
  #second = 0;
  /** The header block, and a short body behind it; made when it is first needed: most never are. */
  #first: Buffer = NOTHING;
  /** 0 where the wire says a date of its own. */
  #dateAt = 0;
  /** Whether the kernel has not taken all of it each time that it was written: it is to stay as it is. */
  #isOnItsWay = false;

  constructor(wire: Wire, clock: Pick<Clock, 'now'> = systemClock) {
    const { status, headers, body } = wire;
    this.status = status;
    this.#wire = wire;
    this.#clock = clock;
    this.#isShort = body.length <= MAX_COPIED_BYTES;
    // Twice: as they were given, and as they go out.
    const block = 2 * headers.reduce((sum, text) => sum + TEXT_BYTES + text.length, 0);
    this.bytes = block + (this.#isShort ? 2 : 1) * body.length;
  }

  /**
   * As Node's server writes the answer on a connection that it keeps open; says when all of it was
   * taken, which is at once for all but large ones. Throws where a large one finds no room.
   */
  writeTo(socket: Socket, sent: () => void): void {
    const now = this.#clock.now();
    if (now - this.#second >= 1000 || now < this.#second) this.#date(now);
    const { body } = this.#wire;
    if (body.length > LARGE_BYTES) {
      this.#writeLarge(socket, sent);
      return;
    }
    if (this.#isShort) socket.write(this.#first);
    else {
      socket.cork();
      socket.write(this.#first);
      socket.write(body);
      socket.uncork();
    }
    if (socket.writableLength > 0) this.#isOnItsWay = true;
    sent();
  }

  /** The same for one whose request has just come: if it is short, with the others of this turn. */
  answerTo(socket: Socket, sent: () => void): void {
    if (this.#wire.body.length > LARGE_BYTES) this.writeTo(socket, sent);
    else answers.together.send(() => socket.destroyed || this.writeTo(socket, sent));
  }

  #writeLarge(socket: Socket, sent: () => void): void {
    const begin = () => {
      socket.setTimeout(STALLED_MS);
      socket.write(this.#first);
      this.#isOnItsWay = true;
    };
    sendBody(socket, this.#wire.body, begin, () => {
      socket.setTimeout(KEEP_ALIVE_MS);
      sent();
    });
  }

  /** Into new bytes where the old ones may still be on their way. */
  #date(now: number): void {
    this.#second = now - (now % 1000);
    if (this.#first.length === 0) this.#first = this.#made();
    else if (this.#isOnItsWay) this.#first = ownCopy(this.#first);
    this.#isOnItsWay = false;
    if (this.#dateAt > 0) this.#first.write(new Date(now).toUTCString(), this.#dateAt, 'latin1');
  }

  #made(): Buffer {
    const { body } = this.#wire;
    const before = beforeDate(this.#wire);
    const saysDate = says(this.#wire, 'date');
    this.#dateAt = saysDate ? 0 : before.length;
    const afterAt = before.length + (saysDate ? 0 : DATE_LENGTH);
    const bodyAt = afterAt + AFTER_DATE.length;
    const own = this.#isShort ? takeHeadRoom(body, bodyAt) : undefined;
    const made = own ?? Buffer.allocUnsafeSlow(bodyAt + (this.#isShort ? body.length : 0));
    made.write(before, 0, 'latin1');
    made.write(AFTER_DATE, afterAt, 'latin1');
    if (this.#isShort && own === undefined) body.copy(made, bodyAt);
    return made;
  }
}

/** Of wires that go out again and again. */
const READY = new WeakMap<Wire, ReadyBytes>();

export function readyOf(wire: Wire): ReadyBytes {
  let ready = READY.get(wire);
  if (ready === undefined) {
    ready = new ReadyBytes(wire);
    READY.set(wire, ready);
  }
  return ready;
}

/** How an answer that is given once goes out. */
export interface Once {
  /** Whether the connection ends with it. */
  readonly isLast: boolean;
  /** There is room for it: its first bytes go out. */
  readonly begins: () => void;
  /** All of it was taken; `closes`: the connection ends. */
  readonly sent: (closes: boolean) => void;
}

/**
 * As Node's server writes it, with the others of this turn where it is short. Throws where a large one finds no room,
 * and then has written nothing.
 */
export function writeOnce(socket: Socket, wire: Wire, once: Once): void {
  if (wire.body.length > LARGE_BYTES) {
    writeLargeOnce(socket, wire, once);
    return;
  }
  once.begins();
  answers.together.send(() => socket.destroyed || writeShortOnce(socket, wire, once));
}

function writeShortOnce(socket: Socket, wire: Wire, { isLast, sent }: Once): void {
  const closes = isLast || says(wire, 'connection');
  const { body } = wire;
  if (wire.isUsual === true && !closes) readyOf(wire).writeTo(socket, () => undefined);
  else if (body.length <= MAX_COPIED_BYTES) {
    socket.write(headOf(wire, isLast) + body.toString('latin1'), 'latin1');
  } else {
    socket.cork();
    socket.write(headOf(wire, isLast), 'latin1');
    socket.write(body);
    socket.uncork();
  }
  sent(closes);
  if (closes) socket.destroySoon();
}

function writeLargeOnce(socket: Socket, wire: Wire, { isLast, begins, sent }: Once): void {
  const closes = isLast || says(wire, 'connection');
  const first = () => {
    begins();
    socket.setTimeout(STALLED_MS);
    socket.write(headOf(wire, isLast), 'latin1');
  };
  sendBody(socket, wire.body, first, () => {
    if (!closes) socket.setTimeout(KEEP_ALIVE_MS);
    sent(closes);
    if (closes) socket.destroySoon();
  });
}

/** What says itself what becomes of the connection ends it. */
function headOf(wire: Wire, isLast: boolean): string {
  const connection = isLast ? CLOSE : KEEP_ALIVE;
  const after = `${says(wire, 'connection') ? '' : connection}\r\n\r\n`;
  return `${beforeDate(wire)}${says(wire, 'date') ? '' : dateOf(systemClock.now())}${after}`;
}

/** Whether the answer brings this header itself: names are told apart without regard to case. */
function says({ headers }: Wire, name: 'date' | 'connection'): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const other = headers[i] as string;
    if (other.length === name.length && other.toLowerCase() === name) return true;
  }
  return false;
}

/** Up to where the date stands; as Node does, a date that the answer brings itself is the only one. */
function beforeDate(wire: Wire): string {
  const { status, headers } = wire;
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}`;
  for (let i = 0; i < headers.length; i += 2) text += `\r\n${headers[i]}: ${headers[i + 1]}`;
  return says(wire, 'date') ? text : `${text}\r\nDate: `;
}

let second = 0;
let date = '';

function dateOf(now: number): string {
  if (now - second >= 1000 || now < second) {
    second = now - (now % 1000);
    date = new Date(now).toUTCString();
  }
  return date;
}

const NOTHING = Buffer.alloc(0);
/** What a text takes beside its letters. */
const TEXT_BYTES = 16;

/** Node cuts small buffers from larger ones, which would live on as long as this is kept. */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
