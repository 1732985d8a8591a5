/**
 * The event log's contract: the ordered entries that every server's state is a function of. Three
 * logs keep it (memory, file, Redis), and spec/contract/event-log.contract.ts runs over each.
 */
import type { LogAccount } from '../../lib/log-account.ts';
import type { Metric } from '../../lib/metrics/metric.ts';
import type { Command, Entry } from '../commands.ts';

/** Where an entry stands: two logs that agree on (index, hash) agree on everything before it. */
export interface Position {
  readonly index: number;
  readonly epoch: number;
  /** Chains the entry to all entries before it; '' before the first one. */
  readonly hash: string;
  /** The log's clock at that entry, milliseconds since 1970. */
  readonly t: number;
}

export const START: Position = { index: 0, epoch: 1, hash: '', t: 0 };

/**
 * A command on its way into the log, made by `encodeProposal` alone. The id makes a retry harmless:
 * it is written at most once.
 */
export interface Proposal {
  readonly id: string;
  /** The command as it will stand in the log, and how many bytes of UTF-8 that is. */
  readonly payload: string;
  readonly bytes: number;
  /** As it reads back from the payload: what every server, now and after a restart, will apply. */
  readonly command: Command;
}

/** The state as of one position, in lines of JSON. The lines are made while they are read. */
export interface Snapshot {
  readonly position: Position;
  readonly lines: AsyncIterable<string> | Iterable<string>;
}

/** Whom a log feeds. Both are called from `start` on, in order, and never at the same time. */
export interface LogSink {
  /**
   * Entries in order, each of them durable by the log's own promise. Indexes follow one another but
   * where an epoch begins, which may leave some out. A log never hands an entry over twice, nor one
   * whose hash does not follow from the one before. Must not throw: a sink that cannot go on ends
   * the process by itself.
   */
  apply(entries: readonly Entry[]): void;
  /**
   * Throw the state away and take this one: at start when there is a snapshot, later when the log
   * was trimmed past us or went on in another history. That one may be the shorter, and its snapshot
   * older than what was applied; entries after it then lead on, above every index seen before.
   * Without one it is the empty beginning: that history is told from its first entry on.
   * `entries` lead on from there as far as is known now: what is shown before they are applied would
   * say that things are gone. Whoever waits hears of nothing before.
   */
  restore(snapshot?: Snapshot, entries?: AsyncIterable<readonly Entry[]>): Promise<void>;
}

export interface LogStatus {
  /** Whether a proposal stands a chance now. */
  readonly writable: boolean;
  /** Milliseconds since the log was last known to be read to its end; 0 for a log of our own. */
  readonly lastContactMs: number;
  /**
   * The newest epoch that this server took part in, where a majority says which one counts (`commit: quorum`).
   * Undefined elsewhere: whatever this server has applied is there for good as far as anybody knows.
   */
  readonly epoch?: number | undefined;
}

/** A server that uses the log, as the others last heard of it there. */
export interface LogServer {
  readonly server: string;
  /** For how long it has said nothing where it should have; 0 for one that is in contact. */
  readonly silentMs: number;
  /** The position that it had applied. */
  readonly applied: number;
  /** How many entries it then lacked of those that it had had time to read. */
  readonly behind: number;
}

export interface LogServers {
  /** Of a log of our own: nobody. */
  readonly seen: readonly LogServer[];
  /** How many must live for a write to be acknowledged. */
  readonly needed: number;
}

/** Of a log that no other server uses. */
export const ALONE: LogServers = { seen: [], needed: 1 };

export interface EventLog {
  /**
   * Feeds the newest snapshot and all entries after it to the sink, resolves when it has caught up,
   * and goes on feeding. Rejects when the log is damaged; nothing is then fed any more.
   */
  start(sink: LogSink): Promise<void>;

  /**
   * Writes a batch, in order. Resolves when every proposal is in the log for good (again or for the
   * first time); they reach the sink by themselves, soon before or after, with each command as it
   * reads back from the log. An id is known again while its entry is among the newest (see
   * MIN_REMEMBERED_PROPOSALS) and, after a start, not yet trimmed. Rejects with a ProconsulError:
   * 'unavailable' when none was written, 'unknown' when some may have been; never for what one of
   * them holds, since no proposal may fail another's. Batches come into the log in the order of their calls,
   * and settle in it; no more calls are under way than `batchesAtOnce`.
   */
  append(batch: readonly Proposal[]): Promise<void>;

  /** How many calls of `append` may be under way; one, where nothing is said. */
  readonly batchesAtOnce?: number | undefined;

  /**
   * An index at or past every write acknowledged before the call: a read that waits until this much
   * is applied is linearizable. Rejects 'unavailable' where that cannot be known now. A log of our
   * own knows it at once. `by` a majority: also where Redis is in two, and under `commit: quorum`
   * only; it takes longer.
   */
  readIndex(by?: 'log' | 'majority'): number | Promise<number>;

  /**
   * Keeps the snapshot for good, has read it back, and trims what it makes unnecessary. Its position
   * is one that the sink was brought to; an older one than the log has is dropped. No line holds a
   * line feed. Writes go on meanwhile, but only one call is under way at a time. When it rejects, the
   * log is as it was, and may be given another snapshot later.
   */
  saveSnapshot(snapshot: Snapshot): Promise<void>;

  /** The index of the newest snapshot, as it was last seen in the log; 0 where none was. */
  newestSnapshot(): number;

  status(): LogStatus;

  /** Who uses this log, as far as is known without asking anybody. */
  servers(): LogServers;

  /** Of its own alone: nobody else is waited for but a Redis, and that not for long. */
  account(): Promise<LogAccount>;

  /** What it measures of itself, beside what everybody can see from outside. */
  metrics?(): readonly Metric[];

  /** Safe to call twice; leaves no timer, file or socket open. An append under way settles first. */
  stop(): Promise<void>;
}
