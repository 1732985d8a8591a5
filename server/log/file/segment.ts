/**
 * A file of records, begun with the position that its first record follows. Behind the records stand
 * zeros up to what was allocated: an fsync is cheaper while the file does not grow.
 */
import { ProconsulError } from '../../../lib/errors.ts';
import { type Position, START } from '../event-log.ts';
import { crc32c } from './crc32c.ts';
import { damaged, isNoRoom, type LogFile, type LogFolder } from './log-folder.ts';

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
function segmentName(firstIndex: number): string {
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
      try {
        await temporary.write(bytes, 0);
        await temporary.sync();
      } finally {
        await temporary.close();
      }
      await folder.publish(name);
    } catch (error) {
      // What it takes is needed on a full disk; and a start removes it, if that fails now.
      await folder.removeTemporary(name).catch(() => undefined);
      throw error;
    }
    const file = await folder.openDurable(name);
    return new Segment(file, { at: RECORDS_AT, allocated: bytes.length }, limits);
  }

  get full(): boolean {
    return this.#at >= this.#limits.segmentBytes;
  }

  /**
   * Returns when the records are durable. Rejects 'unavailable' where the disk is full and none of
   * them is in the file; otherwise 'unknown': then nobody knows, and it takes no more.
   */
  async append(records: Buffer): Promise<void> {
    const end = this.#at + records.length;
    if (end > this.#allocated) await this.#allocate(end);
    try {
      await this.#file.write(records, this.#at);
    } catch (cause) {
      if (isNoRoom(cause) && (await this.#cut())) throw full(cause);
      throw new ProconsulError('unknown', 'append to the file log', { cause });
    }
    this.#at = end;
  }

  /**
   * Before any record: a disk that turns out to be full has then taken a part of some zeros at worst.
   * Where records and zeros went in one write, it could have taken half of the records.
   */
  async #allocate(end: number): Promise<void> {
    const step = this.#limits.allocateBytes;
    const allocated = Math.ceil(end / step) * step;
    try {
      await this.#file.write(Buffer.alloc(allocated - this.#allocated), this.#allocated);
    } catch (cause) {
      if (!isNoRoom(cause)) throw new ProconsulError('unknown', 'grow the file log', { cause });
      // Others may use what it has taken. If it cannot give that back, zeros do no harm.
      await this.#file.truncate(this.#allocated).catch(() => undefined);
      throw full(cause);
    }
    this.#allocated = allocated;
  }

  /**
   * Room that is allocated can be written to on most file systems; one that copies on write needs
   * new room all the same. Whether what it has taken of the records is gone again for certain.
   */
  async #cut(): Promise<boolean> {
    try {
      await this.#file.truncate(this.#at);
      await this.#file.sync();
    } catch {
      return false;
    }
    this.#allocated = this.#at;
    return true;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function full(cause: unknown): ProconsulError {
  return new ProconsulError('unavailable', 'the disk of the log is full', {
    cause,
  });
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
