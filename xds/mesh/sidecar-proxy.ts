/** A proxy beside a program: a listener for whoever calls it, and one for each service that the program calls. */
import { textIn } from '../../sidecar/said.ts';
import { ownRulesIn } from '../../sidecar/upstream-config.ts';
import type { Resource } from '../resource.ts';
import { chainOf, durationOfMs, isHttp, isHttp2 } from '../resources/chain.ts';
import { programCluster } from '../resources/clusters.ts';
import { httpConnections, httpFilter, listener, tcpFilter } from '../resources/listeners.ts';
import { routeConfiguration } from '../resources/routes.ts';
import type { MeshProxy, Seen } from './proxy.ts';
import { wayIn } from './public.ts';
import { type Exposed, numberIn, type Upstream } from './registration.ts';
import {
  breakersOf,
  called,
  clustersOf,
  endOf,
  endpointsOf,
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
  endpoints: (seen, name) =>
    unique(calledBy(seen).flatMap((each) => endpointsOf(seen, each, name))),
  routes: (seen) =>
    calledBy(seen).flatMap(({ id, chain }) => {
      if (chain === undefined || !isHttp(chain.Protocol)) return [];
      const routes = routesIn(seen.know, chain);
      return [routeConfiguration(id, [{ name: id, domains: ['*'], routes }])];
    }),
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
  const { know, registration, identity, callsByDefault, takesLongPatterns } = seen;
  const { listens, service } = registration;
  const { host, port } = listens;
  if (port === 0) return [];
  const protocol = protocolOf(seen);
  const to = { name: PUBLIC, service, protocol, cluster: PROGRAM };
  const { requestMs } = ownRulesIn(registration.config).rules;
  const how = { identity, callsByDefault, takesLongPatterns, requestMs };
  const chains = [wayIn(know, { ...to, ...how })];
  const name = `${PUBLIC}:${host}:${port}`;
  return [listener({ name, host, port, direction: 'INBOUND', chains })];
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
