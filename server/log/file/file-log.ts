/** One server's log in local files: see README.md for what it does when a disk or a process fails. */
import assert from 'node:assert/strict';
import { type Clock, systemClock } from '../../../lib/clock.ts';
import { describeChain, ProconsulError } from '../../../lib/errors.ts';
import type { LogAccount } from '../../../lib/log-account.ts';
import type { Logger } from '../../../lib/logger.ts';
import { counter, type Metric, timing } from '../../../lib/metrics/metric.ts';
import { Sample } from '../../../lib/metrics/sample.ts';
import type { EventLog, LogServers, LogSink, LogStatus, Proposal, Snapshot } from '../event-log.ts';
import { ALONE, START } from '../event-log.ts';
import { LogClock } from '../log-clock.ts';
import { nextEntries, positionOf } from '../next-entry.ts';
import { type PayloadReader, plainPayloads } from '../payload.ts';
import { ProposalIds } from '../proposal-ids.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';
import { lockFolder } from './folder-lock.ts';
import { isNoRoom, LogFolder } from './log-folder.ts';
import { encodeBatch } from './record.ts';
import { recover } from './recovery.ts';
import { SEGMENT_LIMITS, Segment, type SegmentLimits, segmentIndex } from './segment.ts';
import { snapshotIndex, writeSnapshot } from './snapshot-file.ts';

export interface FileLogDeps {
  /** Of its own, on a local disk; made when it is not there. */
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The disk failed. Nothing is acknowledged any more, and the process must end. Called at most once. */
  readonly onFatal: (error: ProconsulError) => void;
  readonly payloads?: PayloadReader;
  readonly disk?: Disk;
}

/** How the disk is used: specs and measurements bring their own. */
export interface Disk {
  readonly fileSystem?: FileSystem;
  /** Keeps other processes out of the folder; resolves with what lets them in again. */
  readonly lock?: (folder: string) => Promise<() => Promise<void>>;
  readonly limits?: SegmentLimits;
}

interface Running {
  readonly sink: LogSink;
  readonly unlock: () => Promise<void>;
  segment: Segment;
}

export class FileLog implements EventLog {
  readonly #deps: FileLogDeps;
  readonly #fileSystem: FileSystem;
  readonly #limits: SegmentLimits;
  readonly #folder: LogFolder;
  readonly #clock: LogClock;
  readonly #payloads: PayloadReader;
  readonly #ids = new ProposalIds();
  /** A write is durable when it returns: this is what an fsync takes. */
  readonly #synced = new Sample();
  #bytes = 0;
  #position = START;
  #snapshot = START;
  #running: Running | undefined;
  /** What `stop` waits for. */
  #starting: Promise<void> | undefined;
  #appending: Promise<void> | undefined;
  #saving: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #failed = false;
  #full = false;

