/** Writes batches: the same proposals again and again until they are in the log, or time is up. */
import type { Clock } from '../../../../lib/clock.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Proposal } from '../../event-log.ts';
import type { Keys } from '../link/keys.ts';
import { PROPOSAL_BUDGET_MS, SCRIPT_MAX_BYTES, SCRIPT_MAX_ENTRIES } from '../link/limits.ts';
import { within } from '../link/patience.ts';
import { APPEND, dailyKeys } from '../records/scripts.ts';
import type { Live, LiveSession } from './live.ts';

/** An entry as Redis names it. The index alone is not enough: another history may use it too. */
export interface Written {
  readonly index: number;
  readonly hash: string;
}

/**
 * Waits until an entry is committed by whatever policy there is: applied by this server at least,
 * for what no server has applied a repair cannot put back. False when the session or time ends, or
 * when this server has applied another entry at that index.
 */
export type Committed = (live: Live, written: Written, deadline: number) => Promise<boolean>;

export interface AppenderDeps {
  readonly live: LiveSession;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly committed: Committed;
  /** Redis takes no writes although it is the right one: it is full, mostly. */
  readonly onRefused: () => void;
}

/** Id and payload in turn, as the script takes them. */
type ScriptArgs = string[];

export class Appender {
  readonly #live: LiveSession;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #committed: Committed;
  readonly #onRefused: () => void;

  constructor({ live, keys, clock, committed, onRefused }: AppenderDeps) {
    this.#live = live;
    this.#keys = keys;
    this.#clock = clock;
    this.#committed = committed;
    this.#onRefused = onRefused;
  }

  /** As EventLog.append. Settles within PROPOSAL_BUDGET_MS. */
  async append(batch: readonly Proposal[]): Promise<void> {
    const deadline = this.#clock.monotonic() + PROPOSAL_BUDGET_MS;
    let last = 0;
    for (const args of scriptsOf(batch)) {
      try {
        last = await this.#write(args, deadline);
      } catch (error) {
        if (last === 0 || !(error instanceof ProconsulError)) throw error;
        throw new ProconsulError('unknown', 'a part of the batch is written', { cause: error });
      }
    }
  }

  async #write(args: ScriptArgs, deadline: number): Promise<number> {
    let failure: ProconsulError | undefined;
    while (failure === undefined || this.#clock.monotonic() < deadline) {
      const live = await this.#live.wait(deadline);
      if (live === undefined) break;
      const result = await this.#attempt(live, args, deadline);
      if (typeof result === 'number') return result;
      // Once a write may have been made, it may have been made however the retries end.
      if (failure?.code !== 'unknown') failure = result;
      if (result.code === 'rejected') {
        this.#onRefused();
        break;
      }
      // Whatever it was, this session is of no more use: the next one begins with a look at all.
      live.session.close();
    }
    if (failure?.code === 'unknown') {
      throw new ProconsulError('unknown', 'a write may have reached Redis', { cause: failure });
    }
    throw new ProconsulError('unavailable', 'Redis takes no writes now', { cause: failure });
  }

  /** The last index once the proposals are in the log for good, else what is known of them. */
  async #attempt(live: Live, args: ScriptArgs, deadline: number): Promise<number | ProconsulError> {
    const written = await within(this.#clock, deadline, this.#run(live, args));
    if (written === 'late') return new ProconsulError('unknown', 'Redis is too slow');
    if (written instanceof ProconsulError) return written;
    if (await this.#committed(live, written, deadline)) return written.index;
    // It was in Redis; whether it is in what the next session finds, the same ids will tell.
    return new ProconsulError('unknown', 'written, but not confirmed in time');
  }

  async #run({ session, epoch }: Live, args: ScriptArgs): Promise<Written | ProconsulError> {
    try {
      const reply = await session.commands.run(APPEND, dailyKeys(this.#keys), [epoch, ...args]);
      const [answer, index, hash = ''] = reply as [string, string?, string?];
      if (answer === 'OK') return { index: Number(index), hash };
      // DAMAGED with an index may come after some were written; EPOCH never does.
      const code = index === undefined ? 'unavailable' : 'unknown';
      return new ProconsulError(code, `Redis refused to append: ${answer}`);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      // An answer of another kind may have come in the middle of the script.
      return error.code === 'internal' ? new ProconsulError('unknown', error.message) : error;
    }
  }
}

function* scriptsOf(batch: readonly Proposal[]): Generator<ScriptArgs> {
  let args: ScriptArgs = [];
  let size = 0;
  for (const { id, payload, bytes } of batch) {
    const full = args.length >= SCRIPT_MAX_ENTRIES * 2 || size + bytes > SCRIPT_MAX_BYTES;
    if (full && args.length > 0) {
      yield args;
      args = [];
      size = 0;
    }
    args.push(id, payload);
    size += bytes;
  }
  if (args.length > 0) yield args;
}
