/** Frames of HTTP/2 (RFC 9113): their names, and how they are written. */

export const FRAME = {
  data: 0,
  head: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  promise: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  more: 9,
} as const;

export const FLAG = { end: 1, ack: 1, endOfHead: 4, padded: 8, priority: 32 } as const;

export const CODE = {
  none: 0,
  protocol: 1,
  internal: 2,
  flow: 3,
  closed: 5,
  size: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const;

const FRAME_HEAD = 9;
/** What either side may send in one frame, unless the other allows more; nobody is allowed more here. */
export const MAX_FRAME = 16_384;
export const FIRST_WINDOW = 65_535;
export const MAX_WINDOW = 2 ** 31 - 1;

const STAGE_BYTES = 64 * 1024;
/** Up to here to copy a part costs less than one write more. */
const COPIED_BYTES = 4096;

/** Frames that go out together. */
export class Outgoing {
  #parts: Buffer[] = [];
  #stage: Buffer = Buffer.alloc(0);
  #from = 0;
  #at = 0;
  #gathered = 0;
  /** Of the last frame, while it can be changed: where it is, and of which stream it has a part of the body. */
  #last = 0;
  #lastBody = 0;
  /** Parts of bodies, since the beginning: those that count. */
  bodies = 0;

  /** What waits to be taken. */
  get bytes(): number {
    return this.#gathered + this.#at - this.#from;
  }

  frame(type: number, flags: number, stream: number, length: number): void {
    this.#room(FRAME_HEAD);
    const [stage, at] = [this.#stage, this.#at];
    stage[at] = length >> 16;
    stage[at + 1] = (length >> 8) & 255;
    stage[at + 2] = length & 255;
    stage[at + 3] = type;
    stage[at + 4] = flags;
    stage.writeUInt32BE(stream, at + 5);
    this.#last = at;
    this.#lastBody = type === FRAME.data ? stream : 0;
    this.#at += FRAME_HEAD;
  }

  /** Of the frame before. */
  number(value: number): void {
    this.#room(4);
    this.#at = this.#stage.writeUInt32BE(value, this.#at);
  }

  /** Each character a byte. */
  text(text: string): void {
    this.#room(text.length);
    this.#at += this.#stage.write(text, this.#at, 'latin1');
  }

  body(chunk: Buffer): void {
    if (chunk.length <= COPIED_BYTES) {
      this.#room(chunk.length);
      chunk.copy(this.#stage, this.#at);
      this.#at += chunk.length;
      return;
    }
    this.#close();
    this.#parts.push(chunk);
    this.#gathered += chunk.length;
  }

  /** Whether what was written last is a part of its body, and is by now the last one. */
  hasEnded(stream: number): boolean {
    if (this.#lastBody !== stream) return false;
    const flags = this.#last + 4;
    this.#stage[flags] = (this.#stage[flags] as number) | FLAG.end;
    return true;
  }

  take(): readonly Buffer[] {
    this.#close();
    const parts = this.#parts;
    this.#parts = [];
    this.#gathered = 0;
    return parts;
  }

  /** What was written stands as it is. */
  #close(): void {
    this.#lastBody = 0;
    if (this.#at === this.#from) return;
    this.#parts.push(this.#stage.subarray(this.#from, this.#at));
    this.#gathered += this.#at - this.#from;
    this.#from = this.#at;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#stage.length) return;
    this.#close();
    // Of what was taken nobody knows when it has gone: it is not written over.
    this.#stage = Buffer.allocUnsafeSlow(Math.max(STAGE_BYTES, bytes));
    [this.#from, this.#at] = [0, 0];
  }
}

const NOTHING: Buffer = Buffer.alloc(0);

/** False where no more is wanted for now. */
export type Tell = (type: number, flags: number, stream: number, payload: Buffer) => boolean;

/** Those of one connection, each in one piece. */
export class FrameReader {
  #rest = NOTHING;

  /** False where one is longer than anybody was allowed. What is not wanted is told with what comes next. */
  push(chunk: Buffer, tell: Tell): boolean {
    const bytes = joined(this.#rest, chunk);
    let at = 0;
    while (bytes.length - at >= FRAME_HEAD) {
      const length = bytes.readUIntBE(at, 3);
      if (length > MAX_FRAME) return false;
      const from = at + FRAME_HEAD;
      const to = from + length;
      if (to > bytes.length) break;
      const stream = bytes.readUInt32BE(at + 5) & MAX_WINDOW;
      const [type, flags] = [bytes[at + 3] as number, bytes[at + 4] as number];
      at = to;
      if (!tell(type, flags, stream, bytes.subarray(from, to))) break;
    }
    this.#rest = at === bytes.length ? NOTHING : bytes.subarray(at);
    return true;
  }
}

function joined(one: Buffer, other: Buffer): Buffer {
  if (other.length === 0) return one;
  return one.length === 0 ? other : Buffer.concat([one, other]);
}

/** Undefined where more is to be left out than there is. */
export function unpadded(flags: number, payload: Buffer): Buffer | undefined {
  if ((flags & FLAG.padded) === 0) return payload;
  const padding = payload[0];
  if (padding === undefined || padding >= payload.length) return undefined;
  return payload.subarray(1, payload.length - padding);
}
