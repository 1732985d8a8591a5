/**
 * A server's copy of the state: the log's entries in, outcomes to whoever proposed them, touched
 * topics to whoever watches.
 */
import { systemClock } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import { Sample } from '../lib/metrics/sample.ts';
import { isSealed } from '../lib/seal/box.ts';
import { CommandTimes } from './command-times.ts';
import type { Entry } from './commands.ts';
import type { LogSink, Snapshot } from './log/event-log.ts';
import type { IndexGate } from './log/index-gate.ts';
import type { Watcher } from './query/watcher.ts';
import { apply } from './state/apply.ts';
import type { Outcome } from './state/outcome.ts';
import { dump, Restoring } from './state/snapshot.ts';
import { State } from './state/state.ts';

/** A snapshot that is restored gives way to other work this often: some milliseconds of work. */
const LINES_PER_SLICE = 250;

export interface ReplicaOptions {
  readonly watcher: Watcher;
  /** Told how far the state is. */
  readonly applied: IndexGate;
  /** An entry that cannot be applied, or a broken invariant: the process must end at once. */
  readonly onFatal: (error: unknown) => void;
}

export type OnApplied = (entry: Entry, outcome: Outcome) => void;

export class Replica implements LogSink {
  readonly #options: ReplicaOptions;
  #state = new State();
  /** How long each entry took, and whoever was woken by a batch of them. */
  readonly took = new CommandTimes();
  readonly waking = new Sample();
  #onApplied: OnApplied = () => undefined;
  #onRestored: () => void = () => undefined;

  constructor(options: ReplicaOptions) {
    this.#options = options;
  }

  /** The state as of the last entry that was applied. It is replaced by a restore: don't keep it. */
  get state(): State {
    return this.#state;
  }

  /** Who hears of each outcome, in order, before anyone is woken. */
  onApplied(listener: OnApplied): void {
    this.#onApplied = listener;
  }

  /** Who hears that the state was replaced. */
  onRestored(listener: () => void): void {
    this.#onRestored = listener;
  }

  apply(entries: readonly Entry[]): void {
    try {
      const touched = new Set<string>();
      let isRestored = false;
      let at = systemClock.monotonic();
      for (const entry of entries) {
        const applied = apply(this.#state, entry);
        this.#state = applied.state;
        isRestored ||= applied.isRestored;
        for (const topic of applied.touched) touched.add(topic);
        this.#onApplied(entry, applied.outcome);
        const then = systemClock.monotonic();
        this.took.observe(entry.command.type, then - at);
        at = then;
      }
      if (isRestored) this.#options.watcher.notifyAll();
      else this.#options.watcher.notify(touched);
      this.#options.applied.moved(this.#state.position);
      this.waking.observe(systemClock.monotonic() - at);
    } catch (error) {
      // Going on would leave this server different from the others.
      this.#options.onFatal(error);
      throw error;
    }
  }

  async restore(snapshot?: Snapshot, entries?: AsyncIterable<readonly Entry[]>): Promise<void> {
    let state = snapshot === undefined ? new State() : await readState(snapshot);
    for await (const batch of entries ?? []) state = this.#lead(state, batch);
    this.#state = state;
    // First nothing that was answered stands any more; who is told then is told of the new state.
    this.#options.watcher.notifyAll();
    this.#onRestored();
    this.#options.applied.moved(this.#state.position);
  }

  /** What nobody waits for, and nobody has seen yet. */
  #lead(from: State, entries: readonly Entry[]): State {
    try {
      return entries.reduce((state, entry) => apply(state, entry).state, from);
    } catch (error) {
      this.#options.onFatal(error);
      throw error;
    }
  }

  snapshot(): Snapshot {
    const { position: index, epoch, hash, t } = this.#state;
    return { position: { index, epoch, hash, t }, lines: dump(this.#state) };
  }
}

const SEALED = 'the snapshot is sealed, and this server has no key (encrypt)';

async function readState(snapshot: Snapshot): Promise<State> {
  const restoring = new Restoring();
  let lines = 0;
  for await (const line of snapshot.lines) {
    // Whoever has a key has opened it before it comes here.
    if (isSealed(line)) throw new ProconsulError('invalid', SEALED);
    restoring.add(line);
    if (++lines % LINES_PER_SLICE === 0) await new Promise((done) => setImmediate(done));
  }
  return restoring.finish();
}
