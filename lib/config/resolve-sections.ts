/** The parts of the configuration that stand each for itself: from raw keys to resolved values. */
import { isIP } from 'node:net';
import { openSslCipher } from './cipher-suites.ts';
import type {
  AclConfig,
  AutopilotConfig,
  CheckPolicy,
  DnsConfig,
  HttpConfig,
  JoinConfig,
  LimitConfig,
  LogConfig,
  TelemetryConfig,
  TlsConfig,
  UiConfig,
} from './config.ts';
import type { RawConfig } from './keys.ts';
import type { Problems } from './problems.ts';
import { parseCidr } from './sockaddr.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const DEFAULT_CHECK_OUTPUT_BYTES = 4096;
const DEFAULT_DNS_PORT = 53;
const MAX_VALUE_BYTES = 512 * 1024;

export function resolveAcl(raw: RawConfig, problems: Problems): AclConfig {
  const { acl = {} } = raw;
  const { tokens = {} } = acl;
  const ttl = (key: 'policy_ttl' | 'role_ttl', defaultMs: number) =>
    problems.durationMs(`acl.${key}`, acl[key], defaultMs);
  const tokenTtlMs = problems.durationMs(
    'acl.token_ttl',
    acl.token_ttl ?? raw.acl_ttl,
    30 * SECOND,
  );
  return {
    // Consul before 1.4 had no such key: there, naming the datacenter switched it on.
    enabled: acl.enabled ?? raw.acl_datacenter !== undefined,
    defaultPolicy: problems.oneOf(
      'acl.default_policy',
      acl.default_policy ?? raw.acl_default_policy,
      ['allow', 'deny'],
    ),
    downPolicy: problems.oneOf('acl.down_policy', acl.down_policy ?? raw.acl_down_policy, [
      'extend-cache',
      'async-cache',
      'allow',
      'deny',
    ]),
    policyTtlMs: ttl('policy_ttl', 30 * SECOND),
    roleTtlMs: ttl('role_ttl', 0),
    tokenTtlMs,
    enableKeyListPolicy: acl.enable_key_list_policy ?? raw.acl_enable_key_list_policy ?? false,
    enableTokenPersistence: acl.enable_token_persistence ?? false,
    enableTokenReplication: acl.enable_token_replication ?? raw.enable_acl_replication ?? false,
    tokens: {
      master: tokens.initial_management ?? tokens.master ?? raw.acl_master_token ?? '',
      agentMaster: tokens.agent_recovery ?? tokens.agent_master ?? raw.acl_agent_master_token ?? '',
      default: tokens.default ?? raw.acl_token ?? '',
      agent: tokens.agent ?? raw.acl_agent_token ?? '',
      replication: tokens.replication ?? raw.acl_replication_token ?? '',
    },
  };
}

export function resolveDns(raw: RawConfig, problems: Problems): DnsConfig {
  const { dns_config: dns = {} } = raw;
  const ms = (key: 'max_stale' | 'node_ttl' | 'recursor_timeout' | 'cache_max_age', def: number) =>
    problems.durationMs(`dns_config.${key}`, dns[key], def);
  const count = (key: 'udp_answer_limit' | 'a_record_limit', fallback: number) =>
    problems.atLeast(`dns_config.${key}`, dns[key], { min: 0, fallback });
  const soa = (key: 'refresh' | 'retry' | 'expire' | 'min_ttl', fallback: number) =>
    problems.atLeast(`dns_config.soa.${key}`, dns.soa?.[key], { min: 0, fallback });
  return {
    domain: fullyQualified(raw.domain ?? 'consul'),
    altDomain: raw.alt_domain ? fullyQualified(raw.alt_domain) : '',
    recursors: (raw.recursors ?? []).map((address) => recursor(address, problems)),
    recursorTimeoutMs: ms('recursor_timeout', 2 * SECOND),
    recursorStrategy: dns.recursor_strategy === 'random' ? 'random' : 'sequential',
    allowStale: dns.allow_stale ?? true,
    maxStaleMs: ms('max_stale', 10 * 365 * 24 * HOUR),
    nodeTtlMs: ms('node_ttl', 0),
    serviceTtlMs: serviceTtls(dns.service_ttl ?? {}, problems),
    onlyPassing: dns.only_passing ?? false,
    udpAnswerLimit: count('udp_answer_limit', 3),
    aRecordLimit: count('a_record_limit', 0),
    enableTruncate: dns.enable_truncate ?? false,
    disableCompression: dns.disable_compression ?? false,
    nodeMetaTxt: dns.enable_additional_node_meta_txt ?? true,
    useCache: dns.use_cache ?? false,
    cacheMaxAgeMs: ms('cache_max_age', 0),
    soa: {
      refresh: soa('refresh', 3600),
      retry: soa('retry', 600),
      expire: soa('expire', 86400),
      minTtl: soa('min_ttl', 0),
    },
  };
}

