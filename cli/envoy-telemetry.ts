/**
 * What a proxy's `Config` says of the configuration that its Envoy begins with, by Consul's names: where it tells
 * its figures, where it traces to, and clusters and listeners of the operator's own.
 */
import { isIP } from 'node:net';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import { splitHostPort } from '../lib/go-error.ts';
import { objectIn, type Said, textIn } from '../sidecar/said.ts';

export interface Telemetry {
  readonly clusters: readonly object[];
  readonly listeners: readonly object[];
  readonly statsTags: readonly object[];
  /** Fields of the configuration itself. */
  readonly more: Readonly<Record<string, unknown>>;
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const TYPE = 'type.googleapis.com/envoy';
const ADMIN = 'self_admin';
const STATSD_PORT = 8125;

/** Throws ProconsulError 'invalid', with the name of what makes no sense. */
export function telemetryOf(config: Said, admin: Place, env: Environment): Telemetry {
  refuseTemplate(config);
  const [metrics, prometheus] = ['envoy_stats_bind_addr', 'envoy_prometheus_bind_addr'].map(
    (name) => placeIn(name, config),
  );
  const listeners = [
    ...(metrics ? [metricsListener('envoy_metrics', metrics, { prefix: '/stats' })] : []),
    ...(prometheus ? [metricsListener('envoy_prometheus_metrics', prometheus, METRICS)] : []),
  ];
  const sinks = [...sinksOf(config, env), ...listIn('envoy_extra_stats_sinks_json', config)];
  const flush = textIn(config['envoy_stats_flush_interval']);
  const [tracing, stats] = ['envoy_tracing_json', 'envoy_stats_config_json'].map((name) =>
    jsonIn(name, config),
  );
  return {
    clusters: [
      ...(listeners.length > 0 ? [adminCluster(admin)] : []),
      ...listIn('envoy_extra_static_clusters_json', config),
    ],
    listeners: [...listeners, ...listIn('envoy_extra_static_listeners_json', config)],
    statsTags: tagsIn(config['envoy_stats_tags']),
    more: {
      ...(sinks.length > 0 && { stats_sinks: sinks }),
      ...(flush !== '' && { stats_flush_interval: flush }),
      ...(tracing !== undefined && { tracing }),
      ...(stats !== undefined && { stats_config: stats }),
    },
  };
}

function refuseTemplate(config: Said): void {
  if (textIn(config['envoy_bootstrap_json_tpl']) === '') return;
  const why =
    'templates of a whole configuration are not taken: print one with -bootstrap, and run Envoy with what you make of it';
  throw refused('envoy_bootstrap_json_tpl', why);
}

function refused(name: string, why: string): ProconsulError {
  return new ProconsulError('invalid', `Proxy.Config.${name}: ${why}`);
}

/** Undefined where nothing is said. */
function jsonIn(name: string, config: Said): unknown {
  const text = textIn(config[name]);
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refused(name, messageOf(cause));
  }
}

/** Objects with commas between them, or a list. */
function listIn(name: string, config: Said): readonly object[] {
  const text = textIn(config[name]).trim();
  const list = text.startsWith('[') ? text : `[${text}]`;
  const said = jsonIn(name, { [name]: list });
  if (Array.isArray(said) && said.every((each) => typeof each === 'object' && each !== null)) {
    return said;
  }
  throw refused(name, 'it is no list of objects');
}

function placeIn(name: string, config: Said): Place | undefined {
  const text = textIn(config[name]);
  if (text === '') return undefined;
  try {
    const { host, port } = splitHostPort(text);
    if (isIP(host) > 0) return { host, port };
  } catch (cause) {
    throw refused(name, messageOf(cause));
  }
  throw refused(name, `${text} is no address and port`);
}

function addressOf({ host, port }: Place, more: object = {}): object {
  return { socket_address: { ...more, address: host, port_value: port } };
}

const METRICS = { path: '/metrics' };

/** Tells its figures, and nothing else that its admin tells. */
function metricsListener(name: string, at: Place, match: object): object {
  const isMetrics = match === METRICS;
  const route = { cluster: ADMIN, ...(isMetrics && { prefix_rewrite: '/stats/prometheus' }) };
  const routes = [
    { match, route },
    { match: { prefix: '/' }, direct_response: { status: 404 } },
  ];
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': `${TYPE}.extensions.filters.http.router.v3.Router` },
  };
  const typed_config = {
    '@type': `${TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: name,
    codec_type: 'HTTP1',
    route_config: { name, virtual_hosts: [{ name: ADMIN, domains: ['*'], routes }] },
    http_filters: [router],
  };
  const filter = { name: 'envoy.filters.network.http_connection_manager', typed_config };
  return {
    name: `${name}_listener`,
    address: addressOf(at),
    filter_chains: [{ filters: [filter] }],
  };
}

function adminCluster(admin: Place): object {
  const lb_endpoints = [{ endpoint: { address: addressOf(admin) } }];
  return {
    name: ADMIN,
    connect_timeout: '5s',
    type: 'STATIC',
    load_assignment: { cluster_name: ADMIN, endpoints: [{ lb_endpoints }] },
  };
}

function sinksOf(config: Said, env: Environment): object[] {
  return (
    [
      ['envoy_statsd_url', 'envoy.stat_sinks.statsd', 'StatsdSink'],
      ['envoy_dogstatsd_url', 'envoy.stat_sinks.dog_statsd', 'DogStatsdSink'],
    ] as const
  ).flatMap(([field, name, type]) => {
    const said = textIn(config[field]);
    // As in Consul: of a variable alone, where the command is run.
    const url = said.startsWith('$') ? (env[said.slice(1)] ?? '') : said;
    if (url === '') return [];
    const address = sinkAt(field, url, type);
    return [{ name, typed_config: { '@type': `${TYPE}.config.metrics.v3.${type}`, address } }];
  });
}

function sinkAt(field: string, text: string, type: string): object {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? '';
  if (url?.protocol === 'udp:' && isIP(host) > 0) {
    return addressOf({ host, port: Number(url.port) || STATSD_PORT }, { protocol: 'UDP' });
  }
  if (url?.protocol === 'unix:' && type === 'DogStatsdSink')
    return { pipe: { path: url.pathname } };
  throw refused(field, `${text} is no URL such as udp://127.0.0.1:${STATSD_PORT}`);
}

/** `NAME=VALUE` each. */
function tagsIn(said: unknown): object[] {
  return (Array.isArray(said) ? said : []).map(textIn).flatMap((text) => {
    const at = text.indexOf('=');
    if (at < 1) return [];
    return [{ tag_name: text.slice(0, at), fixed_value: text.slice(at + 1) }];
  });
}

/** The configuration with all of that in it. */
export function withTelemetry(bootstrap: object, telemetry: Telemetry): object {
  const { clusters, listeners, statsTags, more } = telemetry;
  const said = bootstrap as Said;
  const { clusters: own } = objectIn(said['static_resources']) as { clusters: readonly object[] };
  const stats = objectIn(said['stats_config']) as { stats_tags: readonly object[] };
  return {
    ...bootstrap,
    static_resources: {
      clusters: [...own, ...clusters],
      ...(listeners.length > 0 && { listeners }),
    },
    stats_config: { ...stats, stats_tags: [...stats.stats_tags, ...statsTags] },
    ...more,
  };
}
