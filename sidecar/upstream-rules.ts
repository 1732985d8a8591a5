/** How a service is called where nobody says more of it. */
import type { CircuitLimits } from '../lib/balance/circuit.ts';
import type { HedgeRules } from '../lib/balance/hedging.ts';
import { NO_OUTLIERS, type OutlierRules } from '../lib/balance/outliers.ts';
import type { PolicyName } from '../lib/balance/policies.ts';
import type { HashBy, Tuning } from '../lib/balance/tunings.ts';
import { inPath } from '../lib/well-formed.ts';
import type { Dial } from './dial.ts';
import { instancesIn } from './endpoints.ts';
import { follow } from './follow.ts';
import { followQuery } from './follow-query.ts';
import { BY_SOURCE, type HashRule, hashRuleOf } from './http/hash-key.ts';
import { isHttpLike, type Routing, type TargetSaid } from './http/routes.ts';
import type { Nearness } from './nearness.ts';
import { objectIn, textIn } from './said.ts';
import type { Found, TargetRules } from './target.ts';
import type { TargetWanted, UpstreamRules } from './upstream.ts';

export interface Wanted {
  readonly service: string;
  /** Where its chain says none. */
  readonly policy: PolicyName;
  /** '' for what its chain says. */
  readonly protocol: string;
  /** '' where it is not known. */
  readonly zone: string;
  /** Of callers, and of whatever else `limits` says nothing of. */
  readonly maxConnections: number;
  readonly limits?: Partial<CircuitLimits>;
  /** In place of what its chain says. */
  readonly connectMs?: number | undefined;
  /** Where they are said, an answer of 500 or more counts against a host, whichever it is. */
  readonly outliers?: Partial<OutlierRules> | undefined;
  /** Before all of these. */
  readonly tuning?: Tuning;
}

/** How instances of a target are reached; `connectMs`: undefined where the chain says nothing. */
export type DialTo = (
  target: Pick<TargetSaid, 'service'> & { readonly datacenter: string },
  connectMs: number | undefined,
) => Dial;

/** An instance of the catalog that fails five times in a row is set aside, as long as half of them stay. */
const OUTLIERS = { ...NO_OUTLIERS, inARow: 5, ejectMs: 10_000, maxShare: 0.5 };
/** A fifth of the requests, and three a second: who is down for everybody is not asked three times as often. */
const RETRIES = { ratio: 0.2, minPerSecond: 3 };
/** One more request of twenty at most. */
const HEDGES = { leastMs: 5, ratio: 0.05 };
/** What is critical gets nothing, whatever else is there, unless somebody says so: its checks say it to everybody. */
const PREFERENCES = { minZoneHosts: 1, headroom: 1.4, panicBelow: 0 };
const SLOW_START = { windowMs: 0, least: 0.1 };

/** Its instances as they are registered, without the mesh. */
export function plainUpstream(wanted: Wanted, dialTo: DialTo, nearness?: Nearness): UpstreamRules {
  return upstream(wanted, { kind: 'service', datacenter: '', dialTo, nearness });
}

/** Those that speak for it in the mesh. */
export function meshUpstream(wanted: Wanted, how: Omit<How, 'kind'>): UpstreamRules {
  return upstream(wanted, { ...how, kind: 'connect' });
}

/** Those of the mesh that a prepared query finds: `wanted.service` is its name. */
export function queryUpstream(wanted: Wanted, how: Omit<How, 'kind'>): UpstreamRules {
  return upstream(wanted, { ...how, kind: 'query' });
}

interface How {
  readonly kind: 'service' | 'connect' | 'query';
  /** '' for the agent's own. */
  readonly datacenter: string;
  readonly dialTo: DialTo;
  /** Without it nobody knows who is near. */
  readonly nearness?: Nearness | undefined;
}

function upstream(wanted: Wanted, how: How): UpstreamRules {
  const { service, protocol, maxConnections: all, limits, tuning = {} } = wanted;
  const { kind, datacenter } = how;
  const isQuery = kind === 'query';
  return {
    key: JSON.stringify([kind, datacenter, wanted]),
    name: isQuery ? `prepared_query:${service}` : service,
    hasChain: !isQuery,
    ...{ protocol, datacenter },
    circuit: {
      callers: all,
      connections: all,
      pending: all,
      requests: all,
      retries: all,
      ...limits,
      ...tuning.limits,
    },
    retries: { ...RETRIES, ...tuning.retries },
    hedging: hedgingBy(tuning.hedging),
    subset: tuning.subset,
    hashing: hashingBy(tuning.hashBy),
    unheededBy: (routing) => [
      ...(isHashedIn(routing, wanted) ? [] : ['hash-by']),
      ...(isHedgedIn(routing, tuning) ? [] : ['hedge-quantile']),
    ],
    targetRules: (target) => targetRules(wanted, how, target),
  };
}