function fullyQualified(domain: string): string {
  return domain.endsWith('.') ? domain : `${domain}.`;
}

function serviceTtls(
  given: Readonly<Record<string, string>>,
  problems: Problems,
): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(given).map(([name, text]) => [
      name,
      problems.durationMs(`dns_config.service_ttl[${JSON.stringify(name)}]`, text, 0),
    ]),
  );
}

/** '1.2.3.4' → '1.2.3.4:53'. */
function recursor(text: string, problems: Problems): string {
  const address = text.replace(/^\[(.*)\]$/, '$1');
  const hasPort = isIP(address) === 0 && /:\d+$/.test(text);
  const host = hasPort ? text.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') : address;
  if (host === '0.0.0.0' || host === '::') {
    problems.refuse('DNS recursor address cannot be 0.0.0.0, :: or [::]');
  }
  if (hasPort) return text;
  return isIP(address) === 6
    ? `[${address}]:${DEFAULT_DNS_PORT}`
    : `${address}:${DEFAULT_DNS_PORT}`;
}

export function resolveHttp(raw: RawConfig, problems: Problems): HttpConfig {
  const { http_config: http = {} } = raw;
  return {
    blockEndpoints: http.block_endpoints ?? [],
    allowWriteFrom: networks('allow_write_http_from', http.allow_write_http_from, problems),
    responseHeaders: http.response_headers ?? {},
    useCache: http.use_cache ?? true,
    defaultQueryTimeMs: problems.durationMs(
      'default_query_time',
      raw.default_query_time,
      5 * MINUTE,
    ),
    maxQueryTimeMs: problems.durationMs('max_query_time', raw.max_query_time, 10 * MINUTE),
    disableUnprintableCharFilter: raw.disable_http_unprintable_char_filter ?? false,
  };
}

export function networks(
  path: string,
  given: readonly string[] | undefined,
  problems: Problems,
): readonly string[] {
  const list = given ?? [];
  for (const cidr of list) {
    if (parseCidr(cidr) === undefined) problems.error(`${path}: invalid cidr: ${cidr}`);
  }
  return list;
}

export function resolveLimits(raw: RawConfig, problems: Problems): LimitConfig {
  const { limits = {} } = raw;
  const bytes = (key: 'kv_max_value_size' | 'txn_max_req_len') =>
    problems.atLeast(`limits.${key}`, limits[key], { min: 0, fallback: MAX_VALUE_BYTES });
  return {
    httpMaxConnsPerClient: limits.http_max_conns_per_client ?? 200,
    httpsHandshakeTimeoutMs: problems.durationMs(
      'limits.https_handshake_timeout',
      limits.https_handshake_timeout,
      5 * SECOND,
    ),
    kvMaxValueSize: bytes('kv_max_value_size'),
    txnMaxReqLen: bytes('txn_max_req_len'),
  };
}

export function resolveJoin(raw: RawConfig, problems: Problems): JoinConfig {
  const ms = (key: 'retry_interval' | 'retry_interval_wan', defaultMs: number) =>
    problems.durationMs(key, raw[key], defaultMs);
  const timeout = (key: 'reconnect_timeout' | 'reconnect_timeout_wan') =>
    problems.durationMs(key, raw[key], 72 * HOUR);
  for (const address of raw.retry_join ?? []) {
    const provider = /\bprovider=(\S+)/.exec(address)?.[1];
    if (provider === undefined) continue;
    // Only the provider's name: the rest may hold keys.
    problems.warn(
      `retry_join with provider=${provider}: addresses are not looked up at cloud providers here; ` +
        'name hosts or http(s) URLs',
    );
  }
  return {
    start: raw.start_join ?? [],
    startWan: raw.start_join_wan ?? [],
    retry: raw.retry_join ?? [],
    retryWan: raw.retry_join_wan ?? [],
    retryIntervalMs: ms('retry_interval', 30 * SECOND),
    retryIntervalWanMs: ms('retry_interval_wan', 30 * SECOND),
    retryMax: raw.retry_max ?? 0,
    retryMaxWan: raw.retry_max_wan ?? 0,
    rejoinAfterLeave: raw.rejoin_after_leave ?? false,
    reconnectTimeoutMs: timeout('reconnect_timeout'),
    reconnectTimeoutWanMs: timeout('reconnect_timeout_wan'),
  };
}

