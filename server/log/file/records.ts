/** Reads a segment's records in order, and tells a write cut short from damage. */
import { chainHash } from '../chain.ts';
import type { Position } from '../event-log.ts';
import { damaged } from './log-folder.ts';
import { decodeRecord, isCut, type StoredEntry } from './record.ts';

export interface RecordsOf {
  readonly name: string;
  readonly bytes: Buffer;
  /** Where the first record stands, and the position that it must follow. */
  readonly at: number;
  readonly previous: Position;
}

export interface RecordsEnd {
  readonly position: Position;
  /** Where the records end, and where the last batch of them begins. */
  readonly at: number;
  readonly batchAt: number;
  /** Whether something stands behind them that a write cut short has left. */
  readonly torn: boolean;
  /** Whether the file ends in the middle of a record. No crash does that: room is allocated first. */
  readonly cut: boolean;
}

/**
 * Throws where the log is damaged. A batch is only begun when the one before is durable, so whatever
 * a crash destroyed belongs to one batch, the last one, and nobody was told that it was written.
 */
export function* readRecords(records: RecordsOf): Generator<StoredEntry, RecordsEnd> {
  const { name, bytes } = records;
  let { at, previous: position } = records;
  let batchAt = at;
  let batch = 0;
  for (;;) {
    const entry = decodeRecord(bytes, at);
    if (entry === undefined) break;
    checkFollows(entry, position, { name, at });
    if (entry.batch !== batch) batchAt = at;
    batch = entry.batch;
    at = entry.end;
    position = { index: entry.index, epoch: entry.epoch, hash: entry.hash, t: entry.t };
    yield entry;
  }
  const torn = !isZero(bytes, at);
  if (torn) checkNothingFollows(records, at, position.index + 1);
  return { position, at, batchAt, torn, cut: torn && isCut(bytes, at) };
}

interface Place {
  readonly name: string;
  readonly at: number;
}

function checkFollows(entry: StoredEntry, previous: Position, { name, at }: Place): void {
  if (entry.index !== previous.index + 1) {
    throw damaged(name, at, `entry ${entry.index} follows entry ${previous.index}`);
  }
  if (entry.hash !== chainHash(previous.hash, entry)) {
    throw damaged(name, at, `entry ${entry.index} is not of this history`);
  }
}

/** `at` is where a record is bad that should hold the entry `expected`. */
function checkNothingFollows({ name, bytes }: RecordsOf, at: number, expected: number): void {
  for (let next = at + 1; next < bytes.length; ) {
    const entry = decodeRecord(bytes, next);
    if (entry === undefined) {
      next++;
      continue;
    }
    // Pages of one write reach the disk in any order: the rest of the same batch proves nothing.
    if (entry.index <= expected || entry.batch > expected) {
      throw damaged(name, at, `a bad record, with entry ${entry.index} after it`);
    }
    next = entry.end;
  }
}

const ZEROS = Buffer.alloc(64 * 1024);

function isZero(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length);
    if (!piece.equals(ZEROS.subarray(0, piece.length))) return false;
  }
  return true;
}
