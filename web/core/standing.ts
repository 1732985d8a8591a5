/** What checks come to for an instance: as Consul reckons it. */
import { type Check, NODE_MAINTENANCE, SERVICE_MAINTENANCE_PREFIX } from '../../lib/model.ts';

export type Standing = 'passing' | 'warning' | 'critical' | 'maintenance';

/** By the lists themselves: what is shown is reckoned, sorted and counted again and again. */
const known = new WeakMap<readonly Check[], Standing>();

export function standingOf(checks: readonly Check[]): Standing {
  const there = known.get(checks) ?? reckoned(checks);
  known.set(checks, there);
  return there;
}

function reckoned(checks: readonly Check[]): Standing {
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

/** What several come to for one instance. */
const PRECEDENCE = ['passing', 'warning', 'critical', 'maintenance'] as const;

export function bothOf(a: Standing, b: Standing): Standing {
  return PRECEDENCE.indexOf(a) > PRECEDENCE.indexOf(b) ? a : b;
}

/** A node's own are under ''. */
export function byInstance(checks: readonly Check[]): ReadonlyMap<string, readonly Check[]> {
  const found = new Map<string, Check[]>();
  for (const check of checks) {
    const list = found.get(check.ServiceID);
    if (list === undefined) found.set(check.ServiceID, [check]);
    else list.push(check);
  }
  return found;
}
