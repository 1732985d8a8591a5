/** Saves the state again and again while it holds a lock, so that of several that do one is active. */
import { type Clock, pause } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import type { HeldLock } from './lock-session.ts';
import type { SnapshotFolder } from './snapshot-folder.ts';

/** After a failure, of a lock or of a snapshot. */
const RETRY_MS = 10_000;

export interface SnapshotRoundsOptions {
  readonly folder: SnapshotFolder;
  /** Rejects with a ProconsulError; resolves with what is to be said of it. */
  readonly save: (file: string) => Promise<string>;
  /** Not held yet; each is used once. */
  readonly lock: () => HeldLock;
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly retain: number;
  /** So many failures one after the other let another have the lock. */
  readonly maxFailures: number;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export class SnapshotRounds {
  readonly #options: SnapshotRoundsOptions;

  constructor(options: SnapshotRoundsOptions) {
    this.#options = options;
  }

  /** Resolves when it is told to end, whatever fails meanwhile. */
  async run(): Promise<void> {
    const { clock, signal, say } = this.#options;
    while (!signal.aborted) {
      const lock = this.#options.lock();
      try {
        if (await lock.acquire(0)) await this.#whileHeld(lock);
      } catch (error) {
        if (signal.aborted) break;
        say(`waits for the lock: ${reasonOf(error)}`);
      } finally {
        await this.#release(lock);
      }
      await pause(clock, RETRY_MS, signal);
    }
  }

  /** One round: saves, and takes out those that are too many. */
  async once(): Promise<void> {
    const { folder, save, clock, retain, say } = this.#options;
    const file = folder.fileOf(clock.now());
    say(`saved ${file}: ${await save(file)}`);
    const gone = await folder.keep(retain, file);
    if (gone > 0) say(`removed ${gone} older than the newest ${retain}`);
  }

  async #whileHeld({ lost }: HeldLock): Promise<void> {
    const { folder, clock, intervalMs, maxFailures, say, signal } = this.#options;
    const over = AbortSignal.any([lost, signal]);
    say('holds the lock, and saves from now on');
    // One that is started again and again would put young ones in place of all that are kept.
    let waitMs = folder.newestAt() + intervalMs - clock.now();
    for (let failures = 0; failures < maxFailures; ) {
      if (waitMs > 0) await pause(clock, Math.min(waitMs, intervalMs), over);
      if (over.aborted) break;
      try {
        await this.once();
        failures = 0;
        waitMs = intervalMs;
      } catch (error) {
        failures++;
        waitMs = RETRY_MS;
        say(`failure ${failures} of ${maxFailures}: ${reasonOf(error)}`);
      }
    }
    if (!signal.aborted) say(lost.aborted ? 'lost the lock' : 'lets another have the lock');
  }

  /** A server that is away keeps nobody: the lock's session ends by itself. */
  async #release(lock: HeldLock): Promise<void> {
    try {
      await lock.release();
    } catch (error) {
      this.#options.say(`could not let go of the lock: ${reasonOf(error)}`);
    }
  }
}

/** Throws what is a bug. */
function reasonOf(error: unknown): string {
  if (error instanceof ProconsulError) return error.message;
  throw error;
}