export function resolveCheckPolicy(raw: RawConfig, problems: Problems): CheckPolicy {
  const maxOutputBytes = raw.check_output_max_size ?? DEFAULT_CHECK_OUTPUT_BYTES;
  if (maxOutputBytes < 1) {
    problems.refuse(
      'check_output_max_size must be positive, ' +
        'to discard check output use the discard_check_output flag',
    );
  }
  const remote = raw.enable_script_checks ?? false;
  if (remote && !raw.acl?.enabled && !raw.http_config?.allow_write_http_from?.length) {
    problems.warn(
      'using enable-script-checks without ACLs and without allow_write_http_from is DANGEROUS: ' +
        'whoever reaches the HTTP port runs commands here; use enable-local-script-checks instead',
    );
  }
  return {
    enableLocalScripts: remote || (raw.enable_local_script_checks ?? false),
    enableRemoteScripts: remote,
    updateIntervalMs: problems.durationMs(
      'check_update_interval',
      raw.check_update_interval,
      5 * MINUTE,
    ),
    discardOutput: raw.discard_check_output ?? false,
    maxOutputBytes,
    deregisterIntervalMinMs: problems.durationMs(
      'check_deregister_interval_min',
      raw.check_deregister_interval_min,
      MINUTE,
    ),
    reapIntervalMs: problems.durationMs(
      'check_reap_interval',
      raw.check_reap_interval,
      30 * SECOND,
    ),
    useAgentTls: raw.tls?.enable_agent_tls_for_checks ?? raw.enable_agent_tls_for_checks ?? false,
  };
}

const LEVELS: ReadonlyMap<string, LogConfig['level']> = new Map([
  ['TRACE', 'trace'],
  ['DEBUG', 'debug'],
  ['INFO', 'info'],
  ['WARN', 'warn'],
  ['WARNING', 'warn'],
  ['ERR', 'error'],
  ['ERROR', 'error'],
]);

export function resolveLog(raw: RawConfig, problems: Problems): LogConfig {
  const name = raw.log_level ?? 'INFO';
  const level = LEVELS.get(name.toUpperCase());
  if (level === undefined) {
    problems.error(`Invalid log level: ${name}. Valid log levels are: [TRACE DEBUG INFO WARN ERR]`);
  }
  return {
    level: level ?? 'info',
    json: raw.log_json ?? false,
    file: raw.log_file ?? '',
    rotateBytes: raw.log_rotate_bytes ?? 0,
    rotateDurationMs: problems.durationMs('log_rotate_duration', raw.log_rotate_duration, 0),
    rotateMaxFiles: raw.log_rotate_max_files ?? 0,
    syslog: raw.enable_syslog ?? false,
    syslogFacility: raw.syslog_facility ?? 'LOCAL0',
  };
}

export function resolveTls(raw: RawConfig, problems: Problems): TlsConfig {
  const { tls = {} } = raw;
  // Since 1.12 these stand under tls.defaults, and may differ by listener.
  const own = { ...raw, ...tls.defaults };
  const https = { ...own, ...tls.https };
  const rpc = { ...own, ...tls.internal_rpc };
  const version = (https.tls_min_version ?? 'tls12').toLowerCase().replace(/^tlsv1_/, 'tls1');
  return {
    caFile: https.ca_file ?? '',
    caPath: https.ca_path ?? '',
    certFile: https.cert_file ?? '',
    keyFile: https.key_file ?? '',
    minVersion: problems.oneOf('tls_min_version', version, ['tls12', 'tls10', 'tls11', 'tls13']),
    cipherSuites: resolveCiphers(https.tls_cipher_suites ?? '', problems),
    preferServerCipherSuites: raw.tls_prefer_server_cipher_suites ?? false,
    serverName: raw.server_name ?? '',
    verifyIncomingHttps: https.verify_incoming ?? raw.verify_incoming_https ?? false,
    verifyIncomingRpc: rpc.verify_incoming ?? raw.verify_incoming_rpc ?? false,
    verifyOutgoing: own.verify_outgoing ?? false,
    verifyServerHostname: rpc.verify_server_hostname ?? false,
  };
}

