/**
 * What this server has applied and promised: where it stands, the newest entries to repair Redis with,
 * and the only way on which entries and snapshots come to the sink.
 */
import { isDeepStrictEqual } from 'node:util';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Entry } from '../../../commands.ts';
import { type LogSink, type Position, type Snapshot, START } from '../../event-log.ts';
import type { PayloadReader } from '../../payload.ts';
import { RING_MAX_BYTES, RING_MIN_ENTRIES, RING_MIN_MS } from '../link/limits.ts';
import { follows, type RawEntry, toEntry } from '../records/stream.ts';
import type { Ballot, BallotStore } from './ballot-file.ts';
import type { EpochStart } from './epochs.ts';

export interface HistoryParts {
  readonly sink: LogSink;
  readonly ballots: BallotStore;
  readonly payloads: PayloadReader;
  /** Told once of an entry that follows, but does not hold what it should. */
  readonly onRefused: (error: ProconsulError) => void;
  readonly limits?: RingLimits | undefined;
}

/** Entries as far as they follow, as they stand there and as they are to be applied. */
interface Accepted {
  readonly raws: RawEntry[];
  readonly entries: Entry[];
}

export class History {
  readonly ring: RingBuffer;
  readonly payloads: PayloadReader;
  readonly #sink: LogSink;
  readonly #onRefused: (error: ProconsulError) => void;
  /** The hash of the entry that was refused last. */
  #refused = '';
  readonly #ballots: BallotStore;
  /** The newest epoch that this server took part in; 0 before the first. */
  epoch = 0;
  /** Those of this history, as the Redis says that it was last taken from; the oldest may be missing. */
  epochs: readonly EpochStart[] = [];
  /** How many bytes of commands were ever followed here. */
  followedBytes = 0;
  #ballot: Ballot;
  #torn = false;

  private constructor(parts: HistoryParts, ballot: Ballot) {
    this.#sink = parts.sink;
    this.ring = new RingBuffer(parts.limits);
    this.#ballots = parts.ballots;
    this.payloads = parts.payloads;
    this.#onRefused = parts.onRefused;
    this.#ballot = ballot;
  }

  /** Nothing is applied yet; what was promised before the process began still holds. */
  static async open(parts: HistoryParts): Promise<History> {
    return new History(parts, await parts.ballots.load());
  }

  /** Made for longer than any link, and kept as `ballots` keep it. */
  get ballot(): Ballot {
    return this.#ballot;
  }

  /** On disk first: others may act on it as soon as it is shown. */
  async promise(ballot: Ballot): Promise<void> {
    if (isDeepStrictEqual(ballot, this.#ballot)) return;
    await this.#ballots.save(ballot);
    this.#ballot = ballot;
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
    const { entries } = accepted;
    if (entries.length === 0) return 0;
    // The sink first: what it refuses to apply must not count as applied.
    this.#sink.apply(entries);
    this.#remember(accepted.raws);
    return entries.length;
  }

  /**
   * Throws away what was applied and takes the snapshot, or the empty beginning, and what `read` finds
   * after it up to the end of what was seen: until then whoever asks is shown what was before.
   */
  async restore(
    snapshot: Snapshot | undefined,
    { index, epochs }: { readonly index: number; readonly epochs: readonly EpochStart[] },
    read: ReadAfter,
  ): Promise<void> {
    this.#torn = true;
    this.epoch = 0;
    this.epochs = epochs;
    this.ring.reset(snapshot?.position ?? START);
    await this.#sink.restore(snapshot, this.#leadTo(index, read));
    this.#torn = false;
  }

  async *#leadTo(index: number, read: ReadAfter): AsyncGenerator<readonly Entry[]> {
    while (this.position.index < index) {
      const accepted = this.#following(await read(this.position.index));
      // A gap: the next look finds it too, and what leads over it.
      if (accepted.entries.length === 0) return;
      yield accepted.entries;
      this.#remember(accepted.raws);
    }
  }

  #following(raws: readonly (RawEntry | undefined)[]): Accepted {
    const accepted: Accepted = { raws: [], entries: [] };
    let previous = this.position;
    for (const raw of raws) {
      const entry = raw !== undefined && follows(previous, raw) ? this.#read(raw) : undefined;
      if (raw === undefined || entry === undefined) break;
      accepted.raws.push(raw);
      accepted.entries.push(entry);
      previous = raw;
    }
    return accepted;
  }

