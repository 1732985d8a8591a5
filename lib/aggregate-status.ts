/** What several checks come to, as Consul reckons it. */
import { NODE_MAINTENANCE, SERVICE_MAINTENANCE_PREFIX } from './model.ts';

export type Aggregate = 'passing' | 'warning' | 'critical' | 'maintenance';

export interface Counted {
  readonly CheckID: string;
  readonly Status: string;
}

/** Maintenance before all, then the worst; passing where there is no check. */
export function aggregateStatus(checks: Iterable<Counted>): Aggregate {
  let found: Aggregate = 'passing';
  for (const { CheckID, Status } of checks) {
    if (CheckID === NODE_MAINTENANCE || CheckID.startsWith(SERVICE_MAINTENANCE_PREFIX)) {
      return 'maintenance';
    }
    if (Status === 'critical' || (Status === 'warning' && found === 'passing')) found = Status;
  }
  return found;
}
