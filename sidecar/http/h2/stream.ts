/** One request and its answer on a connection of HTTP/2: its two bodies, as fast as either side takes them. */
import type { Buffered } from '../buffers.ts';
import type { Fields } from '../fields.ts';
import { Parts } from '../parts.ts';
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
  /** More than that is not to be written for now. */
  readonly isCongested: boolean;
  /** What has come is not taken so fast: so much more of it is kept, or less where it is below 0. */
  keeps(bytes: number): void;
  /** Something is to go out. */
  touched(): void;
  /** It is to go on when more may be sent on all streams. */
  blocked(stream: Stream): void;
  /** It is to go on when the connection takes more again. */
  waits(stream: Stream): void;
  /** The other side took it back, or made a fault. */
  inVain(): void;
  /** It is over on both sides, or broken. */
  over(stream: Stream): void;
}

/** A part of a body that is as small only because a window is: it pays for none that widens that. */
const CRUMB_BYTES = 256;

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
  /** For whom all this is kept. */
  buffered: Buffered | undefined;
  /** Of this side's body, what has gone out. */
  gone = 0;
  /** Told when nothing of it is left, however it ended. */
  whenOver: () => void = () => undefined;
  /** How long the other side's body is to be; undefined where it does not say. */
  expected: number | undefined;
  #sendWindow: number;
  readonly #counted = (bytes: number): void => this.buffered?.keeps(bytes);
  readonly #waiting = new Parts(this.#counted);
  #headBytes = 0;
  #trailers: Fields | undefined;
  #wantsDrained = false;
  #hasEnded = false;
  #left: number;
  #owed = 0;
  #received = 0;
  readonly #kept = new Parts(this.#counted);
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

  /** All that is said here has been said. */
  get isAnswered(): boolean {
    return this.#hasEnded;
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
    const rest = this.#waiting.bytes > 0 ? chunk : this.#send(chunk);
    if (rest === undefined && !this.#carrier.isCongested) return true;
    if (rest !== undefined) this.#waiting.push(rest);
    this.#wantsDrained = true;
    this.#await();
    return false;
  }

  end(trailers: Fields): void {
    if (this.#isOver || this.#hasEnded || this.#trailers !== undefined) return;
    this.#trailers = trailers;
    this.flow();
  }

  /** Goes on as far as it may; whoever wakes it up need not know what it waits for. */
  flow(): void {
    if (this.#isOver) return;
    for (let room = this.#room; room > 0; room = this.#room) {
      const part = this.#waiting.take(room);
      if (part === undefined) break;
      this.#send(part);
    }
    const isLast = this.#waiting.bytes === 0 && !this.#hasEnded;
    if (isLast && this.#trailers !== undefined) this.#end(this.#trailers);
    else this.#await();
  }

  /** Sees to it that it is woken up for what it waits for. */
  #await(): void {
    const carrier = this.#carrier;
    const isWaiting = this.#waiting.bytes > 0;
    if (!isWaiting && !this.#wantsDrained) return;
    if (carrier.isCongested) carrier.waits(this);
    else if (!isWaiting) {
      this.#wantsDrained = false;
      this.taker?.drained();
    } else if (carrier.sendWindow <= 0) carrier.blocked(this);
    // Else its own window is used up, and that wakes it when it is widened.
  }

  /** What may be sent at once. */
  get #room(): number {
    const carrier = this.#carrier;
    if (carrier.isCongested) return 0;
    return Math.min(this.#sendWindow, carrier.sendWindow, MAX_FRAME);
  }

  /** What is left of it, where that may not go now. */
  #send(chunk: Buffer): Buffer | undefined {
    const carrier = this.#carrier;
    const { out } = carrier;
    for (let at = 0; at < chunk.length; ) {
      const room = this.#room;
      if (room <= 0) return chunk.subarray(at);
      const part = chunk.length - at <= room && at === 0 ? chunk : chunk.subarray(at, at + room);
      at += part.length;
      this.#sendWindow -= part.length;
      carrier.sendWindow -= part.length;
      this.gone += part.length;
      const isAll = at === chunk.length && this.#waiting.bytes === 0;
      if (isAll || part.length >= CRUMB_BYTES) out.bodies++;
      out.frame(FRAME.data, 0, this.id, part.length);
      out.body(part);
      carrier.touched();
    }
    return undefined;
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
    while (!this.#isPaused) {
      const chunk = this.#kept.take(this.#kept.bytes);
      if (chunk === undefined) break;
      this.#carrier.keeps(-chunk.length);
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

  /** By the other side: it is reset, and whoever has it is told. Nothing more is wrong with the connection. */
  fault(code: number): number {
    if (this.#isOver) return CODE.none;
    this.abort(code);
    this.taker?.broken(code);
    this.#carrier.inVain();
    return CODE.none;
  }

  /** A request has come here; `isWhole`: without a body. `headBytes`: what is kept of it until it is over. */
  asked(isWhole: boolean, headBytes: number): void {
    this.#isWhole = isWhole;
    this.#isEndTold = isWhole;
    this.#headBytes = headBytes;
    this.#counted(headBytes);
  }

  fieldsCame(block: Block, isEnd: boolean): void {
    if (isEnd) this.#isWhole = true;
    this.taker?.fieldsCame(block, isEnd);
    if (!isEnd) return;
    if (!this.#isSound()) this.fault(CODE.protocol);
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
      this.fault(this.#left < 0 ? CODE.flow : CODE.protocol);
      return;
    }
    if (this.#isPaused && chunk.length > 0) {
      this.#kept.push(chunk);
      this.#carrier.keeps(chunk.length);
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
      this.#waiting.clear();
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

  #tellEnd(): void {
    if (this.#isEndTold || this.#kept.bytes > 0) return;
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
    this.#over();
  }

  #drop(): void {
    this.#waiting.clear();
    this.#forgetKept();
    this.#over();
  }

  #over(): void {
    this.#isOver = true;
    this.#counted(-this.#headBytes);
    this.#carrier.over(this);
    this.whenOver();
  }

  #forgetKept(): void {
    if (this.#kept.bytes === 0) return;
    this.#carrier.keeps(-this.#kept.bytes);
    this.#kept.clear();
  }
}
