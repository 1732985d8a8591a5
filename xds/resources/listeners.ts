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

export interface ListenerOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly direction: 'INBOUND' | 'OUTBOUND';
  readonly filters: readonly Message[];
  /** How TLS is spoken there. */
  readonly transport?: Message;
  /** Names of routes that it uses. */
  readonly uses?: readonly string[];
}

export function listener(options: ListenerOptions): Resource {
  const { name, host, port, direction, filters, transport, uses } = options;
  const chain = { filters, ...(transport && { transport_socket: transport }) };
  const address = addressOf(host, port);
  const message = { name, address, traffic_direction: direction, filter_chains: [chain] };
  return new Resource('listeners', name, message, uses);
}
