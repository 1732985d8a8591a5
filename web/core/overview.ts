/** How instances stand, service by service and node by node. */
import type { InstanceCounts } from '../../lib/answers.ts';

export function countsOf({ Passing, Warning, Critical, Maintenance }: InstanceCounts) {
  return { passing: Passing, warning: Warning, critical: Critical, maintenance: Maintenance };
}

/** What is looked for first: what fails, then what is not as it should be, then the rest. */
export function badness({ Critical, Warning, Maintenance, Passing }: InstanceCounts): number {
  if (Critical > 0) return Passing + Warning === 0 ? 4 : 3;
  if (Warning > 0) return 2;
  return Maintenance > 0 ? 1 : 0;
}
