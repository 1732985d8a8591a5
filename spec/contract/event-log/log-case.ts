import type { Clock } from '../../../lib/clock.ts';
import type { EventLog } from '../../../server/log/event-log.ts';
import type { RecordingSink } from '../../support/fakes/recording-sink.ts';
import { until } from '../../support/until.ts';

/** One log's storage, that outlives the logs which are opened over it one after the other. */
export interface LogRig {
  /** A log that is not started yet. A log with a clock of its own need not listen to this one. */
  open(clock: Clock): EventLog;
  /** Whether its payloads are sealed. */
  readonly sealed?: boolean;
  /** Removes the storage. */
  dispose(): Promise<void>;
}

export interface Opened {
  readonly log: EventLog;
  readonly sink: RecordingSink;
}

/** What a case works with. */
export interface LogCase {
  /** Starts a log over the storage; one that ran before is stopped first. */
  restart(clock?: Clock): Promise<Opened>;
  /** A log over the storage that is not started. */
  open(): EventLog;
}

/** Gives the case of the spec that runs now. */
export type CaseOf = () => LogCase;

/** Waits until what was appended has come to the sink. */
export async function untilFed({ sink }: Opened, count: number): Promise<void> {
  await until(
    () => sink.entries.length >= count,
    () => `${sink.entries.length} of ${count} entries`,
  );
}
