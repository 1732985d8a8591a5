/**
 * For a proxy of the mesh, as it is registered with its agent: a listener for each service that it calls, mutual
 * TLS to those that speak for it, and one for whoever calls the service behind it, as intentions say.
 */
import { serviceUri } from '../lib/connect/identity.ts';
import type { Compute, Know } from './derived.ts';
import type { Kind, Message, Resource } from './resource.ts';
import { balancingOf } from './resources/balancing.ts';
import {
  type Chain,
  chainOf,
  durationOf,
  durationOfMs,
  isHttp,
  isHttp2,
  resolversOf,
  type Target,
  targetLevels,
  targetsOf,
} from './resources/chain.ts';
import { cluster, programCluster } from './resources/clusters.ts';
import { asked, assignment, executed } from './resources/endpoints.ts';
import { intentionsOn, networkFilter, requestFilter } from './resources/intentions.ts';
import { httpConnections, httpFilter, listener, tcpFilter } from './resources/listeners.ts';
import {
  clientTls,
  type Identity,
  identityOf,
  type MeshProxy,
  numberIn,
  objectIn,
  proxyNamed,
  type Said,
  serverTls,
  textIn,
  type Upstream,
} from './resources/proxy.ts';
import { routeConfiguration, routesOf } from './resources/routes.ts';
import type { Named, World } from './world.ts';

const PROGRAM = 'local_app';
const PUBLIC = 'public_listener';

export interface ProxyWorldOptions {
  /** The id that it is registered by. */
  readonly id: string;
  /** Who may call where no intention says anything. */
  readonly callsByDefault: boolean;
}

interface Seen {
  readonly know: Know;
  readonly proxy: MeshProxy;
  readonly identity: Identity;
}

/** An upstream, and where calls to it end. */
interface Called {
  readonly upstream: Upstream;
  readonly id: string;
  /** Undefined for a prepared query, and for what may not be seen. */
  readonly chain: Chain | undefined;
}

export class ProxyWorld implements World {
  readonly #options: ProxyWorldOptions;

  constructor(options: ProxyWorldOptions) {
    this.#options = options;
  }

  resources(kind: Kind, name: string): Named {
    const { id } = this.#options;
    const compute: Compute = (know) => {
      const proxy = proxyNamed(know, id);
      const identity = proxy && identityOf(know, proxy.service);
      // Not yet, or not any more: what was told stands.
      if (proxy === undefined || identity === undefined) return undefined;
      const made = this.#computes[kind]({ know, proxy, identity }, name);
      return name === '*' ? made : made.filter((each) => each.name === name);
    };
    return { key: `${kind} ${name} of ${id}`, compute };
  }

  readonly #computes: Readonly<Record<Kind, (seen: Seen, name: string) => readonly Resource[]>> = {
    clusters: (seen) => [
      programOf(seen),
      ...unique(calledBy(seen).flatMap((each) => clustersOf(seen, each))),
    ],
    endpoints: (seen, name) =>
      unique(calledBy(seen).flatMap((each) => endpointsOf(seen, each, name))),
    routes: (seen) => calledBy(seen).flatMap((each) => routesTo(seen, each)),
    listeners: (seen) => [
      ...this.#publicListener(seen),
      ...unique(calledBy(seen).map((each) => listenerFor(each))),
    ],
  };

  /** Without a port nobody can call the service behind it. */
  #publicListener(seen: Seen): Resource[] {
    const { know, proxy, identity } = seen;
    const { host, port } = proxy.listens;
    if (port === 0) return [];
    const { trustDomain } = identity;
    const intentions = intentionsOn(know, proxy.service);
    // What may not be seen lets nobody in.
    const byDefault = intentions !== undefined && this.#options.callsByDefault;
    const calls = { intentions: intentions ?? [], byDefault, trustDomain };
    const filters = isHttp(protocolOf(seen))
      ? [httpFilter(publicConnections([requestFilter(calls)]))]
      : [networkFilter(PUBLIC, calls), tcpFilter(PUBLIC, PROGRAM)];
    const name = `${PUBLIC}:${host}:${port}`;
    const transport = serverTls(identity);
    return [listener({ name, host, port, direction: 'INBOUND', filters, transport })];
  }
}

/** As it is registered, else as config entries say of the service. */
function protocolOf({ know, proxy }: Seen): string {
  const said = textIn(proxy.config['protocol']) || (chainOf(know, proxy.service)?.Protocol ?? '');
  return said.toLowerCase();
}

/** How long a call may take, whoever calls says. */
function publicConnections(filters: readonly Message[]): Message {
  const route = { cluster: PROGRAM, timeout: durationOfMs(0) };
  const routes = [{ match: { prefix: '/' }, route }];
  const configuration = { name: PUBLIC, virtual_hosts: [{ name: PUBLIC, domains: ['*'], routes }] };
  return httpConnections({ name: PUBLIC, routing: { configuration }, filters });
}

function programOf(seen: Seen): Resource {
  const { program, config } = seen.proxy;
  const ms = numberIn(config['local_connect_timeout_ms']);
  return programCluster({
    ...{ name: PROGRAM, address: program.host, port: program.port },
    connectTimeout: ms === 0 ? undefined : durationOfMs(ms),
    speaksHttp2: isHttp2(protocolOf(seen)),
  });
}

