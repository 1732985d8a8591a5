/** What became of instances, nodes and checks, and how available a service was. */
import type * as answers from '../../lib/answers.ts';
import type { HistoryChange } from '../../lib/model.ts';

export type Change = HistoryChange;
export type Condition = Change['From'];

/** Its steps are asked for. */
export type Window = Required<answers.AvailabilityWindow>;

export interface Availability extends answers.Availability {
  readonly Windows: readonly Window[];
}

/** Of the newest of the changes: since when checks are as they are, by what names them. */
export function sinceOf(
  changes: readonly Change[],
  keyOf: (change: Change) => string,
): ReadonlyMap<string, number> {
  return new Map(changes.map((change) => [keyOf(change), Date.parse(change.Time)]));
}
