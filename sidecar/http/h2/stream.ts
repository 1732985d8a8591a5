/** One request and its answer on a connection of HTTP/2: its two bodies, as fast as either side takes them. */
import type { Fields } from '../fields.ts';
import { CODE, FLAG, FRAME, MAX_FRAME, MAX_WINDOW, type Outgoing } from './frames.ts';
import { type Block, blockOf } from './hpack.ts';

/** Whose stream it is. After `broken` nothing is told. */
export interface StreamTaker {
  /** The head of an answer, or what stands behind a body. */
  fieldsCame(block: Block, isEnd: boolean): void;
  data(chunk: Buffer): void;
  ended(): void;
  /** By the other side, which says why in a number, or with the connection. */
  broken(code: number): void;
  /** What could not be written at once has gone. */
  drained(): void;
}

/** What a stream has of its connection. */
export interface Carrier {
  readonly out: Outgoing;
  /** Here requests are answered, and not sent. */
  readonly isServer: boolean;
  /** What stands in front of a head: for the first one, and where the other side keeps less by now. */
  readonly prefix: string;
  /** What may be sent on all streams. */
  sendWindow: number;
  /** What has come is not taken so fast: so much of it is kept. */
  keptBytes: number;
  /** More than that is not to be written for now. */
  readonly isCongested: boolean;
  /** Something is to go out. */
  touched(): void;
  /** Its windows are used up. */
  blocked(stream: Stream): void;
  /** It is to be told when the connection takes more again. */
  waits(stream: Stream): void;
  /** It is over on both sides, or broken. */
  over(stream: Stream): void;
}

export interface StreamWindows {
  /** What the other side takes at first. */
  readonly send: number;
  /** What may come before somebody takes it. */
  readonly receive: number;
}

export class Stream {
  readonly id: number;
  readonly #carrier: Carrier;
  readonly #window: number;
  taker: StreamTaker | undefined;
  /** How long the other side's body is to be; undefined where it does not say. */
  expected: number | undefined;
  #sendWindow: number;
  #waiting: Buffer[] = [];
  #trailers: Fields | undefined;
  #wantsDrained = false;
  #hasEnded = false;
  #left: number;
  #owed = 0;
  #received = 0;
  #kept: Buffer[] = [];
  #isPaused = false;
  #isWhole = false;
  #isEndTold = false;
  #isReset = false;
  #isOver = false;

  constructor(id: number, carrier: Carrier, { send, receive }: StreamWindows) {
    this.id = id;
    this.#carrier = carrier;
    this.#sendWindow = send;
    this.#window = receive;
    this.#left = receive;
  }

  /** All that the other side says has come. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** From here: more of it may still be on its way. */
  get isReset(): boolean {
    return this.#isReset;
  }

