/** Heads of a connection's messages, put together of the frames that they come in. */
import { CODE, FLAG, MAX_WINDOW, unpadded } from './frames.ts';
import { type Block, HpackReader } from './hpack.ts';

/** Of a head, as it is on the wire, and the frames that it comes in. */
const MAX_BLOCK_BYTES = 64 * 1024;
const MAX_BLOCK_FRAMES = 8;
const PRIORITY_BYTES = 5;

export interface Head {
  readonly stream: number;
  readonly block: Block;
  readonly isEnd: boolean;
}

interface Begun {
  readonly stream: number;
  readonly isEnd: boolean;
  readonly parts: Buffer[];
  bytes: number;
}

export class Heads {
  readonly #reader: HpackReader;
  #begun: Begun | undefined;

  constructor(maxBytes: number) {
    this.#reader = new HpackReader(maxBytes);
  }

  /** Of which stream a head is to go on, before anything else may come; 0 for none. */
  get unfinished(): number {
    return this.#begun?.stream ?? 0;
  }

  /** Undefined where there is more to come; a number for what is wrong with it. */
  first(flags: number, stream: number, payload: Buffer): Head | number | undefined {
    const plain = unpadded(flags, payload);
    if (stream === 0 || plain === undefined) return CODE.protocol;
    const hasPriority = (flags & FLAG.priority) !== 0;
    if (hasPriority && plain.length < PRIORITY_BYTES) return CODE.size;
    // No stream waits for itself.
    if (hasPriority && (plain.readUInt32BE(0) & MAX_WINDOW) === stream) return CODE.protocol;
    const part = hasPriority ? plain.subarray(PRIORITY_BYTES) : plain;
    const isEnd = (flags & FLAG.end) !== 0;
    if ((flags & FLAG.endOfHead) !== 0) return this.#read(stream, part, isEnd);
    this.#begun = { stream, isEnd, parts: [part], bytes: part.length };
    return undefined;
  }

  more(flags: number, payload: Buffer): Head | number | undefined {
    const begun = this.#begun;
    if (begun === undefined) return CODE.protocol;
    begun.parts.push(payload);
    begun.bytes += payload.length;
    if (begun.parts.length > MAX_BLOCK_FRAMES || begun.bytes > MAX_BLOCK_BYTES) return CODE.calm;
    if ((flags & FLAG.endOfHead) === 0) return undefined;
    this.#begun = undefined;
    return this.#read(begun.stream, Buffer.concat(begun.parts), begun.isEnd);
  }

  /** Whoever's it is: those after it refer to it. */
  #read(stream: number, bytes: Buffer, isEnd: boolean): Head | number {
    const block = this.#reader.read(bytes);
    return block === undefined ? CODE.compression : { stream, block, isEnd };
  }
}