function calledBy({ know, proxy }: Seen): readonly Called[] {
  return proxy.upstreams.map((upstream) => {
    const { name, isQuery, datacenter } = upstream;
    const elsewhere = datacenter === '' ? '' : `?dc=${datacenter}`;
    const id = `${isQuery ? 'prepared_query:' : ''}${name}${elsewhere}`;
    return { upstream, id, chain: isQuery ? undefined : chainOf(know, name, datacenter) };
  });
}

function listenerFor({ upstream, id, chain }: Called): Resource {
  const { host, port } = upstream.at;
  const isRouted = chain !== undefined && isHttp(chain.Protocol);
  const filters = isRouted
    ? [httpFilter(httpConnections({ name: id, routing: { routes: id } }))]
    : [tcpFilter(id, endOf(id, chain))];
  const uses = isRouted ? [id] : [];
  const name = `${id}:${host}:${port}`;
  return listener({ name, host, port, direction: 'OUTBOUND', filters, uses });
}

/** Of a chain without routes there is one end. */
function endOf(id: string, chain: Chain | undefined): string {
  const start = chain?.Nodes[chain.StartNode];
  const target = start?.Type === 'resolver' ? chain?.Targets[start.Resolver.Target] : undefined;
  return target?.Name ?? id;
}

function routesTo({ know }: Seen, { id, chain }: Called): Resource[] {
  if (chain === undefined || !isHttp(chain.Protocol)) return [];
  const routes = routesOf(chain, (node) => {
    const target = chain.Targets[node.Resolver.Target];
    const hashPolicy = target === undefined ? [] : balancingOf(know, target.Service).hashPolicy;
    return { cluster: target?.Name ?? '', hashPolicy };
  });
  return [routeConfiguration(id, [{ name: id, domains: ['*'], routes }])];
}

function clustersOf(seen: Seen, { upstream, id, chain }: Called): Resource[] {
  if (upstream.isQuery) {
    const { service } = queried(seen.know, upstream);
    const to = service === '' ? [] : [{ Service: service, Datacenter: seen.identity.datacenter }];
    const how = { sni: '', timeout: undefined, speaksHttp2: false, balancing: {} };
    return [clusterTo(seen, upstream, { name: id, to, ...how })];
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
    return [clusterTo(seen, upstream, { name, to, sni, timeout, speaksHttp2, balancing })];
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

function clusterTo({ identity }: Seen, { config }: Upstream, end: End): Resource {
  const { name, to, sni, timeout, speaksHttp2, balancing } = end;
  const ms = numberIn(config['connect_timeout_ms']);
  const uris = to.map(({ Service, Datacenter }) => {
    const { trustDomain } = identity;
    return serviceUri({
      trustDomain,
      namespace: 'default',
      datacenter: Datacenter,
      service: Service,
    });
  });
  return cluster({
    ...{ name, endpoints: name, speaksHttp2 },
    connectTimeout: ms === 0 ? timeout : durationOfMs(ms),
    more: {
      ...balancing,
      ...limitsOf(objectIn(config['limits'])),
      outlier_detection: outliersOf(objectIn(config['passive_health_check'])),
      // Of nobody no certificate is right.
      transport_socket: clientTls(identity, sni, uris.length > 0 ? uris : ['none']),
    },
  });
}

function limitsOf(said: Said): Message {
  const limits = ['max_connections', 'max_pending_requests'].flatMap((name) => {
    const value = numberIn(said[name]);
    return value === 0 ? [] : [[name, { value }] as const];
  });
  const most = numberIn(said['max_concurrent_requests']);
  const all = [...limits, ...(most === 0 ? [] : [['max_requests', { value: most }] as const])];
  return all.length === 0 ? {} : { circuit_breakers: { thresholds: [Object.fromEntries(all)] } };
}

function outliersOf(said: Said): Message {
  const failures = numberIn(said['max_failures']);
  const interval = durationOf(textIn(said['interval']));
  return {
    ...(interval && { interval }),
    ...(failures > 0 && { consecutive_5xx: { value: failures } }),
  };
}

function endpointsOf(seen: Seen, { upstream, id, chain }: Called, name: string): Resource[] {
  const { know, identity } = seen;
  const { datacenter: region } = identity;
  const isWanted = (each: string) => name === '*' || name === each;
  if (upstream.isQuery) {
    if (!isWanted(id)) return [];
    return [assignment(id, { region, levels: [queried(know, upstream).level] })];
  }
  if (chain === undefined) return [];
  return resolversOf(chain).flatMap((node) => {
    const targets = targetsOf(chain, node);
    const end = targets[0]?.Name ?? '';
    if (!isWanted(end)) return [];
    const levels = targetLevels(know, targets, 'health/connect', region);
    return [assignment(end, { region, levels })];
  });
}

function queried(know: Know, { name, datacenter }: Upstream) {
  const path = `/v1/query/${encodeURIComponent(name)}/execute`;
  return executed(know, { ...asked(path, { connect: 'true', dc: datacenter }), unindexed: true });
}

/** Two upstreams may come to the same. */
function unique(all: readonly Resource[]): readonly Resource[] {
  return [...new Map(all.map((each) => [each.name, each])).values()];
}