/** Undefined where nobody says what is slow. */
function hedgingBy(said: Tuning['hedging'] = {}): HedgeRules | undefined {
  const { quantile = 0 } = said;
  return quantile === 0 ? undefined : { ...HEDGES, ...said, quantile };
}

/** Of connections nobody knows what may be said twice. */
function isHedgedIn({ protocol }: Routing, { hedging }: Tuning): boolean {
  return hedgingBy(hedging) === undefined || isHttpLike(protocol);
}

function hashingBy(said: readonly HashBy[] = []): readonly HashRule[] {
  return said.length === 0 ? [BY_SOURCE] : said.map(hashRuleOf);
}

const HASHING: ReadonlySet<PolicyName> = new Set(['ring-hash', 'maglev']);

/** Whether any call goes by what is said of hashing; by TCP only where a caller is, is known. */
function isHashedIn({ ends, protocol }: Routing, { policy, tuning = {} }: Wanted): boolean {
  const { hashBy = [] } = tuning;
  if (hashBy.length === 0) return true;
  const isSeen = isHttpLike(protocol) || hashBy.some(({ field }) => field === 'source');
  const isByPolicy = ends.some((end) => end.policy === undefined && end.hashing.length === 0);
  return isSeen && isByPolicy && HASHING.has(policy);
}

function targetRules(wanted: Wanted, how: How, target: TargetWanted): TargetRules {
  const { said, datacenter, policy, isH2 } = target;
  const { tuning = {} } = wanted;
  const connectMs = wanted.connectMs ?? target.connectMs;
  const { found, dial } =
    how.kind === 'query'
      ? byQuery(wanted.service, how, connectMs)
      : { found: byHealth(how.kind, target), dial: how.dialTo({ ...said, datacenter }, connectMs) };
  return {
    name: [said.subset, said.service, datacenter].filter((each) => each !== '').join('.'),
    found,
    balancer: {
      policy: policy ?? wanted.policy,
      preferences: { ...PREFERENCES, ...tuning.preferences, zone: wanted.zone },
      slowStart: { ...SLOW_START, ...tuning.slowStart },
      outliers: {
        ...{ ...OUTLIERS, ...wanted.outliers, ...tuning.outliers },
        successRate: {
          ...OUTLIERS.successRate,
          ...wanted.outliers?.successRate,
          ...tuning.successRate,
        },
      },
    },
    near: nearOf(wanted, how, target),
    blamesEvery5xx: wanted.outliers !== undefined,
    isH2,
    dial,
  };
}

/** Coordinates are of one data centre. */
function nearOf({ tuning = {} }: Wanted, { nearness }: How, { datacenter }: TargetWanted) {
  const { near, preferences = {} } = tuning;
  if (near === undefined || datacenter !== '') return undefined;
  const { minZoneHosts: minHosts = PREFERENCES.minZoneHosts } = preferences;
  return nearness?.of({ ...near, minHosts });
}

function byHealth(
  kind: 'service' | 'connect',
  { said: { service, filter, onlyPassing }, datacenter }: TargetWanted,
): Found {
  const query: (readonly [string, string])[] = [];
  if (datacenter !== '') query.push(['dc', datacenter]);
  if (filter !== '') query.push(['filter', filter]);
  if (onlyPassing) query.push(['passing', '1']);
  const path = `/v1/health/${kind}/${inPath(service)}`;
  return {
    follow: (agent, on, signal) => follow(agent, { path, query, ...on }, signal),
    instancesIn,
  };
}

/** Whose instances they are is known with the answer, and so is which certificate theirs have to be. */
function byQuery(query: string, { datacenter, dialTo }: How, connectMs: number | undefined) {
  let [service, where] = ['', ''];
  const found: Found = {
    follow: (agent, on, signal) => followQuery(agent, { query, datacenter, ...on }, signal),
    instancesIn: (json) => {
      const { Service, Datacenter, Nodes } = objectIn(json);
      const instances = instancesIn(Nodes ?? []);
      [service, where] = [textIn(Service), textIn(Datacenter)];
      return instances;
    },
  };
  const dial: Dial = (host) => dialTo({ service, datacenter: where }, connectMs)(host);
  return { found, dial };
}
