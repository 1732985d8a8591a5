/**
 * What this server has applied: where it stands, the newest entries to repair Redis with, and the
 * only way on which entries and snapshots come to the sink.
 */
import type { Entry } from '../../../commands.ts';
import { type LogSink, type Position, type Snapshot, START } from '../../event-log.ts';
import { follows, type RawEntry, toEntry } from '../records/stream-entry.ts';
import { type Ballot, NO_BALLOT } from './ballot-file.ts';
import { RingBuffer, type RingLimits } from './ring-buffer.ts';

export class History {
  readonly ring: RingBuffer;
  readonly #sink: LogSink;
  /** The newest epoch that this server took part in; 0 before the first. */
  epoch = 0;
  /** Made for as long as this process lives, and longer than any session. */
  ballot: Ballot = NO_BALLOT;
  /** How many bytes of commands were ever followed here. */
  followedBytes = 0;
  #torn = false;

  constructor(sink: LogSink, limits?: RingLimits) {
    this.#sink = sink;
    this.ring = new RingBuffer(limits);
  }

  get position(): Position {
    return this.ring.tip;
  }

  /** Whether a restore failed midway: nothing may be applied before one succeeds. */
  get torn(): boolean {
    return this.#torn;
  }

  /** Whether there is anything that a Redis could be repaired with, or measured against. */
  get warm(): boolean {
    return this.epoch > 0;
  }

  /**
   * Applies entries as far as each follows from the one before, and says how many those were. What
   * comes after the first that does not is of another history, or nobody's.
   */
  follow(raws: readonly (RawEntry | undefined)[]): number {
    const accepted = this.#following(raws);
    if (accepted.length === 0) return 0;
    // The sink first: what it refuses to apply must not count as applied.
    this.#sink.apply(accepted.map(toEntry));
    this.#remember(accepted);
    return accepted.length;
  }

  /**
   * Throws away what was applied and takes the snapshot, or the empty beginning, and what `read` finds
   * after it up to an index: until then whoever asks is shown what was before.
   */
  async restore(snapshot: Snapshot | undefined, index: number, read: ReadAfter): Promise<void> {
    this.#torn = true;
    this.epoch = 0;
    this.ring.reset(snapshot?.position ?? START);
    await this.#sink.restore(snapshot, this.#leadTo(index, read));
    this.#torn = false;
  }

  async *#leadTo(index: number, read: ReadAfter): AsyncGenerator<readonly Entry[]> {
    while (this.position.index < index) {
      const accepted = this.#following(await read(this.position.index));
      // A gap: the next look finds it too, and what leads over it.
      if (accepted.length === 0) return;
      yield accepted.map(toEntry);
      this.#remember(accepted);
    }
  }

  #following(raws: readonly (RawEntry | undefined)[]): RawEntry[] {
    const accepted: RawEntry[] = [];
    let previous = this.position;
    for (const raw of raws) {
      if (raw === undefined || !follows(previous, raw)) break;
      accepted.push(raw);
      previous = raw;
    }
    return accepted;
  }

  #remember(entries: readonly RawEntry[]): void {
    for (const entry of entries) {
      this.ring.push(entry);
      this.followedBytes += entry.payload.length;
    }
  }
}

/** The entries after an index; none at the end. */
export type ReadAfter = (index: number) => Promise<readonly (RawEntry | undefined)[]>;
