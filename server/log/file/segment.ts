/**
 * A file of records, begun with the position that its first record follows. Behind the records stand
 * zeros up to what was allocated: an fsync is cheaper while the file does not grow.
 */
import { type Position, START } from '../event-log.ts';
import { crc32c } from './crc32c.ts';
import { damaged, type LogFile, type LogFolder } from './log-folder.ts';

const MAGIC = Buffer.from('PROCLOG1');
const CRC_AT = 8;
const EPOCH_AT = 12;
const INDEX_AT = 16;
const T_AT = 22;
const HASH_AT = 28;
/** Where the first record stands. */
export const RECORDS_AT = 48;

const NAME = /^segment-(\d{16})$/;

export interface SegmentLimits {
  /** A segment that is larger takes no further batch. */
  readonly segmentBytes: number;
  /** How far the file grows at a time. */
  readonly allocateBytes: number;
}

/** Read whole at a start, and what is trimmed at a time. */
const SEGMENT_BYTES = 32 * 1024 * 1024;
/** Some thousand writes: one growth in thousands costs nothing, and so much waits for no disk. */
const ALLOCATE_BYTES = 1024 * 1024;
export const SEGMENT_LIMITS: SegmentLimits = {
  segmentBytes: SEGMENT_BYTES,
  allocateBytes: ALLOCATE_BYTES,
};

/** Names sort as their first indexes do: 2^53 has 16 digits. */
export function segmentName(firstIndex: number): string {
  return `segment-${String(firstIndex).padStart(16, '0')}`;
}

/** The first index that a segment of this name may hold; undefined for another file. */
export function segmentIndex(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export interface SegmentEnd {
  /** Where the next record goes. */
  readonly at: number;
  /** The size of the file: zeros stand between `at` and there. */
  readonly allocated: number;
}

/** The segment that is written to. */
export class Segment {
  readonly name: string;
  /** Opened durable. */
  readonly #file: LogFile;
  readonly #limits: SegmentLimits;
  #at: number;
  #allocated: number;

  constructor(file: LogFile, { at, allocated }: SegmentEnd, limits: SegmentLimits) {
    this.name = file.name;
    this.#file = file;
    this.#at = at;
    this.#allocated = allocated;
    this.#limits = limits;
  }

  /** A segment for what comes after `base`. It has its name only when it is whole and durable. */
  static async create(folder: LogFolder, base: Position, limits: SegmentLimits): Promise<Segment> {
    const name = segmentName(base.index + 1);
    const temporary = await folder.createTemporary(name);
    const bytes = Buffer.alloc(Math.max(limits.allocateBytes, RECORDS_AT));
    encodeHeader(base).copy(bytes);
    try {
      await temporary.write(bytes, 0);
      await temporary.sync();
    } finally {
      await temporary.close();
    }
    await folder.publish(name);
    const file = await folder.openDurable(name);
    return new Segment(file, { at: RECORDS_AT, allocated: bytes.length }, limits);
  }

  get full(): boolean {
    return this.#at >= this.#limits.segmentBytes;
  }

  /** Returns when the records are durable. After a rejection nobody knows, and it takes no more. */
  async append(records: Buffer): Promise<void> {
    const end = this.#at + records.length;
    let bytes = records;
    if (end > this.#allocated) {
      const step = this.#limits.allocateBytes;
      this.#allocated = Math.ceil(end / step) * step;
      bytes = Buffer.concat([records, Buffer.alloc(this.#allocated - end)]);
    }
    await this.#file.write(bytes, this.#at);
    this.#at = end;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function encodeHeader({ index, epoch, hash, t }: Position): Buffer {
  const bytes = Buffer.alloc(RECORDS_AT);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(epoch, EPOCH_AT);
  bytes.writeUIntLE(index, INDEX_AT, 6);
  bytes.writeUIntLE(t, T_AT, 6);
  bytes.write(hash, HASH_AT, 'hex');
  bytes.writeUInt32LE(crc32c(bytes, EPOCH_AT), CRC_AT);
  return bytes;
}

/** The position that a segment's first record follows. Throws when the segment's head is damaged. */
export function decodeHeader(name: string, bytes: Buffer): Position {
  const magic = bytes.subarray(0, MAGIC.length);
  const isHead =
    bytes.length >= RECORDS_AT &&
    magic.equals(MAGIC) &&
    bytes.readUInt32LE(CRC_AT) === crc32c(bytes, EPOCH_AT, RECORDS_AT);
  if (!isHead) throw damaged(name, 0, 'not the head of a segment that this version writes');
  const index = bytes.readUIntLE(INDEX_AT, 6);
  return {
    index,
    epoch: bytes.readUInt32LE(EPOCH_AT),
    hash: index === START.index ? START.hash : bytes.toString('hex', HASH_AT, RECORDS_AT),
    t: bytes.readUIntLE(T_AT, 6),
  };
}
