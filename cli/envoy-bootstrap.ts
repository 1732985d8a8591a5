/** What an Envoy beside a service begins with: who it is, and where it is told all else (xDS v3). */
import { isIP } from 'node:net';

export interface BootstrapOptions {
  readonly proxyId: string;
  /** The service that it stands before. */
  readonly service: string;
  readonly admin: Place;
  readonly accessLog: string;
  readonly agent: AgentPlace;
  readonly token: string;
  /** Written into it, as Consul does; nothing depends on it. */
  readonly envoyVersion: string;
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Where the agent speaks gRPC. */
export interface AgentPlace extends Place {
  /** By TLS; undefined in the clear. */
  readonly tls: AgentTls | undefined;
}

export interface AgentTls {
  /** To trust, as PEM; '' where whoever answers is to be trusted. */
  readonly authorities: string;
  /** That its certificate must bear; '' for any. */
  readonly name: string;
  /** What Envoy shows where the agent asks for it: files, so that no key is printed. */
  readonly own: { readonly certFile: string; readonly keyFile: string } | undefined;
}

const AGENT = 'local_agent';
const TYPE = 'type.googleapis.com/envoy.extensions';
const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const BY_ADS = { ads: {}, resource_api_version: 'V3' };

/** Else an Envoy refuses patterns of more than 100 steps, and what is told with one: a long list of callers has more. */
const RUNTIME = { 're2.max_program_size.error_level': 1024 * 1024 };

export function envoyBootstrap(options: BootstrapOptions): object {
  const { proxyId, service, admin, accessLog, token, envoyVersion } = options;
  return {
    admin: {
      access_log: [
        {
          name: 'envoy.access_loggers.file',
          typed_config: {
            '@type': `${TYPE}.access_loggers.file.v3.FileAccessLog`,
            path: accessLog,
          },
        },
      ],
      address: addressOf(admin),
    },
    node: {
      cluster: service,
      id: proxyId,
      // By this an agent knows that the id is a proxy's.
      metadata: { namespace: 'default', envoy_version: envoyVersion, long_patterns: 'taken' },
    },
    static_resources: { clusters: [agentCluster(options.agent)] },
    layered_runtime: { layers: [{ name: 'base', static_layer: RUNTIME }] },
    stats_config: { stats_tags: statsTags(service), use_all_default_tags: true },
    dynamic_resources: {
      lds_config: BY_ADS,
      cds_config: BY_ADS,
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [
          {
            initial_metadata: [{ key: 'x-consul-token', value: token }],
            envoy_grpc: { cluster_name: AGENT },
          },
        ],
      },
    },
  };
}

function agentCluster({ host, port, tls }: AgentPlace): object {
  const lb_endpoints = [{ endpoint: { address: addressOf({ host, port }) } }];
  // An agent that is gone without a word is noticed.
  const http2 = { connection_keepalive: { interval: '30s', timeout: '5s' } };
  const options = {
    '@type': `type.googleapis.com/${HTTP_OPTIONS}`,
    explicit_http_config: { http2_protocol_options: http2 },
  };
  const authorities = tls?.authorities ?? '';
  const name = tls?.name ?? '';
  const named = [{ san_type: 'DNS', matcher: { exact: name } }];
  const validation = authorities !== '' && {
    trusted_ca: { inline_string: authorities },
    ...(name !== '' && { match_typed_subject_alt_names: named }),
  };
  const own = tls?.own && {
    certificate_chain: { filename: tls.own.certFile },
    private_key: { filename: tls.own.keyFile },
  };
  return {
    name: AGENT,
    connect_timeout: '1s',
    type: isIP(host) === 0 ? 'STRICT_DNS' : 'STATIC',
    typed_extension_protocol_options: { [HTTP_OPTIONS]: options },
    load_assignment: { cluster_name: AGENT, endpoints: [{ lb_endpoints }] },
    ...(tls && {
      transport_socket: {
        name: 'tls',
        typed_config: {
          '@type': `${TYPE}.transport_sockets.tls.v3.UpstreamTlsContext`,
          common_tls_context: {
            alpn_protocols: ['h2'],
            ...(validation && { validation_context: validation }),
            ...(own && { tls_certificates: [own] }),
          },
          ...(name !== '' && { sni: name }),
        },
      },
    }),
  };
}

function addressOf({ host, port }: Place): object {
  return { socket_address: { address: host, port_value: port } };
}

/** Of a cluster's name, `[hash~][subset.]service.namespace.datacenter.kind.trust-domain.consul`, each by a tag. */
const PARTS = [
  'custom_hash',
  'service_subset',
  ...['service', 'namespace', 'datacenter', 'routing_type', 'trust_domain'],
] as const;

const NAME = '[^.]+';

function partAt(i: number, name: string): string {
  if (i === 0) return `(?:${name}~)?`;
  return i === 1 ? `(?:${name}\\.)?` : `${name}\\.`;
}

function pattern(part: (i: number) => string): string {
  return `^cluster\\.(${PARTS.map((_, i) => part(i)).join('')}consul\\.)`;
}

/** As Consul's dashboards read them. */
function statsTags(service: string): readonly object[] {
  const single = PARTS.map((name, at) => ({
    regex: pattern((i) => partAt(i, i === at ? `(${NAME})` : NAME)),
    tag_name: `consul.${name}`,
  }));
  // Several parts in one: what stands up to the last of them is the tag.
  const upTo = (last: number) =>
    pattern((i) => {
      const begins = i === 0 ? '(' : '';
      return begins + (i === last ? `${NAME})\\.` : partAt(i, NAME));
    });
  return [
    ...single,
    { regex: upTo(4), tag_name: 'consul.target' },
    { regex: upTo(6), tag_name: 'consul.full_target' },
    { tag_name: 'local_cluster', fixed_value: service },
  ];
}
