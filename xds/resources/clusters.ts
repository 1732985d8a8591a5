/** Where calls may end, as Clusters. */
import { type Message, Resource } from '../resource.ts';
import { durationOfMs } from './chain.ts';
import { addressOf, type Level } from './endpoints.ts';

/** From the same stream of all kinds. */
export const BY_ADS: Message = { ads: {}, resource_api_version: 'V3' };

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

export interface ClusterOptions {
  readonly name: string;
  /** As it is asked for its endpoints. */
  readonly endpoints: string;
  readonly connectTimeout: Message | undefined;
  readonly speaksHttp2: boolean;
  /** Whatever else there is to say. */
  readonly more: Message;
}

const CONNECT_TIMEOUT = durationOfMs(5000);
/** At a time, as many as Envoy lets calls be: by itself it has three, and most of what a dead host refuses would be lost. */
export const RETRIES: Message = { max_retries: { value: 1024 } };

/** Its endpoints are told apart. It sends to nobody who is draining, however few others there are. */
export function cluster({
  name,
  endpoints,
  connectTimeout,
  speaksHttp2,
  more,
}: ClusterOptions): Resource {
  const message = {
    name,
    type: 'EDS',
    eds_cluster_config: { service_name: endpoints, eds_config: BY_ADS },
    connect_timeout: connectTimeout ?? CONNECT_TIMEOUT,
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
    circuit_breakers: { thresholds: [RETRIES] },
    ...(speaksHttp2 && http2()),
    ...more,
  };
  return new Resource('clusters', name, message, [endpoints]);
}

export interface NamedCluster {
  readonly name: string;
  readonly level: Level;
  readonly connectTimeout: Message | undefined;
  readonly speaksHttp2: boolean;
  readonly more: Message;
}

/** Of hosts that have names for addresses: Envoy finds those out by itself, again and again. */
export function namedCluster({ name, level, speaksHttp2, more, ...how }: NamedCluster): Resource {
  const isCalled = level.filter(({ health }) => health === 'healthy');
  const lb_endpoints = isCalled.map(({ address, port, weight }) => ({
    load_balancing_weight: { value: weight },
    endpoint: { address: addressOf(address, port) },
  }));
  return new Resource('clusters', name, {
    name,
    type: 'STRICT_DNS',
    // Else a name that has an address of IPv6 too is called there alone.
    dns_lookup_family: 'V4_PREFERRED',
    connect_timeout: how.connectTimeout ?? CONNECT_TIMEOUT,
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints }] },
    ...(speaksHttp2 && http2()),
    ...more,
  });
}

export interface Program {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly connectTimeout: Message | undefined;
  readonly speaksHttp2: boolean;
  readonly more: Message;
}

/** The program that a proxy stands before. */
export function programCluster({ name, address, port, ...how }: Program): Resource {
  const lb_endpoints = [{ endpoint: { address: addressOf(address, port) } }];
  return new Resource('clusters', name, {
    name,
    type: 'STATIC',
    connect_timeout: how.connectTimeout ?? CONNECT_TIMEOUT,
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints }] },
    ...(how.speaksHttp2 && http2()),
    ...how.more,
  });
}

function http2(): Message {
  const options = {
    '@type': `type.googleapis.com/${HTTP_OPTIONS}`,
    explicit_http_config: { http2_protocol_options: {} },
  };
  return { typed_extension_protocol_options: { [HTTP_OPTIONS]: options } };
}
