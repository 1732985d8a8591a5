/** How a service is called where nobody says more of it. */
import { NO_OUTLIERS } from '../lib/balance/outliers.ts';
import type { PolicyName } from '../lib/balance/policies.ts';
import type { UpstreamRules } from './upstream.ts';

export interface Wanted {
  readonly service: string;
  readonly policy: PolicyName;
  /** '' where it is not known. */
  readonly zone: string;
  readonly maxConnections: number;
}

/** An instance of the catalog that fails five times in a row is set aside, as long as half of them stay. */
const OUTLIERS = { ...NO_OUTLIERS, inARow: 5, ejectMs: 10_000, maxShare: 0.5 };

/** Its instances as they are registered, without the mesh. */
export function plainUpstream(wanted: Wanted): UpstreamRules {
  return upstream(wanted, `/v1/health/service/${encodeURIComponent(wanted.service)}`, '');
}

/** Those that speak for it in the mesh; '' for the agent's own data centre. */
export function meshUpstream(wanted: Wanted, datacenter: string): UpstreamRules {
  return upstream(wanted, `/v1/health/connect/${encodeURIComponent(wanted.service)}`, datacenter);
}

function upstream(wanted: Wanted, path: string, datacenter: string): UpstreamRules {
  const { service, policy, zone, maxConnections } = wanted;
  return {
    name: service,
    question: { path, query: datacenter === '' ? [] : [['dc', datacenter]] },
    balancer: {
      policy,
      // What is critical gets nothing, whatever else is there: its checks say so to everybody.
      preferences: { zone, minZoneHosts: 1, headroom: 1.4, panicBelow: 0 },
      slowStart: { windowMs: 0, least: 0.1 },
      outliers: OUTLIERS,
    },
    circuit: {
      connections: maxConnections,
      pending: maxConnections,
      requests: maxConnections,
      retries: maxConnections,
    },
  };
}
