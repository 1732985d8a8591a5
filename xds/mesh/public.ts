/** The way in to a service of the mesh: by mutual TLS, as intentions say. */
import type { Know } from '../derived.ts';
import type { LeaveOut } from '../omissions.ts';
import type { Message } from '../resource.ts';
import { durationOfMs, isHttp } from '../resources/chain.ts';
import {
  intentionsOn,
  judgedBy,
  namesLetIn,
  networkFilter,
  requestFilter,
} from '../resources/intentions.ts';
import {
  type FilterChain,
  httpConnections,
  httpFilter,
  tcpFilter,
} from '../resources/listeners.ts';
import { callerHeader } from '../resources/mesh-entry.ts';
import { normalRequests } from '../resources/normal-requests.ts';
import { type Identity, serverTls } from './identity.ts';
import { meshTlsParams } from './tls-params.ts';

export interface WayIn {
  /** What it is called in Envoy's figures. */
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

/** Nobody comes in without a certificate of the mesh; where that is enough to say who may, nobody else does either. */
export function wayIn(know: Know, way: WayIn): FilterChain {
  const { name, service, protocol, identity, cluster } = way;
  const intentions = intentionsOn(know, service);
  // What may not be seen lets nobody in.
  const byDefault = intentions !== undefined && way.callsByDefault;
  const { trustDomain } = identity;
  const { called: params } = meshTlsParams(know);
  const calls = { intentions: intentions ?? [], byDefault, trustDomain };
  if (!isHttp(protocol)) {
    const filters = [networkFilter(name, calls), tcpFilter(name, cluster)];
    const names = namesLetIn(calls, way.takesLongPatterns);
    return { filters, transport_socket: serverTls(identity, params, names) };
  }
  const on = `of the intentions on ${JSON.stringify(service)}`;
  const omit: LeaveOut = (what, why) => know.omit(`${what} ${on}`, why);
  const manager = httpConnections({
    name,
    routing: { configuration: toCluster(way) },
    filters: [requestFilter(calls, omit)],
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

/** How long a call may take, whoever calls says, unless the program's own proxy does. */
function toCluster({ name, cluster, requestMs = 0, more = {} }: WayIn): Message {
  const route = { cluster, timeout: durationOfMs(requestMs), ...more };
  const routes = [{ match: { prefix: '/' }, route }];
  return { name, virtual_hosts: [{ name, domains: ['*'], routes }] };
}
