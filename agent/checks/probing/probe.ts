/** What one look at something shows, and the port that every kind of check implements. */
import type { CheckStatus } from '../../../lib/model.ts';

export interface Look {
  readonly status: CheckStatus;
  readonly output: string;
}

/** Looks once. It must settle soon after the signal is aborted; to reject is critical. */
export type Probe = (signal: AbortSignal) => Promise<Look>;

export function passing(output: string): Look {
  return { status: 'passing', output };
}

export function warning(output: string): Look {
  return { status: 'warning', output };
}

export function critical(output: string): Look {
  return { status: 'critical', output };
}
