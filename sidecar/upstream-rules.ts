/** How a service is called where nobody says more of it. */
import { NO_OUTLIERS } from '../lib/balance/outliers.ts';
import type { PolicyName } from '../lib/balance/policies.ts';
import type { Dial } from './dial.ts';
import type { TargetSaid } from './http/routes.ts';
import type { TargetRules } from './target.ts';
import type { TargetWanted, UpstreamRules } from './upstream.ts';

export interface Wanted {
  readonly service: string;
  /** Where its chain says none. */
  readonly policy: PolicyName;
  /** '' for what its chain says. */
  readonly protocol: string;
  /** '' where it is not known. */
  readonly zone: string;
  readonly maxConnections: number;
}

/** How instances of a target are reached; `connectMs`: undefined where the chain says nothing. */
export type DialTo = (
  target: Pick<TargetSaid, 'service'> & { readonly datacenter: string },
  connectMs: number | undefined,
) => Dial;

/** An instance of the catalog that fails five times in a row is set aside, as long as half of them stay. */
const OUTLIERS = { ...NO_OUTLIERS, inARow: 5, ejectMs: 10_000, maxShare: 0.5 };

/** Its instances as they are registered, without the mesh. */
export function plainUpstream(wanted: Wanted, dialTo: DialTo): UpstreamRules {
  return upstream(wanted, { kind: 'service', datacenter: '', dialTo });
}

/** Those that speak for it in the mesh; '' for the agent's own data centre. */
export function meshUpstream(wanted: Wanted, datacenter: string, dialTo: DialTo): UpstreamRules {
  return upstream(wanted, { kind: 'connect', datacenter, dialTo });
}

interface How {
  readonly kind: 'service' | 'connect';
  readonly datacenter: string;
  readonly dialTo: DialTo;
}

function upstream(wanted: Wanted, { kind, datacenter, dialTo }: How): UpstreamRules {
  const { service, protocol, maxConnections } = wanted;
  return {
    key: JSON.stringify([kind, datacenter, wanted]),
    ...{ name: service, protocol, datacenter },
    circuit: {
      connections: maxConnections,
      pending: maxConnections,
      requests: maxConnections,
      retries: maxConnections,
    },
    targetRules: (target) => targetRules(wanted, { kind, dialTo }, target),
  };
}

function targetRules(
  wanted: Wanted,
  { kind, dialTo }: Omit<How, 'datacenter'>,
  { said, datacenter, policy, connectMs, isH2 }: TargetWanted,
): TargetRules {
  const { service, subset, filter, onlyPassing } = said;
  const query: (readonly [string, string])[] = [];
  if (datacenter !== '') query.push(['dc', datacenter]);
  if (filter !== '') query.push(['filter', filter]);
  if (onlyPassing) query.push(['passing', '1']);
  return {
    name: [subset, service, datacenter].filter((each) => each !== '').join('.'),
    question: { path: `/v1/health/${kind}/${encodeURIComponent(service)}`, query },
    balancer: {
      policy: policy ?? wanted.policy,
      // What is critical gets nothing, whatever else is there: its checks say so to everybody.
      preferences: { zone: wanted.zone, minZoneHosts: 1, headroom: 1.4, panicBelow: 0 },
      slowStart: { windowMs: 0, least: 0.1 },
      outliers: OUTLIERS,
    },
    isH2,
    dial: dialTo({ service, datacenter }, connectMs),
  };
}
