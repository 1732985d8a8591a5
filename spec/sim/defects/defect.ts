/** What a defect is that the simulator has to find: edits of the sources, and the runs that are to find it. */
import type { Log } from '../cluster.ts';
import type { WorkloadName } from '../run.ts';

export interface Edit {
  readonly file: string;
  /** Stands there once. */
  readonly from: string;
  readonly to: string;
}

export interface Defect {
  readonly name: string;
  readonly log: Log;
  readonly workloads: readonly WorkloadName[];
  /** In place of a minute: what comes of time. */
  readonly seconds?: number;
  /** Tried before all others: it found the defect when it was last looked for, and saves the time of a search. */
  readonly seed?: number;
  readonly edits: readonly Edit[];
}
