/** A proxy beside a program: a listener for whoever calls it, and one for each service that the program calls. */
import { textIn } from '../../sidecar/said.ts';
import { ownRulesIn } from '../../sidecar/upstream-config.ts';
import type { Resource } from '../resource.ts';
import { chainOf, durationOfMs, isHttp, isHttp2 } from '../resources/chain.ts';
import { programCluster } from '../resources/clusters.ts';
import { httpConnections, httpFilter, listener, tcpFilter } from '../resources/listeners.ts';
import { routeConfiguration } from '../resources/routes.ts';
import type { MeshProxy, Registered, Seen } from './proxy.ts';
import { inboundIn, inboundName, outboundName, routesOfWay, type WayIn, wayIn } from './public.ts';
import { type Exposed, numberIn, type Upstream } from './registration.ts';
import {
  breakersOf,
  type Called,
  called,
  clustersOf,
  endNames,
  endOf,
  endpointsOf,
  idOf,
  routesIn,
  unique,
} from './upstreams.ts';

const PROGRAM = 'local_app';
const PUBLIC = 'public_listener';

export const SIDECAR: MeshProxy = {
  clusters: (seen) => [
    programOf(seen),
    ...exposedClusters(seen),
    ...unique(calledBy(seen).flatMap((each) => clustersOf(seen, each))),
  ],
  endpoints: (seen, name) => endpointsOf(seen, calledBy, name),
  routes: (seen, name) => {
    if (inboundIn(name) !== undefined) return routesOfWay(seen.know, publicWay(seen));
    return calledBy(seen, name).flatMap(({ id, chain }) => {
      if (chain === undefined || !isHttp(chain.Protocol)) return [];
      const routes = routesIn(seen.know, chain);
      return [routeConfiguration(outboundName(id), [{ name: id, domains: ['*'], routes }])];
    });
  },
  names: {
    endpoints: (seen) => endNames(seen, calledBy),
    routes: (seen) => [
      ...(isHttp(protocolOf(seen)) ? [inboundName(PUBLIC)] : []),
      ...calledBy(seen)
        .filter(isRouted)
        .map(({ id }) => outboundName(id)),
    ],
  },
  listeners: (seen) =>
    apart(seen, [
      ...publicListener(seen),
      ...exposedListeners(seen),
      ...unique(calledBy(seen).map(listenerFor)),
    ]),
};

/** Two at one place: the second would be refused. */
function apart({ know }: Seen, all: readonly Resource[]): Resource[] {
  const taken = new Set<string>();
  return all.filter(({ name, message }) => {
    const at = JSON.stringify(message['address']);
    if (!taken.has(at)) return taken.add(at) !== undefined;
    know.omit(`the listener ${JSON.stringify(name)}`, 'another one listens there');
    return false;
  });
}

/** Without a port nobody can call the service behind it. */
function publicListener(seen: Seen): Resource[] {
  const { host, port } = seen.registration.listens;
  if (port === 0) return [];
  const way = publicWay(seen);
  const uses = isHttp(way.protocol) ? [inboundName(PUBLIC)] : [];
  const chains = [wayIn(seen.know, way)];
  const name = `${PUBLIC}:${host}:${port}`;
  return [listener({ name, host, port, direction: 'INBOUND', chains, uses })];
}

function publicWay(seen: Seen): WayIn {
  const { registration, identity, callsByDefault, takesLongPatterns } = seen;
  const { service, config } = registration;
  const to = { name: PUBLIC, service, protocol: protocolOf(seen), cluster: PROGRAM };
  const { requestMs } = ownRulesIn(config).rules;
  return { ...to, identity, callsByDefault, takesLongPatterns, requestMs };
}

/** As it is registered, else as config entries say of the service. */
function protocolOf({ know, registration: { config, service } }: Seen): string {
  return (textIn(config['protocol']) || (chainOf(know, service)?.Protocol ?? '')).toLowerCase();
}

function programOf(seen: Seen): Resource {
  const { program, config } = seen.registration;
  const { maxConnections } = ownRulesIn(config).rules;
  const ms = numberIn(config['local_connect_timeout_ms']);
  return programCluster({
    ...{ name: PROGRAM, address: program.host, port: program.port },
    connectTimeout: ms === 0 ? undefined : durationOfMs(ms),
    speaksHttp2: isHttp2(protocolOf(seen)),
    more: maxConnections === undefined ? {} : breakersOf({ connections: maxConnections }),
  });
}

function exposedName({ program, speaksHttp2 }: Exposed): string {
  return `exposed_cluster_${program}${speaksHttp2 ? '_http2' : ''}`;
}

function exposedClusters({ registration }: Seen): readonly Resource[] {
  const { exposed, program } = registration;
  const all = exposed.map((each) =>
    programCluster({
      ...{ name: exposedName(each), address: program.host, port: each.program },
      ...{ connectTimeout: undefined, speaksHttp2: each.speaksHttp2, more: {} },
    }),
  );
  return unique(all);
}

/** Each for its path alone, as it is written: who asks for another is told that it is not there. */
function exposedListeners({ registration }: Seen): readonly Resource[] {
  const { exposed, listens } = registration;
  return exposed.map((each) => {
    const { path, at: port } = each;
    const name = `exposed_path_${path.replace(/[^0-9a-z]/gi, '')}:${listens.host}:${port}`;
    const routes = [{ match: { path }, route: { cluster: exposedName(each) } }];
    const configuration = { name, virtual_hosts: [{ name, domains: ['*'], routes }] };
    const filters = [httpFilter(httpConnections({ name, routing: { configuration } }))];
    const { host } = listens;
    return listener({ name, host, port, direction: 'INBOUND', chains: [{ filters }] });
  });
}

/** All of them, or whose routes are told by that name. */
function calledBy({ know, registration }: Registered, routes = '*') {
  return registration.upstreams
    .filter((upstream) => routes === '*' || routes === outboundName(idOf(upstream)))
    .map((upstream) => called(know, upstream));
}

function isRouted({ chain }: Called): boolean {
  return isHttp(chain?.Protocol ?? '');
}

function listenerFor(each: ReturnType<typeof called<Upstream>>): Resource {
  const { upstream, id } = each;
  const { host, port } = upstream.at;
  const routes = outboundName(id);
  const filters = isRouted(each)
    ? [httpFilter(httpConnections({ name: id, routing: { routes } }))]
    : [tcpFilter(id, endOf(each))];
  const uses = isRouted(each) ? [routes] : [];
  const name = `${id}:${host}:${port}`;
  return listener({ name, host, port, direction: 'OUTBOUND', chains: [{ filters }], uses });
}