  /** `fields`: see `blockOf`. */
  head(fields: string, isEnd: boolean): void {
    if (this.#isOver || this.#hasEnded) return;
    const block = this.#carrier.prefix + fields;
    const { out } = this.#carrier;
    const flags = isEnd ? FLAG.end : 0;
    const isAll = block.length <= MAX_FRAME;
    const first = isAll ? block : block.slice(0, MAX_FRAME);
    out.frame(FRAME.head, flags | (isAll ? FLAG.endOfHead : 0), this.id, first.length);
    out.text(first);
    for (let at = MAX_FRAME; at < block.length; at += MAX_FRAME) {
      const part = block.slice(at, at + MAX_FRAME);
      out.frame(
        FRAME.more,
        at + MAX_FRAME < block.length ? 0 : FLAG.endOfHead,
        this.id,
        part.length,
      );
      out.text(part);
    }
    this.#carrier.touched();
    if (isEnd) this.#sent();
  }

  /** False where it is to wait for `drained`. */
  write(chunk: Buffer): boolean {
    if (this.#isOver || this.#hasEnded || chunk.length === 0) return true;
    this.#waiting.push(chunk);
    this.flow();
    if (this.#waiting.length === 0 && !this.#carrier.isCongested) return true;
    this.#wantsDrained = true;
    this.#carrier.waits(this);
    return false;
  }

  end(trailers: Fields): void {
    if (this.#isOver || this.#hasEnded || this.#trailers !== undefined) return;
    this.#trailers = trailers;
    this.flow();
  }

  /** Sends what the windows allow. */
  flow(): void {
    if (this.#isOver) return;
    const carrier = this.#carrier;
    const { out } = carrier;
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined) break;
      const room = Math.min(this.#sendWindow, carrier.sendWindow, MAX_FRAME);
      if (room <= 0) {
        carrier.blocked(this);
        return;
      }
      const part = first.length <= room ? first : first.subarray(0, room);
      if (part === first) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(room);
      this.#sendWindow -= part.length;
      carrier.sendWindow -= part.length;
      out.frame(FRAME.data, 0, this.id, part.length);
      out.body(part);
      carrier.touched();
    }
    if (this.#trailers !== undefined && !this.#hasEnded) this.#end(this.#trailers);
    else if (this.#wantsDrained && !carrier.isCongested) this.drained();
  }

  /** The connection takes more again. */
  drained(): void {
    if (!this.#wantsDrained || this.#waiting.length > 0) return;
    this.#wantsDrained = false;
    if (!this.#isOver) this.taker?.drained();
  }

  /** False where that is more than anybody can count. */
  widen(bytes: number): boolean {
    this.#sendWindow += bytes;
    return this.#sendWindow <= MAX_WINDOW;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    while (this.#kept.length > 0 && !this.#isPaused) {
      const chunk = this.#kept.shift() as Buffer;
      this.#carrier.keptBytes -= chunk.length;
      this.#take(chunk);
    }
    if (this.#isWhole && !this.#isPaused) this.#tellEnd();
  }

  /** Nobody wants any more of it, on either side; nothing is told after it. */
  abort(code: number): void {
    this.#forgetKept();
    if (this.#isOver) return;
    this.#isReset = true;
    this.#carrier.out.frame(FRAME.reset, 0, this.id, 4);
    this.#carrier.out.number(code);
    this.#carrier.touched();
    this.#drop();
  }

  /** A request has come here; `isWhole`: without a body. */
  asked(isWhole: boolean): void {
    this.#isWhole = isWhole;
    this.#isEndTold = isWhole;
  }

  fieldsCame(block: Block, isEnd: boolean): void {
    if (isEnd) this.#isWhole = true;
    this.taker?.fieldsCame(block, isEnd);
    if (!isEnd) return;
    if (!this.#isSound()) this.#fault(CODE.protocol);
    else {
      if (!this.#isPaused) this.#tellEnd();
      this.#closeIfOver();
    }
  }

  /** `bytes`: with what is only there to hide how long it is. */
  dataCame(chunk: Buffer, bytes: number, isEnd: boolean): void {
    this.#left -= bytes;
    this.#received += chunk.length;
    this.#owed += bytes - chunk.length;
    if (isEnd) this.#isWhole = true;
    if (this.#left < 0 || !this.#isSound()) {
      this.#fault(this.#left < 0 ? CODE.flow : CODE.protocol);
      return;
    }
    if (this.#isPaused && chunk.length > 0) {
      this.#kept.push(chunk);
      this.#carrier.keptBytes += chunk.length;
    } else if (chunk.length > 0) this.#take(chunk);
    if (!isEnd) return;
    if (!this.#isPaused) this.#tellEnd();
    this.#closeIfOver();
  }

  /** Broken off by the other side, or with the connection. */
  broke(code: number): void {
    if (this.#isOver) return;
    // Who answers before it has all of a request may say that it wants no more of it: the answer is whole.
    const isNoMatter = !this.#carrier.isServer && this.#isWhole;
    if (isNoMatter) {
      this.#hasEnded = true;
      this.#waiting = [];
      this.#closeIfOver();
      return;
    }
    this.#drop();
    this.taker?.broken(code);
  }

  #take(chunk: Buffer): void {
    this.#owed += chunk.length;
    if (!this.#isWhole && this.#owed * 2 >= this.#window) {
      const { out } = this.#carrier;
      out.frame(FRAME.window, 0, this.id, 4);
      out.number(this.#owed);
      this.#left += this.#owed;
      this.#owed = 0;
      this.#carrier.touched();
    }
    this.taker?.data(chunk);
  }

  #isSound(): boolean {
    const { expected } = this;
    if (expected === undefined) return true;
    return this.#isWhole ? this.#received === expected : this.#received <= expected;
  }

  #fault(code: number): void {
    if (this.#isOver) return;
    this.abort(code);
    this.taker?.broken(code);
  }

  #tellEnd(): void {
    if (this.#isEndTold || this.#kept.length > 0) return;
    this.#isEndTold = true;
    this.taker?.ended();
  }

  #end(trailers: Fields): void {
    const { out } = this.#carrier;
    if (trailers.length > 0) {
      this.head(blockOf(trailers), true);
      return;
    }
    if (!out.hasEnded(this.id)) out.frame(FRAME.data, FLAG.end, this.id, 0);
    this.#carrier.touched();
    this.#sent();
  }

  #sent(): void {
    this.#hasEnded = true;
    // RFC 9113, 8.1: who has been answered need not say the rest.
    if (this.#carrier.isServer && !this.#isWhole) this.abort(CODE.none);
    else this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (!this.#hasEnded || !this.#isWhole || this.#isOver) return;
    this.#isOver = true;
    this.#carrier.over(this);
  }

  #drop(): void {
    this.#isOver = true;
    this.#waiting = [];
    this.#forgetKept();
    this.#carrier.over(this);
  }

  #forgetKept(): void {
    for (const chunk of this.#kept) this.#carrier.keptBytes -= chunk.length;
    this.#kept = [];
  }
}
