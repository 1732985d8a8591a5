/**
 * An entry as it stands in a segment. Little endian: crc32c of all that follows (4), length of the
 * whole (4), epoch (4), how many entries of its batch stand before it (4), index (6), t (6), hash
 * (20), length of the id (2), id, payload.
 */
import { ProconsulError } from '../../../lib/errors.ts';
import type { Link } from '../chain.ts';
import type { WrittenEntry } from '../next-entry.ts';
import { crc32c } from './crc32c.ts';

const LENGTH_AT = 4;
const EPOCH_AT = 8;
const BACK_AT = 12;
const INDEX_AT = 16;
const T_AT = 22;
const HASH_AT = 28;
const ID_LENGTH_AT = 48;
const HEADER_BYTES = 50;
const MAX_ID_BYTES = 2 ** 16 - 1;

export interface StoredEntry extends Link {
  readonly hash: string;
  /** The index of the first entry of its batch: all of a batch becomes durable at one time. */
  readonly batch: number;
  /** Where the next record begins. */
  readonly end: number;
}

/** The records of one batch, one after the other. */
export function encodeBatch(batch: readonly WrittenEntry[]): Buffer {
  const sizes = batch.map(sizesOf);
  const bytes = Buffer.allocUnsafe(sizes.reduce((sum, { total }) => sum + total, 0));
  let at = 0;
  for (const [back, { entry, payload }] of batch.entries()) {
    const { id, total } = sizes[back] as Sizes;
    bytes.writeUInt32LE(total, at + LENGTH_AT);
    bytes.writeUInt32LE(entry.epoch, at + EPOCH_AT);
    bytes.writeUInt32LE(back, at + BACK_AT);
    bytes.writeUIntLE(entry.index, at + INDEX_AT, 6);
    bytes.writeUIntLE(entry.t, at + T_AT, 6);
    bytes.write(entry.hash, at + HASH_AT, 'hex');
    bytes.writeUInt16LE(id, at + ID_LENGTH_AT);
    bytes.write(entry.id, at + HEADER_BYTES);
    bytes.write(payload, at + HEADER_BYTES + id);
    bytes.writeUInt32LE(crc32c(bytes, at + LENGTH_AT, at + total), at);
    at += total;
  }
  return bytes;
}

/** The record that begins at `at`, or undefined when no whole, unharmed one does. */
export function decodeRecord(bytes: Buffer, at: number): StoredEntry | undefined {
  if (at + HEADER_BYTES > bytes.length) return undefined;
  const total = bytes.readUInt32LE(at + LENGTH_AT);
  const end = at + total;
  if (total < HEADER_BYTES || end > bytes.length) return undefined;
  if (bytes.readUInt32LE(at) !== crc32c(bytes, at + LENGTH_AT, end)) return undefined;
  const payloadAt = at + HEADER_BYTES + bytes.readUInt16LE(at + ID_LENGTH_AT);
  const index = bytes.readUIntLE(at + INDEX_AT, 6);
  return {
    index,
    epoch: bytes.readUInt32LE(at + EPOCH_AT),
    t: bytes.readUIntLE(at + T_AT, 6),
    id: bytes.toString('utf8', at + HEADER_BYTES, payloadAt),
    hash: bytes.toString('hex', at + HASH_AT, at + ID_LENGTH_AT),
    payload: bytes.toString('utf8', payloadAt, end),
    batch: index - bytes.readUInt32LE(at + BACK_AT),
    end,
  };
}

/** Whether what begins at `at` goes on where the bytes have ended. */
export function isCut(bytes: Buffer, at: number): boolean {
  return at + HEADER_BYTES > bytes.length || at + bytes.readUInt32LE(at + LENGTH_AT) > bytes.length;
}

interface Sizes {
  readonly id: number;
  readonly total: number;
}

function sizesOf({ entry, payload }: WrittenEntry): Sizes {
  const id = Buffer.byteLength(entry.id);
  if (id > MAX_ID_BYTES) throw new ProconsulError('too-large', 'the id of a proposal');
  return { id, total: HEADER_BYTES + id + Buffer.byteLength(payload) };
}
