/** Configurations of Envoy as a user of endpoint discovery writes them: one listener, and a cluster that is told. */
import type { XdsPlace } from './xds-places.ts';

export const ENVOY_WAYS = ['eds', 'eds-delta', 'eds-rest', 'ads', 'ads-delta'] as const;
export type EnvoyWay = (typeof ENVOY_WAYS)[number];

interface Ports {
  readonly own: number;
  readonly admin: number;
}

const PREFIX = 'type.googleapis.com/envoy.extensions';
const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const PREDICATE = 'retry.host.previous_hosts.v3.PreviousHostsPredicate';
/** Else it comes again as late as half a minute after a server that was away. */
const retry_policy = { retry_back_off: { base_interval: '0.5s', max_interval: '2s' } };
const SERVICES = [{ envoy_grpc: { cluster_name: 'grpc', retry_policy } }];

/** With several places it turns to another where one is gone. */
export function envoyConfig(
  way: EnvoyWay,
  { own, admin }: Ports,
  places: readonly XdsPlace[],
): object {
  const isAds = way.startsWith('ads');
  const grpc = places.map((each) => addressOf(each.grpc.port, each.grpc.host));
  const http = places.map((each) => addressOf(each.http));
  const agents = [agentCluster('grpc', grpc, true), agentCluster('http', http, false)];
  return {
    node: { id: `envoy-${way}`, cluster: 'edge' },
    admin: { address: addressOf(admin) },
    ...(isAds && { dynamic_resources: dynamic(apiType(way)) }),
    static_resources: {
      listeners: [listener(own)],
      clusters: isAds ? agents : [toldCluster(way), ...agents],
    },
  };
}

function apiType(way: EnvoyWay): string {
  if (way === 'eds-rest') return 'REST';
  return way.endsWith('delta') ? 'DELTA_GRPC' : 'GRPC';
}

function dynamic(api_type: string): object {
  return {
    ads_config: { api_type, transport_api_version: 'V3', grpc_services: SERVICES },
    cds_config: { ads: {}, resource_api_version: 'V3' },
  };
}

function toldCluster(way: EnvoyWay): object {
  const source =
    way === 'eds-rest'
      ? { cluster_names: ['http'], refresh_delay: '0.01s', request_timeout: '10s' }
      : { grpc_services: SERVICES };
  const api_config_source = { api_type: apiType(way), transport_api_version: 'V3', ...source };
  return {
    ...{ name: 'web', type: 'EDS', connect_timeout: '1s' },
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
    circuit_breakers: { thresholds: [{ max_retries: { value: 1000 } }] },
    eds_cluster_config: { eds_config: { resource_api_version: 'V3', api_config_source } },
  };
}

function listener(port: number): object {
  const retry_policy = {
    retry_on: 'connect-failure,refused-stream,reset-before-request',
    num_retries: 3,
    retry_host_predicate: [
      {
        name: 'envoy.retry_host_predicates.previous_hosts',
        typed_config: { '@type': `${PREFIX}.${PREDICATE}` },
      },
    ],
    host_selection_retry_max_attempts: 3,
  };
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'web', retry_policy } }];
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': `${PREFIX}.filters.http.router.v3.Router` },
  };
  const connections = {
    '@type': `${PREFIX}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'in',
    // What is told may come after the listener.
    route_config: {
      virtual_hosts: [{ name: 'all', domains: ['*'], routes }],
      validate_clusters: false,
    },
    http_filters: [router],
  };
  const name = 'envoy.filters.network.http_connection_manager';
  const filters = [{ name, typed_config: connections }];
  return { name: 'in', address: addressOf(port), filter_chains: [{ filters }] };
}

function agentCluster(name: string, at: readonly object[], speaksHttp2: boolean): object {
  const keepalive = { connection_keepalive: { interval: '30s', timeout: '5s' } };
  const options = {
    '@type': `type.googleapis.com/${HTTP_OPTIONS}`,
    explicit_http_config: { http2_protocol_options: keepalive },
  };
  const lb_endpoints = at.map((address) => ({ endpoint: { address } }));
  return {
    ...{ name, type: 'STATIC', connect_timeout: '1s' },
    ...(speaksHttp2 && { typed_extension_protocol_options: { [HTTP_OPTIONS]: options } }),
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints }] },
  };
}

function addressOf(port_value: number, address = '127.0.0.1'): object {
  return { socket_address: { address, port_value } };
}
