/** When a snapshot of the state is due; one is saved at a time. */
import { describeChain, ProconsulError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Snapshot } from './log/event-log.ts';

/** How many entries a start has to go through at most, about. */
const ENTRIES_BETWEEN_SNAPSHOTS = 50_000;

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
  #saving = false;

  constructor(deps: SnapshotsDeps) {
    this.#deps = deps;
  }

  /** The state is whole, up to the entry `index`. */
  begin(index: number): void {
    this.#last = index;
  }

  /** Whether the log has grown enough since the last one for another at the entry `index`. */
  isDue(index: number): boolean {
    return this.#last !== undefined && index - this.#last >= ENTRIES_BETWEEN_SNAPSHOTS;
  }

  /** Saves one unless that is under way. */
  saveSoon(): void {
    if (this.#saving || this.#last === undefined) return;
    this.#saving = true;
    // After the batch that is being applied: a snapshot is of a state between two entries.
    setImmediate(() => void this.#save());
  }

  async #save(): Promise<void> {
    const { save, take, logger } = this.#deps;
    const snapshot = take();
    const { index } = snapshot.position;
    try {
      await save(snapshot);
      this.#last = index;
      logger.info(`server: snapshot of entry ${index} saved`);
    } catch (error) {
      // While another server saves one there is nothing amiss.
      const busy = error instanceof ProconsulError && error.code === 'busy';
      const line = `server: no snapshot saved: ${describeChain(error)}`;
      if (busy) logger.debug(line);
      else logger.error(line);
      // Not at once again, for the next entry: it would only fail as often.
      this.#last = index - ENTRIES_BETWEEN_SNAPSHOTS / 2;
    }
    this.#saving = false;
  }
}
