/** What connections come in at, as Listeners. */
import { type Message, Resource } from '../resource.ts';
import { BY_ADS } from './clusters.ts';
import { addressOf } from './endpoints.ts';

const FILTERS = 'type.googleapis.com/envoy.extensions.filters';

export type Routing = { readonly routes: string } | { readonly configuration: Message };

export interface HttpOptions {
  readonly name: string;
  readonly routing: Routing;
  /** What stands before the router. */
  readonly filters?: readonly Message[];
  readonly more?: Message;
}

export function httpConnections({ name, routing, filters = [], more = {} }: HttpOptions): Message {
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': `${FILTERS}.http.router.v3.Router` },
  };
  const routes =
    'routes' in routing
      ? { rds: { route_config_name: routing.routes, config_source: BY_ADS } }
      : { route_config: routing.configuration };
  return {
    '@type': `${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    ...routes,
    http_filters: [...filters, router],
    upgrade_configs: [{ upgrade_type: 'websocket' }],
    ...more,
  };
}

/** For clients of gRPC, who listen nowhere. */
export function apiListener(name: string): Resource {
  const manager = httpConnections({ name, routing: { routes: name } });
  return new Resource('listeners', name, { name, api_listener: { api_listener: manager } }, [name]);
}

export function httpFilter(manager: Message): Message {
  return { name: 'envoy.filters.network.http_connection_manager', typed_config: manager };
}

export function tcpFilter(name: string, cluster: string): Message {
  const typed_config = {
    '@type': `${FILTERS}.network.tcp_proxy.v3.TcpProxy`,
    stat_prefix: name,
    cluster,
  };
  return { name: 'envoy.filters.network.tcp_proxy', typed_config };
}

/** To the cluster of the name that a connection's TLS asks for. */
export function sniFilters(name: string): Message[] {
  const byName = {
    name: 'envoy.filters.network.sni_cluster',
    typed_config: { '@type': `${FILTERS}.network.sni_cluster.v3.SniCluster` },
  };
  return [byName, tcpFilter(name, '')];
}

export interface FilterChain {
  readonly filters: readonly Message[];
  /** How TLS is spoken. */
  readonly transport_socket?: Message;
  /** Which connections are meant, by the name that their TLS asks for; all others where it is missing. */
  readonly filter_chain_match?: { readonly server_names: readonly string[] };
}

export interface ListenerOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly direction: 'INBOUND' | 'OUTBOUND';
  readonly chains: readonly FilterChain[];
  /** Names of routes that it uses. */
  readonly uses?: readonly string[];
}

export function listener(options: ListenerOptions): Resource {
  const { name, host, port, direction, chains, uses } = options;
  const isByName = chains.some((each) => each.filter_chain_match !== undefined);
  const message = {
    name,
    address: addressOf(host, port),
    traffic_direction: direction,
    filter_chains: chains,
    ...(isByName && { listener_filters: [TLS_INSPECTOR] }),
  };
  return new Resource('listeners', name, message, uses);
}

/** Without it nobody knows what name a connection asks for. */
const TLS_INSPECTOR = {
  name: 'envoy.filters.listener.tls_inspector',
  typed_config: { '@type': `${FILTERS}.listener.tls_inspector.v3.TlsInspector` },
};
