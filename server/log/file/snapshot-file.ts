/**
 * A snapshot as a file: a line with its position, the state's lines, and as the last line the
 * SHA-256 of all lines before it. Written and read in pieces, so that no size stops the process.
 */
import { createHash } from 'node:crypto';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Position, Snapshot } from '../event-log.ts';
import { damaged, type LogFile, type LogFolder } from './log-folder.ts';

const FORMAT = 'proconsul-snapshot-1';
const NAME = /^snapshot-(\d{16})$/;
/** A few milliseconds of work at a time. */
const PIECE_BYTES = 256 * 1024;
/** One large flush would keep the log's own fsync waiting; many small ones let it through. */
const SYNC_EVERY_BYTES = 8 * 1024 * 1024;
/** 64 hex digits and a line feed. */
const CHECKSUM_BYTES = 65;
const LINE_FEED = 10;

interface Head extends Position {
  readonly format: string;
}

function snapshotName({ index }: Position): string {
  return `snapshot-${String(index).padStart(16, '0')}`;
}

/** The index that a snapshot of this name is of; undefined for another file. */
export function snapshotIndex(name: string): number | undefined {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * The file has its name only when it was written, synced and read back. `check` is called between
 * pieces, and may throw to give up. Whenever this rejects, the snapshots that there were stand.
 */
export async function writeSnapshot(
  folder: LogFolder,
  snapshot: Snapshot,
  check: () => void,
): Promise<void> {
  const name = snapshotName(snapshot.position);
  try {
    const file = await folder.createTemporary(name);
    try {
      await writeLines(file, snapshot, check);
      await verify(file, name, check);
    } finally {
      await file.close();
    }
    check();
    await folder.publish(name);
  } catch (error) {
    // It may never have been made; and a start removes it, if that fails now.
    await folder.removeTemporary(name).catch(() => undefined);
    throw error;
  }
}

async function writeLines(file: LogFile, snapshot: Snapshot, check: () => void): Promise<void> {
  const hash = createHash('sha256');
  let at = 0;
  let unsynced = 0;
  const write = async (text: string) => {
    const bytes = Buffer.from(text);
    hash.update(bytes);
    await file.write(bytes, at);
    at += bytes.length;
    unsynced += bytes.length;
    if (unsynced >= SYNC_EVERY_BYTES) {
      await file.sync();
      unsynced = 0;
    }
    check();
  };

  let piece = `${JSON.stringify({ format: FORMAT, ...snapshot.position })}\n`;
  for await (const line of snapshot.lines) {
    if (line.includes('\n')) throw new ProconsulError('internal', 'a line of a snapshot is two');
    piece += `${line}\n`;
    if (piece.length < PIECE_BYTES) continue;
    await write(piece);
    piece = '';
  }
  await write(piece);
  await file.write(Buffer.from(`${hash.digest('hex')}\n`), at);
  await file.sync();
}

/** Reads the named snapshot once through; its position. Throws when it is damaged. */
export async function verifySnapshot(folder: LogFolder, name: string): Promise<Position> {
  const file = await folder.open(name);
  try {
    return await verify(file, name);
  } finally {
    await file.close();
  }
}

/** `name` is the one that the file has, or that it is to get. */
async function verify(file: LogFile, name: string, check?: () => void): Promise<Position> {
  const hash = createHash('sha256');
  const end = (await file.size()) - CHECKSUM_BYTES;
  // One for all pieces: nothing else is made meanwhile for which V8 would look at what is garbage, and they lie outside
  // of its heap, so it would take 64 MB of them until it collects all of that.
  const room = Buffer.allocUnsafe(PIECE_BYTES);
  let head: string | undefined;
  for (let at = 0; at < end; ) {
    const piece = await readPiece(file, { at, end, room });
    head ??= piece.toString('utf8', 0, piece.indexOf(LINE_FEED));
    hash.update(piece);
    at += piece.length;
    check?.();
  }
  const checksum = end > 0 ? await file.read(end, CHECKSUM_BYTES) : Buffer.alloc(0);
  if (checksum.toString('latin1') !== `${hash.digest('hex')}\n` || head === undefined) {
    throw damaged(name, Math.max(end, 0), 'the checksum is not that of the lines');
  }
  return decodeHead(name, head);
}

function decodeHead(name: string, line: string): Position {
  const { format, index, epoch, hash, t } = JSON.parse(line) as Head;
  if (format !== FORMAT) throw damaged(name, 0, `the format ${format} is not known here`);
  if (snapshotIndex(name) !== index) throw damaged(name, 0, `it is of entry ${index}`);
  return { index, epoch, hash, t };
}

/** The state's lines of a snapshot that was verified. The file is open only while they are read. */
export async function* snapshotLines(folder: LogFolder, name: string): AsyncGenerator<string> {
  const file = await folder.open(name);
  try {
    const end = (await file.size()) - CHECKSUM_BYTES;
    let rest: Buffer = Buffer.alloc(0);
    let isHead = true;
    for (let at = 0; at < end; ) {
      const piece = await readPiece(file, { at, end });
      at += piece.length;
      rest = Buffer.concat([rest, piece]);
      const whole = rest.lastIndexOf(LINE_FEED);
      if (whole < 0) continue;
      const lines = rest.toString('utf8', 0, whole).split('\n');
      rest = rest.subarray(whole + 1);
      if (isHead) lines.shift();
      isHead = false;
      yield* lines;
    }
  } finally {
    await file.close();
  }
}

interface Piece {
  readonly at: number;
  /** Of the whole. */
  readonly end: number;
  /** For whoever is done with a piece when it reads the next. */
  readonly room?: Buffer;
}

async function readPiece(file: LogFile, { at, end, room }: Piece): Promise<Buffer> {
  const piece = await file.read(at, Math.min(PIECE_BYTES, end - at), room);
  if (piece.length === 0) throw damaged(file.name, at, 'it ends too early');
  return piece;
}
