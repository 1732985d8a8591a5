/** What /v1/internal/overview answers: how instances stand, service by service and node by node. */
import type { StringMap } from '../../lib/model.ts';

/** How many instances stand how. */
export interface Instances {
  readonly Passing: number;
  readonly Warning: number;
  readonly Critical: number;
  readonly Maintenance: number;
  /** Since when not all of them pass. */
  readonly Since: string | null;
}

export interface ServiceRow extends Instances {
  readonly Name: string;
  readonly Kind: string;
  readonly Tags: readonly string[];
  readonly Sources: readonly string[];
  readonly HasProxy: boolean;
}

export interface NodeRow extends Instances {
  readonly Node: string;
  readonly ID: string;
  readonly Address: string;
  readonly Meta: StringMap;
  /** Of the node's own checks. */
  readonly Status: 'passing' | 'warning' | 'critical' | 'maintenance' | 'none';
}

export function countsOf({ Passing, Warning, Critical, Maintenance }: Instances) {
  return { passing: Passing, warning: Warning, critical: Critical, maintenance: Maintenance };
}

/** What is looked for first: what fails, then what is not as it should be, then the rest. */
export function badness({ Critical, Warning, Maintenance, Passing }: Instances): number {
  if (Critical > 0) return Passing + Warning === 0 ? 4 : 3;
  if (Warning > 0) return 2;
  return Maintenance > 0 ? 1 : 0;
}
