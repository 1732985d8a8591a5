/** A proxy beside a program: a listener for whoever calls it, and one for each service that the program calls. */
import { textIn } from '../../sidecar/said.ts';
import type { Resource } from '../resource.ts';
import { chainOf, durationOfMs, isHttp, isHttp2 } from '../resources/chain.ts';
import { programCluster } from '../resources/clusters.ts';
import { httpConnections, httpFilter, listener, tcpFilter } from '../resources/listeners.ts';
import { routeConfiguration } from '../resources/routes.ts';
import { serverTls } from './identity.ts';
import type { MeshProxy, Seen } from './proxy.ts';
import { filtersOf } from './public.ts';
import { numberIn, type Upstream } from './registration.ts';
import { called, clustersOf, endOf, endpointsOf, routesIn, unique } from './upstreams.ts';

const PROGRAM = 'local_app';
const PUBLIC = 'public_listener';

export const SIDECAR: MeshProxy = {
  clusters: (seen) => [
    programOf(seen),
    ...unique(calledBy(seen).flatMap((each) => clustersOf(seen, each))),
  ],
  endpoints: (seen, name) =>
    unique(calledBy(seen).flatMap((each) => endpointsOf(seen, each, name))),
  routes: (seen) =>
    calledBy(seen).flatMap(({ id, chain }) => {
      if (chain === undefined || !isHttp(chain.Protocol)) return [];
      const routes = routesIn(seen.know, chain);
      return [routeConfiguration(id, [{ name: id, domains: ['*'], routes }])];
    }),
  listeners: (seen) => [...publicListener(seen), ...unique(calledBy(seen).map(listenerFor))],
};

/** Without a port nobody can call the service behind it. */
function publicListener(seen: Seen): Resource[] {
  const { know, registration, identity, callsByDefault } = seen;
  const { listens, service } = registration;
  const { host, port } = listens;
  if (port === 0) return [];
  const protocol = protocolOf(seen);
  const to = { name: PUBLIC, service, protocol, cluster: PROGRAM };
  const filters = filtersOf(know, { ...to, identity, callsByDefault });
  const chains = [{ filters, transport_socket: serverTls(identity) }];
  const name = `${PUBLIC}:${host}:${port}`;
  return [listener({ name, host, port, direction: 'INBOUND', chains })];
}

/** As it is registered, else as config entries say of the service. */
function protocolOf({ know, registration: { config, service } }: Seen): string {
  return (textIn(config['protocol']) || (chainOf(know, service)?.Protocol ?? '')).toLowerCase();
}

function programOf(seen: Seen): Resource {
  const { program, config } = seen.registration;
  const ms = numberIn(config['local_connect_timeout_ms']);
  return programCluster({
    ...{ name: PROGRAM, address: program.host, port: program.port },
    connectTimeout: ms === 0 ? undefined : durationOfMs(ms),
    speaksHttp2: isHttp2(protocolOf(seen)),
  });
}

function calledBy({ know, registration }: Seen) {
  return registration.upstreams.map((upstream) => called(know, upstream));
}

function listenerFor(each: ReturnType<typeof called<Upstream>>): Resource {
  const { upstream, id, chain } = each;
  const { host, port } = upstream.at;
  const isRouted = chain !== undefined && isHttp(chain.Protocol);
  const filters = isRouted
    ? [httpFilter(httpConnections({ name: id, routing: { routes: id } }))]
    : [tcpFilter(id, endOf(each))];
  const uses = isRouted ? [id] : [];
  const name = `${id}:${host}:${port}`;
  return listener({ name, host, port, direction: 'OUTBOUND', chains: [{ filters }], uses });
}
