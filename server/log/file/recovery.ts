/** What a start does: reads the folder, mends what a crash has left, and feeds the sink. */
import { ProconsulError } from '../../../lib/errors.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { Entry } from '../../commands.ts';
import { type LogSink, type Position, START } from '../event-log.ts';
import type { PayloadReader } from '../payload.ts';
import type { ProposalIds } from '../proposal-ids.ts';
import { damaged, type LogFile, type LogFolder } from './log-folder.ts';
import type { StoredEntry } from './record.ts';
import { type RecordsEnd, readRecords } from './records.ts';
import { decodeHeader, RECORDS_AT, Segment, type SegmentLimits, segmentIndex } from './segment.ts';
import { snapshotIndex, snapshotLines, verifySnapshot } from './snapshot-file.ts';

const TORN =
  'If the process or the machine stopped in the middle of a write, that is as it should be: nobody was told that it was done. If not, the disk has lost it';
const CUT =
  'The file ends in the middle of it: unless an earlier version stopped while it wrote, it was cut short since, and what it held from there on is lost, whether it was acknowledged or not';

/** So many entries are handed to the sink at a time. */
const FEED_ENTRIES = 512;

export interface RecoveryDeps {
  readonly folder: LogFolder;
  readonly sink: LogSink;
  readonly ids: ProposalIds;
  readonly logger: Logger;
  readonly limits: SegmentLimits;
  readonly payloads: PayloadReader;
}

export interface Recovered {
  readonly position: Position;
  /** The position of the snapshot that the state began with. */
  readonly snapshot: Position;
  readonly segment: Segment;
}

/** Throws, with the place, when anything but the end of the last write is not as it was written. */
export async function recover(deps: RecoveryDeps): Promise<Recovered> {
  return await new Recovery(deps).run();
}

class Recovery {
  readonly #deps: RecoveryDeps;
  #snapshot = START;
  /** Where the segments that were read end. */
  #end: Position | undefined;
  #toFeed: StoredEntry[] = [];

  constructor(deps: RecoveryDeps) {
    this.#deps = deps;
  }

  async run(): Promise<Recovered> {
    const { folder } = this.#deps;
    await folder.removeTemporaries();
    // The process before us may have died between a rename and this; from here on we build on it.
    await folder.sync();
    const names = await folder.list();
    await this.#restore(names.filter((name) => snapshotIndex(name) !== undefined).at(-1));
    const segment = await this.#readSegments(
      names.filter((name) => segmentIndex(name) !== undefined),
    );
    try {
      this.#feed();
    } catch (error) {
      await segment.close();
      throw error;
    }
    return { position: this.#end ?? START, snapshot: this.#snapshot, segment };
  }

  async #restore(name: string | undefined): Promise<void> {
    if (name === undefined) return;
    const { folder, sink } = this.#deps;
    this.#snapshot = await verifySnapshot(folder, name);
    await sink.restore({ position: this.#snapshot, lines: snapshotLines(folder, name) });
  }

  async #readSegments(all: readonly string[]): Promise<Segment> {
    const { folder, limits } = this.#deps;
    const { index } = this.#snapshot;
    // Those before are wholly in the snapshot: a crash kept them from being trimmed.
    const first = all.findLastIndex((name) => (segmentIndex(name) ?? 0) <= index + 1);
    if (all.length === 0 && index === START.index) {
      return await Segment.create(folder, START, limits);
    }
    const last = all.at(-1);
    if (first < 0 || last === undefined) throw missing(index, all[0]);
    for (const name of all.slice(first, -1)) await this.#readWhole(name);
    return await this.#readLast(last);
  }

  /** A segment that others follow: all of it was durable before the next one was made. */
  async #readWhole(name: string): Promise<void> {
    const file = await this.#deps.folder.open(name);
    try {
      const { at, torn } = this.#read(name, await file.read(0, await file.size()));
      if (torn) throw damaged(name, at, 'a bad record, with another segment after it');
    } finally {
      await file.close();
    }
  }

  async #readLast(name: string): Promise<Segment> {
    const { folder, limits } = this.#deps;
    const file = await folder.openDurable(name);
    try {
      const bytes = await file.read(0, await file.size());
      const end = this.#read(name, bytes);
      if (end.position.index < this.#snapshot.index) throw missing(end.position.index);
      const allocated = await this.#mend(file, bytes, end);
      return new Segment(file, { at: end.at, allocated }, limits);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Hands over what is certainly durable; the last batch, which may not be, stays in #toFeed. */
  #read(name: string, bytes: Buffer): RecordsEnd {
    const base = decodeHeader(name, bytes);
    this.#checkBase(name, base);
    const records = readRecords({ name, bytes, at: RECORDS_AT, previous: base });
    for (;;) {
      const next = records.next();
      if (next.done) {
        this.#end = next.value.position;
        return next.value;
      }
      this.#take(name, next.value);
    }
  }

  #take(name: string, entry: StoredEntry): void {
    const { index, hash } = this.#snapshot;
    this.#deps.ids.add(entry.id);
    if (entry.index === index && entry.hash !== hash) throw otherHistory(name, index);
    if (entry.index <= index) return;
    if (this.#toFeed.length >= FEED_ENTRIES && entry.batch === entry.index) this.#feed();
    this.#toFeed.push(entry);
  }

  #checkBase(name: string, base: Position): void {
    if (segmentIndex(name) !== base.index + 1) throw damaged(name, 0, 'the file has another name');
    const { index, hash } = this.#snapshot;
    if (base.index === index && base.hash !== hash) throw otherHistory(name, index);
    const previous = this.#end;
    if (previous === undefined) return;
    if (base.index !== previous.index) throw missing(previous.index, name);
    if (base.hash !== previous.hash) throw otherHistory(name, base.index);
  }

  /**
   * Clears what a crash left behind the records. Then writes the last batch once more, as it is:
   * when its fsync had failed, the disk may not hold what the page cache gave us to read, and only
   * pages that are written anew are flushed again. Resolves with the size of the file.
   */
  async #mend(file: LogFile, bytes: Buffer, end: RecordsEnd): Promise<number> {
    const { at, batchAt, torn, cut } = end;
    if (torn) {
      const what = `log: ${file.name}: the last write is not whole; ${bytes.length - at} bytes`;
      this.#deps.logger.warn(`${what} from offset ${at} are dropped. ${cut ? CUT : TORN}`);
      // Not cut off: on a full disk there would be no room for the next write.
      await file.write(Buffer.alloc(bytes.length - at), at);
    }
    if (at > batchAt) await file.write(bytes.subarray(batchAt, at), batchAt);
    await file.sync();
    return bytes.length;
  }

  #feed(): void {
    if (this.#toFeed.length === 0) return;
    const entries = this.#toFeed.map((stored) => this.#toEntry(stored));
    this.#toFeed = [];
    this.#deps.sink.apply(entries);
  }

  #toEntry(stored: StoredEntry): Entry {
    const { payloads } = this.#deps;
    const { index, epoch, t, id, hash, payload } = stored;
    const command = payloads.decode(stored);
    return payloads.admit({ index, epoch, t, id, hash, size: payload.length, command }, payload);
  }
}

function missing(after: number, next?: string): ProconsulError {
  const what = next === undefined ? 'on' : `to where ${next} begins`;
  return new ProconsulError(
    'internal',
    `the log is damaged: entries are missing, from ${after + 1} ${what}. Nothing was changed; restore the folder from a backup`,
  );
}

function otherHistory(name: string, index: number): ProconsulError {
  return damaged(name, 0, `entry ${index} is of another history than what stands before it`);
}
