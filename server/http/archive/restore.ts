/**
 * Puts an archive in place of the state. It is read to its end before anything is written, for its
 * sums come last; then it is read again, and its rows go into the log part by part.
 */
import { readArchive } from '../../../lib/archive/archive.ts';
import { readRecords } from '../../../lib/archive/records.ts';
import { describeChain, ProconsulError } from '../../../lib/errors.ts';
import { beFrugal } from '../../../lib/frugal.ts';
import { encodeJson } from '../../../lib/json.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { Random } from '../../../lib/random.ts';
import type { BeginRestore, Command, StagedRow } from '../../commands.ts';
import type { Outcome } from '../../state/outcome.ts';
import type { State } from '../../state/state.ts';
import { countRows, foundIn } from '../../state/tables.ts';
import { MAX_INDEX } from './go-values.ts';
import { RowReader } from './read-rows.ts';

/** Of a part, in characters: an entry that everybody applies in a few milliseconds. */
const PART_SIZE = 256 * 1024;

/**
 * What differs of a state may come onto it in one entry, which holds everybody up for some milliseconds a
 * thousand rows. Where more does, a second state is made beside it, in as much memory again.
 */
const MAX_ONTO = 2000;

export interface RestoreDeps {
  readonly state: () => State;
  readonly datacenter: string;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly random: Pick<Random, 'uuid'>;
  readonly logger: Logger;
}

export interface Restoring {
  readonly read: () => Promise<Buffer>;
  /** Whoever sends it. */
  readonly gone: AbortSignal;
  /** Proposes as whoever sends it; rejects where he may not by now. Parts alone come to nothing. */
  readonly begin: (command: BeginRestore) => Promise<unknown>;
}

export class Restorer {
  readonly #deps: RestoreDeps;
  #isBusy = false;

  constructor(deps: RestoreDeps) {
    this.#deps = deps;
  }

  /**
   * Rejects 'rejected' where the archive is none, before anything has changed. `read` is called only
   * where it is this one's turn: an archive is held in memory. Whoever sent it may have `gone` up to
   * where it begins to be written; from there on it is written to its end, for the parts before the end
   * do nothing, and whoever left meanwhile meant it.
   */
  async restore({ read, gone, begin }: Restoring): Promise<void> {
    if (this.#isBusy) throw new ProconsulError('busy', 'another snapshot is being restored');
    this.#isBusy = true;
    const over = beFrugal();
    try {
      const archive = await read();
      const { meta, rows, leftOut, index, onto } = await this.#check(archive, gone);
      const how = onto ? { index, onto: true as const } : { index };
      await this.#write(archive, how, begin);
      const without = [...leftOut].map(([kind, count]) => `${count} of ${kind}`).join(', ');
      const note = without === '' ? '' : `, without what is not known here: ${without}`;
      this.#deps.logger.info(`server: ${rows} rows of snapshot ${meta.ID} were restored${note}`);
    } finally {
      over();
      this.#isBusy = false;
    }
  }

  async #check(archive: Buffer, gone: AbortSignal) {
    const reader = new RowReader(this.#deps.datacenter);
    const state = this.#deps.state();
    const read = (records: AsyncIterable<Uint8Array>) => counted(records, reader, state);
    try {
      const { meta, state: counts } = await readArchive([archive], read, gone);
      gone.throwIfAborted();
      if (meta.Index < 0 || meta.Index > MAX_INDEX) throw new Error(`no index: ${meta.Index}`);
      const different = counts.rows + countRows(state) - 2 * counts.same;
      const { leftOut, newest } = reader;
      const index = Math.max(meta.Index, newest);
      // Into another cluster the archive's history comes too.
      const onto = different <= MAX_ONTO && different < counts.same;
      return { meta, rows: counts.rows, leftOut, index, onto };
    } catch (cause) {
      if (gone.aborted) {
        throw new ProconsulError('unavailable', 'whoever sent the snapshot has gone', { cause });
      }
      // What is wrong with the file itself is said in Consul's words already.
      throw cause instanceof ProconsulError ? cause : rejected(cause);
    }
  }

  async #write(
    archive: Buffer,
    how: Pick<BeginRestore, 'index' | 'onto'>,
    begin: Restoring['begin'],
  ): Promise<void> {
    const restore = this.#deps.random.uuid();
    const reader = new RowReader(this.#deps.datacenter);
    let part = 0;
    let rows: StagedRow[] = [];
    let size = 0;
    const flush = async () => {
      await this.#propose({ type: 'stage-rows', restore, part, rows });
      part++;
      rows = [];
      size = 0;
    };
    await begin({ type: 'begin-restore', restore, ...how });
    await readArchive([archive], async (state) => {
      for await (const row of reader.rows(readRecords(state))) {
        rows.push(row);
        size += encodeJson(row).length;
        if (size >= PART_SIZE) await flush();
      }
    });
    if (rows.length > 0) await flush();
    await this.#propose({ type: 'end-restore', restore, parts: part });
  }

  async #propose(command: Command): Promise<void> {
    const { refused } = await this.#deps.propose(command);
    if (refused !== undefined) throw new ProconsulError('rejected', refused);
  }
}

/** How many rows there are, and how many of the state's are the same. */
async function counted(records: AsyncIterable<Uint8Array>, reader: RowReader, state: State) {
  let rows = 0;
  // Themselves, for an archive may have one twice.
  const same = new Set<object>();
  try {
    for await (const row of reader.rows(readRecords(records))) {
      for (const found of foundIn(state, row)) {
        rows++;
        if (found.same) same.add(found.same);
      }
    }
  } catch (cause) {
    throw rejected(cause);
  }
  return { rows, same: same.size };
}

function rejected(cause: unknown): ProconsulError {
  const why = `failed to read the snapshot: ${describeChain(cause)}`;
  return new ProconsulError('rejected', why, { cause });
}
