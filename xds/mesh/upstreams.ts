/** Whom a proxy calls in the mesh, by mutual TLS: clusters, their endpoints, and routes to them. */
import { serviceUri } from '../../lib/connect/identity.ts';
import { inPath } from '../../lib/well-formed.ts';
import type { Said } from '../../sidecar/said.ts';
import { type CallRules, callRulesIn } from '../../sidecar/upstream-config.ts';
import type { Message, Resource } from '../resource.ts';
import { balancingOf } from '../resources/balancing.ts';
import {
  type Chain,
  chainOf,
  durationOf,
  durationOfMs,
  isHttp2,
  type ResolverNode,
  resolversOf,
  type Target,
  targetLevels,
  targetsOf,
} from '../resources/chain.ts';
import { cluster, RETRIES } from '../resources/clusters.ts';
import { asked, assignment, executed } from '../resources/endpoints.ts';
import { routesOf } from '../resources/routes.ts';
import type { Know } from '../worked.ts';
import { clientTls } from './identity.ts';
import { nearestFirst } from './nearness.ts';
import type { Registered, Seen } from './proxy.ts';
import { MOST, registrationOf, type Upstream } from './registration.ts';
import { meshTlsParams } from './tls-params.ts';

/** An upstream, and where calls to it end. */
export interface Called {
  readonly upstream: Pick<Upstream, 'name' | 'isQuery' | 'datacenter' | 'config'>;
  readonly id: string;
  /** Undefined for a prepared query, and for what may not be seen. */
  readonly chain: Chain | undefined;
}

/** Its routes are told by this name. */
export function idOf({ name, isQuery, datacenter }: Called['upstream']): string {
  const elsewhere = datacenter === '' ? '' : `?dc=${datacenter}`;
  return `${isQuery ? 'prepared_query:' : ''}${name}${elsewhere}`;
}

export function called<U extends Called['upstream']>(know: Know, upstream: U) {
  const { name, isQuery, datacenter } = upstream;
  const chain = isQuery ? undefined : chainOf(know, name, datacenter);
  return { upstream, id: idOf(upstream), chain };
}

/** Of a chain without routes there is one end. */
export function endOf({ id, chain }: Called): string {
  const start = chain?.Nodes[chain.StartNode];
  const target = start?.Type === 'resolver' ? chain?.Targets[start.Resolver.Target] : undefined;
  return target?.Name ?? id;
}

export function routesIn(know: Know, chain: Chain): readonly Message[] {
  const clusterOf = (node: ResolverNode) => {
    const target = chain.Targets[node.Resolver.Target];
    const hashPolicy = target === undefined ? [] : balancingOf(know, target.Service).hashPolicy;
    return { cluster: target?.Name ?? '', hashPolicy };
  };
  return routesOf(chain, clusterOf, know.omit);
}

export function clustersOf(seen: Seen, { upstream, id, chain }: Called): Resource[] {
  if (upstream.isQuery) {
    const { service } = queried(seen.know, upstream);
    const to = service === '' ? [] : [{ Service: service, Datacenter: seen.identity.datacenter }];
    const how = { sni: '', timeout: undefined, speaksHttp2: false, balancing: {} };
    return [clusterTo(seen, upstream.config, { name: id, to, ...how })];
  }
  if (chain === undefined) return [];
  return resolversOf(chain).flatMap((node) => {
    const to = targetsOf(chain, node);
    const [target] = to;
    if (target === undefined) return [];
    const timeout = durationOf(node.Resolver.ConnectTimeout);
    const speaksHttp2 = isHttp2(chain.Protocol);
    const balancing = balancingOf(seen.know, target.Service).cluster;
    const { Name: name, SNI: sni } = target;
    const end = { name, to, sni, timeout, speaksHttp2, balancing };
    return [clusterTo(seen, upstream.config, end)];
  });
}

interface End {
  readonly name: string;
  /** All that calls to it may come to. */
  readonly to: readonly Pick<Target, 'Service' | 'Datacenter'>[];
  readonly sni: string;
  readonly timeout: Message | undefined;
  readonly speaksHttp2: boolean;
  readonly balancing: Message;
}