  constructor(deps: FileLogDeps) {
    this.#deps = deps;
    this.#clock = new LogClock(deps.clock);
    this.#fileSystem = deps.disk?.fileSystem ?? nodeFileSystem;
    this.#limits = deps.disk?.limits ?? SEGMENT_LIMITS;
    this.#payloads = deps.payloads ?? plainPayloads;
    this.#folder = new LogFolder({
      path: deps.folder,
      fileSystem: this.#fileSystem,
      onSyncFailure: (error) => this.#fail(error),
    });
  }

  start(sink: LogSink): Promise<void> {
    assert(this.#starting === undefined && this.#stopped === undefined, 'a log is started once');
    this.#starting = this.#start(sink);
    return this.#starting;
  }

  append(batch: readonly Proposal[]): Promise<void> {
    assert.equal(this.#appending, undefined, 'one append at a time');
    this.#appending = this.#append(batch).finally(() => {
      this.#appending = undefined;
    });
    return this.#appending;
  }

  readIndex(): number | Promise<number> {
    return this.#isRunning() ? this.#position.index : Promise.reject(takesNoWrites());
  }

  saveSnapshot(snapshot: Snapshot): Promise<void> {
    assert.equal(this.#saving, undefined, 'one snapshot at a time');
    this.#saving = this.#save(snapshot).finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  newestSnapshot(): number {
    return this.#snapshot.index;
  }

  status(): LogStatus {
    return { writable: this.#isRunning(), lastContactMs: 0 };
  }

  servers(): LogServers {
    return ALONE;
  }

  async account(): Promise<LogAccount> {
    return { kind: 'file', isSealed: false, epoch: this.#position.epoch };
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #start(sink: LogSink): Promise<void> {
    const { folder: path, disk, logger } = this.#deps;
    const lock = disk?.lock ?? lockFolder;
    await this.#fileSystem.makeFolder(path);
    const unlock = await lock(path);
    try {
      const { position, snapshot, segment } = await recover({
        folder: this.#folder,
        ids: this.#ids,
        limits: this.#limits,
        payloads: this.#payloads,
        sink,
        logger,
      });
      this.#position = position;
      this.#snapshot = snapshot;
      this.#running = { sink, segment, unlock };
    } catch (error) {
      await unlock();
      throw error;
    }
    await this.#trim();
  }

  async #append(batch: readonly Proposal[]): Promise<void> {
    const running = this.#mustRun();
    const end = {
      position: this.#position,
      ids: this.#ids,
      nowMs: this.#clock.after(this.#position.t),
    };
    const written = nextEntries(end, batch);
    const last = written.at(-1);
    if (last === undefined) return;
    const records = encodeBatch(written);
    if (running.segment.full) await this.#roll(running);
    const from = systemClock.monotonic();
    try {
      await running.segment.append(records);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      if (error.code === 'unavailable') this.#refuse(error);
      else this.#fail(error);
      throw error;
    }
    // The disk may have failed a snapshot meanwhile; after that nothing is acknowledged.
    if (this.#failed) throw new ProconsulError('unknown', 'the disk of the file log failed');
    this.#taken();
    this.#synced.observe(systemClock.monotonic() - from);
    this.#bytes += records.length;
    // Invariant: only what is durable is ever fed, so that no reader sees what a crash takes back.
    this.#position = positionOf(last.entry);
    for (const { entry } of written) this.#ids.add(entry.id);
    running.sink.apply(written.map(({ entry, payload }) => this.#payloads.admit(entry, payload)));
  }

  async #roll(running: Running): Promise<void> {
    try {
      const next = await Segment.create(this.#folder, this.#position, this.#limits);
      const previous = running.segment;
      running.segment = next;
      await previous.close();
    } catch (cause) {
      const error = new ProconsulError('unavailable', 'begin a segment of the file log', { cause });
      if (isNoRoom(cause)) this.#refuse(error);
      else this.#fail(error);
      throw error;
    }
  }

  async #save(snapshot: Snapshot): Promise<void> {
    this.#mustRun();
    const { position } = snapshot;
    assert(position.index <= this.#position.index, 'a snapshot of what is not in the log yet');
    if (position.index <= this.#snapshot.index) return;
    await writeSnapshot(this.#folder, snapshot, () => void this.#mustRun());
    this.#snapshot = position;
    await this.#trim();
  }

  /** Removes the files that the snapshot makes unnecessary, the oldest first. */
  async #trim(): Promise<void> {
    const { index } = this.#snapshot;
    try {
      const names = await this.#folder.list();
      const segments = names.filter((name) => segmentIndex(name) !== undefined);
      // A segment ends where the next one begins; the last one is being written to.
      const covered = segments.filter((_, i) =>
        isUpTo(segmentIndex(segments[i + 1] ?? ''), index + 1),
      );
      const old = names.filter((name) => isUpTo(snapshotIndex(name), index - 1));
      for (const name of [...covered, ...old]) await this.#folder.remove(name);
    } catch (error) {
      // What is left over takes room and does no harm; the next trim meets it again.
      this.#deps.logger.warn(`log: it was not trimmed: ${describeChain(error)}`);
    }
  }

  async #stop(): Promise<void> {
    await Promise.allSettled([this.#starting, this.#appending, this.#saving]);
    const running = this.#running;
    this.#running = undefined;
    try {
      await running?.segment.close();
    } finally {
      await running?.unlock();
    }
  }

  metrics(): readonly Metric[] {
    return [
      timing('proconsul.log.fsync', 'until a batch was durable on the disk', this.#synced, {
        buckets: true,
      }),
      counter('proconsul.log.written_bytes', 'bytes written to the log', () => this.#bytes),
    ];
  }

  #isRunning(): boolean {
    return this.#running !== undefined && this.#stopped === undefined && !this.#failed;
  }

  #mustRun(): Running {
    const running = this.#running;
    if (running !== undefined && this.#isRunning()) return running;
    throw takesNoWrites();
  }

  /** The disk is full. Nothing of the batch is written, and the next one may find room. */
  #refuse(error: ProconsulError): void {
    if (this.#full) return;
    this.#full = true;
    const what = 'writes are refused until there is room, and reads go on';
    this.#deps.logger.error(`log: ${what}: ${describeChain(error)}`);
  }

  #taken(): void {
    if (this.#full) this.#deps.logger.info('log: the disk has room again: writes go on');
    this.#full = false;
  }

  #fail(error: ProconsulError): void {
    if (this.#failed) return;
    this.#failed = true;
    // Until then it is `start` that rejects.
    if (this.#running !== undefined) this.#deps.onFatal(error);
  }
}

function isUpTo(index: number | undefined, limit: number): boolean {
  return index !== undefined && index <= limit;
}

function takesNoWrites(): ProconsulError {
  return new ProconsulError('unavailable', 'the file log takes no writes');
}