  /** Undefined where somebody else has written it, or has changed what stands there. */
  #read(raw: RawEntry): Entry | undefined {
    try {
      return toEntry(raw, this.payloads);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      // Its key is missing, and nothing was read yet: somebody has to configure it.
      if (error.code === 'invalid' && !this.warm) throw error;
      if (this.#refused !== raw.hash) this.#onRefused(error);
      this.#refused = raw.hash;
      return undefined;
    }
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

export interface RingLimits {
  readonly minMs: number;
  readonly minEntries: number;
  readonly maxBytes: number;
}

const DEFAULT_LIMITS: RingLimits = {
  minMs: RING_MIN_MS,
  minEntries: RING_MIN_ENTRIES,
  maxBytes: RING_MAX_BYTES,
};
/** What an entry takes beside its payload: the object, its hash and its id. */
const ENTRY_OVERHEAD_BYTES = 300;
/** The array's dead head is cut off when it is this long, and no shorter than the living rest. */
const MIN_COMPACTION = 1024;

/** The newest entries of this server's own history, to put back into a Redis that lost them. */
export class RingBuffer {
  readonly #limits: RingLimits;
  #entries: RawEntry[] = [];
  #head = 0;
  #bytes = 0;
  #base: Position = START;

  constructor(limits: RingLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** The position right before the first entry that is kept. */
  get base(): Position {
    return this.#base;
  }

  get tip(): Position {
    return this.#entries.at(-1) ?? this.#base;
  }

  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** Forgets everything: the history goes on from `base`. */
  reset(base: Position): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#base = base;
  }

  /** The entry must be the one after the tip. */
  push(entry: RawEntry): void {
    this.#entries.push(entry);
    this.#bytes += sizeOf(entry);
    this.#shrink(entry.t);
  }

  /** The position of an index in this history; undefined when it is not (or no longer) known. */
  at(index: number): Position | undefined {
    if (index === this.#base.index) return this.#base;
    const entry = this.#entries[this.#lowerBound(index)];
    return entry?.index === index ? entry : undefined;
  }

  /** Entries after an index, oldest first, no more than `limit` and `maxBytes`, but at least one. */
  after(index: number, limit: number, maxBytes: number): RawEntry[] {
    const found: RawEntry[] = [];
    let bytes = 0;
    for (let i = this.#lowerBound(index + 1); i < this.#entries.length; i++) {
      const entry = this.#entries[i];
      if (entry === undefined || found.length >= limit) break;
      bytes += sizeOf(entry);
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(entry);
    }
    return found;
  }

  /** The newest position for which `known` holds, when it holds for all that are older. */
  async newestKnown(known: (at: Position) => Promise<boolean>): Promise<Position | undefined> {
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry !== undefined && (await known(entry))) low = middle + 1;
      else high = middle;
    }
    return low === this.#head ? undefined : this.#entries[low - 1];
  }

  #lowerBound(index: number): number {
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.index ?? 0) < index) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #shrink(now: number): void {
    const { minMs, minEntries, maxBytes } = this.#limits;
    for (;;) {
      const first = this.#entries[this.#head];
      if (first === undefined || this.length <= 1) break;
      const needed = this.length <= minEntries || now - first.t <= minMs;
      if (needed && this.#bytes <= maxBytes) break;
      this.#base = { index: first.index, epoch: first.epoch, hash: first.hash, t: first.t };
      this.#bytes -= sizeOf(first);
      this.#head++;
    }
    if (this.#head >= MIN_COMPACTION && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}

function sizeOf({ payload, id }: RawEntry): number {
  return payload.length + id.length + ENTRY_OVERHEAD_BYTES;
}
