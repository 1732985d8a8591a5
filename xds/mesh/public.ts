/** The way in to a service of the mesh: by mutual TLS, as intentions say. */

import type { LeaveOut } from '../omissions.ts';
import type { Message, Resource } from '../resource.ts';
import { durationOfMs, isHttp } from '../resources/chain.ts';
import {
  type Calls,
  intentionsOn,
  judgedBy,
  namesLetIn,
  networkFilter,
  REQUEST_FILTER,
  requestFilter,
  requestRules,
} from '../resources/intentions.ts';
import {
  type FilterChain,
  httpConnections,
  httpFilter,
  tcpFilter,
} from '../resources/listeners.ts';
import { callerHeader } from '../resources/mesh-entry.ts';
import { normalRequests } from '../resources/normal-requests.ts';
import { routeConfiguration } from '../resources/routes.ts';
import type { Know } from '../worked.ts';
import { type Identity, serverTls } from './identity.ts';
import { meshTlsParams } from './tls-params.ts';

export interface WayIn {
  /** What it is called in Envoy's figures, and by which its routes are told. */
  readonly name: string;
  readonly service: string;
  readonly protocol: string;
  readonly identity: Identity;
  readonly callsByDefault: boolean;
  readonly takesLongPatterns: boolean;
  /** The cluster behind it. */
  readonly cluster: string;
  /** Of the route to it. */
  readonly more?: Message;
  /** For a whole answer; undefined for as long as it takes. */
  readonly requestMs?: number | undefined;
}

/** By which no service's routes are told: who is called by one, and by whom. */
const INBOUND = 'inbound:';

export function inboundName(name: string): string {
  return INBOUND + name;
}

/** Of that way; undefined for a name that is none of a way in. */
export function inboundIn(routes: string): string | undefined {
  return routes.startsWith(INBOUND) ? routes.slice(INBOUND.length) : undefined;
}

/** Of calls to a service that has that id, which may be like another's name. */
export function outboundName(id: string): string {
  return /^(?:in|out)bound:/.test(id) ? `outbound:${id}` : id;
}

/** What decides who may call. */
function callsOf(know: Know, { service, identity, callsByDefault }: WayIn): Calls {
  const intentions = intentionsOn(know, service);
  // What may not be seen lets nobody in.
  const byDefault = intentions !== undefined && callsByDefault;
  return { intentions: intentions ?? [], byDefault, trustDomain: identity.trustDomain };
}

/** Nobody comes in without a certificate of the mesh; where that is enough to say who may, nobody else does either. */
export function wayIn(know: Know, way: WayIn): FilterChain {
  const { name, protocol, identity, cluster } = way;
  const { called: params } = meshTlsParams(know);
  const calls = callsOf(know, way);
  if (!isHttp(protocol)) {
    const filters = [networkFilter(name, calls), tcpFilter(name, cluster)];
    const names = namesLetIn(calls, way.takesLongPatterns);
    return { filters, transport_socket: serverTls(identity, params, names) };
  }
  const manager = httpConnections({
    name,
    routing: { routes: inboundName(name) },
    filters: [requestFilter()],
    more: {
      ...normalRequests(know, judgedBy(calls.intentions)),
      ...callerHeader(know),
    },
  });
  return {
    filters: [httpFilter(manager)],
    transport_socket: serverTls(identity, params, undefined),
  };
}

/** Which requests come in, and where they go. Nothing where connections alone are judged. */
export function routesOfWay(know: Know, way: WayIn): Resource[] {
  const { name, protocol, service } = way;
  if (!isHttp(protocol)) return [];
  const on = `of the intentions on ${JSON.stringify(service)}`;
  const omit: LeaveOut = (what, why) => know.omit(`${what} ${on}`, why);
  const typed_per_filter_config = { [REQUEST_FILTER]: requestRules(callsOf(know, way), omit) };
  const host = { name, domains: ['*'], routes: [toCluster(way)], typed_per_filter_config };
  return [routeConfiguration(inboundName(name), [host])];
}

/** How long a call may take, whoever calls says, unless the program's own proxy does. */
function toCluster({ cluster, requestMs = 0, more = {} }: WayIn): Message {
  const route = { cluster, timeout: durationOfMs(requestMs), ...more };
  return { match: { prefix: '/' }, route };
}