function resolveCiphers(list: string, problems: Problems): readonly string[] {
  const names = list.split(/\s*,\s*/).filter((each) => each !== '');
  return names.flatMap((name) => {
    const cipher = openSslCipher(name);
    if (cipher !== undefined) return [cipher];
    const cause = `unsupported cipher ${JSON.stringify(name)}`;
    problems.error(`tls_cipher_suites: invalid tls cipher suites: ${cause}`);
    return [];
  });
}

export function resolveUi(raw: RawConfig, problems: Problems): UiConfig {
  const enabled = raw.ui_config?.enabled ?? raw.ui ?? false;
  const dir = raw.ui_config?.dir ?? raw.ui_dir ?? '';
  if (enabled && dir !== '') {
    problems.refuse(
      'Both the ui and ui-dir flags were specified, please provide only one.\n' +
        'If trying to use your own web UI resources, use the ui-dir flag.\n' +
        'The web UI is included in the binary so use ui to enable it',
    );
  }
  const path = raw.ui_config?.content_path ?? raw.ui_content_path ?? '/ui/';
  const contentPath = `/${path}/`.replace(/\/+/g, '/');
  if (!/^[A-Za-z0-9/_-]+$/.test(contentPath)) {
    problems.refuse(
      `ui-content-path can only contain alphanumeric, -, _, or /. received: ${contentPath}`,
    );
  }
  return { enabled: enabled || dir !== '', dir, contentPath };
}

export function resolveAutopilot(raw: RawConfig, problems: Problems): AutopilotConfig {
  const { autopilot = {} } = raw;
  const ms = (key: 'last_contact_threshold' | 'server_stabilization_time', defaultMs: number) =>
    problems.durationMs(`autopilot.${key}`, autopilot[key], defaultMs);
  const count = (key: 'max_trailing_logs' | 'min_quorum', fallback: number) =>
    problems.atLeast(`autopilot.${key}`, autopilot[key], { min: 0, fallback });
  return {
    cleanupDeadServers: autopilot.cleanup_dead_servers ?? true,
    disableUpgradeMigration: autopilot.disable_upgrade_migration ?? false,
    lastContactThresholdMs: ms('last_contact_threshold', 200),
    maxTrailingLogs: count('max_trailing_logs', 250),
    minQuorum: count('min_quorum', 0),
    redundancyZoneTag: autopilot.redundancy_zone_tag ?? '',
    serverStabilizationTimeMs: ms('server_stabilization_time', 10 * SECOND),
    upgradeVersionTag: autopilot.upgrade_version_tag ?? '',
  };
}

export function resolveTelemetry(raw: RawConfig, problems: Problems): TelemetryConfig {
  const { telemetry = {} } = raw;
  const { prefix_filter: filter = [] } = telemetry;
  for (const rule of filter) {
    if (!/^[+-]/.test(rule)) {
      problems.warn(`Filter rule must begin with either '+' or '-': ${JSON.stringify(rule)}`);
    }
  }
  const starting = (sign: string) =>
    filter.filter((rule) => rule.startsWith(sign)).map((rule) => rule.slice(1));
  return {
    metricsPrefix: telemetry.metrics_prefix ?? 'consul',
    disableHostname: telemetry.disable_hostname ?? false,
    filterDefault: telemetry.filter_default ?? true,
    allowedPrefixes: starting('+'),
    blockedPrefixes: starting('-'),
    prometheusRetentionTimeMs: problems.durationMs(
      'telemetry.prometheus_retention_time',
      telemetry.prometheus_retention_time,
      0,
    ),
    statsdAddress: telemetry.statsd_address ?? '',
    statsiteAddress: telemetry.statsite_address ?? '',
    dogstatsdAddress: telemetry.dogstatsd_addr ?? '',
    dogstatsdTags: telemetry.dogstatsd_tags ?? [],
  };
}
