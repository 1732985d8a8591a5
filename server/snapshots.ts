/** When a snapshot of the state is due; one is saved at a time. */
import { systemClock } from '../lib/clock.ts';
import { describeChain, noLeader, ProconsulError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { Sample } from '../lib/metrics/sample.ts';
import type { Entry } from './commands.ts';
import type { Snapshot } from './log/event-log.ts';

/** How many entries a start has to go through at most, about. */
const ENTRIES_BETWEEN_SNAPSHOTS = 50_000;
/**
 * How much it has to read of them, about: values of 512 KB fill a disk or a Redis long before there
 * are so many. Of a state that is larger than this, as much as that: no more is written than read.
 */
const SIZE_BETWEEN_SNAPSHOTS = 64 * 1024 * 1024;

export interface SnapshotsDeps {
  /** As EventLog.saveSnapshot. */
  readonly save: (snapshot: Snapshot) => Promise<void>;
  /** Of the state as it is, between two entries. */
  readonly take: () => Snapshot;
  readonly logger: Logger;
}

export class Snapshots {
  readonly #deps: SnapshotsDeps;
  /** The entry that the last one was of; undefined until there is a state to save. */
  #last: number | undefined;
  #saving: Promise<unknown> | undefined;
  /** Of all entries since the last snapshot, and of that itself. */
  #sizeSince = 0;
  #lastSize = 0;
  /** How long those took that were saved, and how many were not. */
  readonly saved = new Sample();
  failed = 0;

  constructor(deps: SnapshotsDeps) {
    this.#deps = deps;
  }

  /** The state is whole, up to the entry `index`. */
  begin(index: number): void {
    this.#last = index;
  }

  /** An entry was applied. Whether the log has grown enough since the last one for another. */
  isDueAfter({ index, size }: Pick<Entry, 'index' | 'size'>): boolean {
    this.#sizeSince += size;
    if (this.#last === undefined) return false;
    const limit = Math.max(SIZE_BETWEEN_SNAPSHOTS, this.#lastSize);
    return index - this.#last >= ENTRIES_BETWEEN_SNAPSHOTS || this.#sizeSince >= limit;
  }

  /** Saves one unless that is under way. */
  saveSoon(): void {
    if (this.#saving === undefined && this.#last !== undefined) void this.#begin();
  }

  /** Saves one of the state as it is now, or is later; rejects when that failed. */
  async saveNow(): Promise<void> {
    while (this.#saving !== undefined) await this.#saving;
    if (this.#last === undefined) throw noLeader();
    const failure = await this.#begin();
    if (failure !== undefined) throw failure;
  }

  #begin(): Promise<unknown> {
    // After the batch that is being applied: a snapshot is of a state between two entries.
    const saving = new Promise((resolve) => setImmediate(resolve))
      .then(() => this.#save())
      .finally(() => {
        this.#saving = undefined;
      });
    this.#saving = saving;
    return saving;
  }

  /** Resolves with what went wrong, if anything did. */
  async #save(): Promise<unknown> {
    const { save, take, logger } = this.#deps;
    const snapshot = take();
    const { index } = snapshot.position;
    const before = this.#sizeSince;
    const from = systemClock.monotonic();
    this.#sizeSince = 0;
    try {
      await save({ ...snapshot, lines: this.#measured(snapshot.lines) });
      this.#last = index;
      this.saved.observe(systemClock.monotonic() - from);
      logger.info(`server: snapshot of entry ${index} saved`);
      return undefined;
    } catch (error) {
      // While another server saves one nothing is wrong.
      const busy = error instanceof ProconsulError && error.code === 'busy';
      const line = `server: no snapshot saved: ${describeChain(error)}`;
      if (busy) logger.debug(line);
      else {
        this.failed++;
        logger.error(line);
      }
      // Not at once again, for the next entry: it would only fail as often.
      this.#last = index - ENTRIES_BETWEEN_SNAPSHOTS / 2;
      this.#sizeSince += before / 2;
      return error;
    }
  }

  async *#measured(lines: Snapshot['lines']): AsyncGenerator<string> {
    let size = 0;
    for await (const line of lines) {
      size += line.length;
      yield line;
    }
    this.#lastSize = size;
  }
}