function clusterTo({ know, identity }: Seen, config: Said, end: End): Resource {
  const { name, to, sni, timeout, speaksHttp2, balancing } = end;
  const { connectMs, limits, outliers } = callRulesIn(config).rules;
  const { trustDomain } = identity;
  const { calling: params } = meshTlsParams(know);
  const uris = to.map(({ Service: service, Datacenter: datacenter }) =>
    serviceUri({ trustDomain, namespace: 'default', datacenter, service }),
  );
  return cluster({
    ...{ name, endpoints: name, speaksHttp2 },
    connectTimeout: connectMs === undefined ? timeout : durationOfMs(connectMs),
    more: {
      ...balancing,
      ...breakersOf(limits),
      outlier_detection: detectionOf(outliers ?? {}),
      transport_socket: clientTls({
        ...{ identity, params, sni },
        // Of nobody no certificate is right.
        uris: uris.length > 0 ? uris : ['none'],
      }),
    },
  });
}

export function breakersOf({ connections, pending, requests }: CallRules['limits']): Message {
  const value = (said: number) => ({ value: Math.min(said, MOST) });
  const most = {
    ...(connections && { max_connections: value(connections) }),
    ...(pending && { max_pending_requests: value(pending) }),
    ...(requests && { max_requests: value(requests) }),
  };
  return { circuit_breakers: { thresholds: [{ ...most, ...RETRIES }] } };
}

function detectionOf(rules: NonNullable<CallRules['outliers']>): Message {
  const { inARow, intervalMs, ejectMs, maxShare, enforced } = rules;
  return {
    ...(intervalMs && { interval: durationOfMs(intervalMs) }),
    ...(inARow && { consecutive_5xx: { value: inARow } }),
    ...(ejectMs && { base_ejection_time: durationOfMs(ejectMs) }),
    ...(maxShare && { max_ejection_percent: { value: Math.round(maxShare * 100) } }),
    ...(enforced !== undefined && {
      enforcing_consecutive_5xx: { value: Math.round(enforced * 100) },
    }),
  };
}

/** Where calls may end, by the names that they are told by: a query, or the targets of a chain, the one meant first. */
type Ends = ReadonlyMap<string, Called['upstream'] | readonly Target[]>;

/** Worked out once for the endpoints of all of them: to find one, all chains have to be looked at. */
function endsFor(
  { know, id, registration: { kind } }: Seen,
  calledBy: (seen: Registered) => readonly Called[],
): Ends {
  const of = (knowing: Know): Ends | undefined => {
    const registration = registrationOf(knowing, id);
    return registration && endsIn(calledBy({ know: knowing, registration }));
  };
  return know.shared({ key: ['ends', kind, id], of }) ?? new Map();
}

function endsIn(all: readonly Called[]): Ends {
  const ends = new Map<string, Called['upstream'] | readonly Target[]>();
  for (const { upstream, id, chain } of all) {
    if (upstream.isQuery) ends.set(id, upstream);
    if (chain === undefined) continue;
    for (const node of resolversOf(chain)) {
      const targets = targetsOf(chain, node);
      if (targets[0] !== undefined) ends.set(targets[0].Name, targets);
    }
  }
  return ends;
}

export function endNames(
  seen: Seen,
  calledBy: (seen: Registered) => readonly Called[],
): Iterable<string> {
  return endsFor(seen, calledBy).keys();
}

/** Of one by its name, or of all (`*`). */
export function endpointsOf(
  seen: Seen,
  calledBy: (seen: Registered) => readonly Called[],
  wanted: string,
): Resource[] {
  const { know, identity } = seen;
  const { datacenter: region } = identity;
  const ends = endsFor(seen, calledBy);
  const names = wanted === '*' ? [...ends.keys()] : [wanted];
  return names.flatMap((name) => {
    const end = ends.get(name);
    if (end === undefined) return [];
    if ('isQuery' in end) {
      return [assignment(name, { region, levels: [queried(know, end).level] })];
    }
    const levels = targetLevels(know, end, 'health/connect', region);
    const service = end[0]?.Service ?? '';
    return [assignment(name, { region, levels: nearestFirst(seen, service, levels) })];
  });
}

function queried(know: Know, { name, datacenter }: Called['upstream']) {
  const path = `/v1/query/${inPath(name)}/execute`;
  return executed(know, { ...asked(path, { connect: 'true', dc: datacenter }), unindexed: true });
}

/** Two upstreams may come to the same. */
export function unique(all: readonly Resource[]): readonly Resource[] {
  return [...new Map(all.map((each) => [each.name, each])).values()];
}
