/** What /v1/internal/history and /v1/internal/availability answer. */
import type { HistoryChange } from '../../lib/model.ts';

export type Change = HistoryChange;
export type Condition = Change['From'];

export interface Step {
  readonly Available: number | null;
  readonly InstancesAvailable: number | null;
}

export interface Window {
  readonly Window: '1h' | '24h' | '720h';
  readonly Available: number | null;
  readonly KnownSeconds: number;
  readonly Outages: number;
  readonly MeanRecoverySeconds: number | null;
  readonly LongestRecoverySeconds: number | null;
  readonly Steps: readonly Step[];
}

export interface Availability {
  readonly Time: string;
  readonly Windows: readonly Window[];
}

/** Of the newest of the changes: since when checks are as they are, by what names them. */
export function sinceOf(
  changes: readonly Change[],
  keyOf: (change: Change) => string,
): ReadonlyMap<string, number> {
  return new Map(changes.map((change) => [keyOf(change), Date.parse(change.Time)]));
}
