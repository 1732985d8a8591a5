/** What is remembered of instances and checks, as it is written down: in entries, snapshots and archives. */

/** What something may be. An instance is there or not; a check has a status, of which there are few. */
export const CONDITIONS = [
  'absent',
  'passing',
  'warning',
  'critical',
  'other',
  'registered',
  'unknown',
] as const;
export type Condition = (typeof CONDITIONS)[number];

/**
 * Where all is well the log is never still for as long, for its leader sees to that. So after a longer
 * pause between two entries nobody could write, and nobody knows what was.
 */
export const MAX_STILL_MS = 90_000;

/** A time of which nothing is known, in milliseconds since 1970. */
export type Gap = readonly [from: number, to: number];

/**
 * Changes by threes: milliseconds (of the first since 1970, of the others since the one before), what it
 * was and became, and which of the texts was said, counted from 1; 0 for none.
 */
export type PackedChanges = readonly number[];

/** Of an instance, or of a node, which has no id. */
export interface PastRow {
  readonly node: string;
  readonly id: string;
  readonly service: string;
  /** Not all is known of what was before. */
  readonly since?: number;
  /** It is not there, or its row has not come yet. */
  readonly gone?: true;
  readonly life: PackedChanges;
  readonly checks: readonly (readonly [id: string, changes: PackedChanges])[];
  readonly texts: readonly string[];
}

/** What is known of the whole. */
export interface HistoryRow {
  readonly since: number;
  readonly gaps: readonly Gap[];
  readonly forgotten: readonly (readonly [service: string, until: number])[];
  /** Of an archive: when it was made. */
  readonly until?: number;
}

export interface HistoryLimits {
  /** Of a check, and of an instance's coming and going. With 0 nothing is kept. */
  readonly perCheck: number;
  readonly inAll: number;
  readonly ageMs: number;
}

export const DEFAULT_HISTORY: HistoryLimits = {
  perCheck: 100,
  inAll: 2_000_000,
  ageMs: 30 * 24 * 3_600_000,
};
