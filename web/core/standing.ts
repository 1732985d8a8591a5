/** What checks come to for an instance: as Consul reckons it. */
import { type Check, NODE_MAINTENANCE, SERVICE_MAINTENANCE_PREFIX } from '../../lib/model.ts';

export type Standing = 'passing' | 'warning' | 'critical' | 'maintenance';

export function standingOf(checks: readonly Check[]): Standing {
  if (checks.some(isMaintenance)) return 'maintenance';
  if (checks.some(({ Status }) => Status !== 'passing' && Status !== 'warning')) return 'critical';
  return checks.some(({ Status }) => Status === 'warning') ? 'warning' : 'passing';
}

export function isMaintenance({ CheckID }: Check): boolean {
  return CheckID === NODE_MAINTENANCE || CheckID.startsWith(SERVICE_MAINTENANCE_PREFIX);
}

/** The worst is the largest. */
export const RANK: Readonly<Record<Standing, number>> = {
  passing: 0,
  maintenance: 1,
  warning: 2,
  critical: 3,
};
