/** What /v1/agent/self shows under DebugConfig: the configuration under Consul's names for it. */
import { formatDuration, NS_PER_MS } from '../duration.ts';
import { CONSUL_VERSION } from '../version.ts';
import type { Config, ListenAddress, TelemetryConfig } from './config.ts';
import { FOREIGN_DEBUG_CONFIG } from './debug-config-foreign.ts';
import type { Tree } from './schema.ts';

/** What stands in the place of every secret, also of one that is not set. */
const HIDDEN = 'hidden';

/** All of it, with no secret in it: whoever may read the agent may read this. */
export function debugConfig(config: Config, nodeId: string): Tree {
  return {
    ...FOREIGN_DEBUG_CONFIG,
    ...identity(config, nodeId),
    ...addresses(config),
    ...ports(config),
    ...dns(config),
    ...http(config),
    ...checks(config),
    ...acl(config),
    ...tls(config),
    ...joining(config),
    ...autopilot(config),
    Telemetry: telemetry(config.telemetry),
    Version: CONSUL_VERSION,
  };
}

function time(ms: number): string {
  return formatDuration(Math.round(ms * NS_PER_MS));
}

function tcp(host: string, port: number): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function shown(listen: readonly ListenAddress[]): readonly string[] {
  return listen.map((each) => ('path' in each ? `unix://${each.path}` : tcp(each.host, each.port)));
}

function identity(config: Config, nodeId: string): Tree {
  const { log } = config;
  return {
    Bootstrap: config.bootstrap,
    BootstrapExpect: config.bootstrapExpect,
    ConfigEntryBootstrap: config.configEntries,
    ConnectEnabled: config.connectEnabled,
    DataDir: config.dataDir,
    Datacenter: config.datacenter,
    DevMode: config.devMode,
    DisableCoordinates: config.disableCoordinates,
    DisableHostNodeID: config.disableHostNodeId,
    DisableRemoteExec: config.disableRemoteExec,
    DiscoveryMaxStale: time(config.discoveryMaxStaleMs),
    EnableDebug: config.enableDebug,
    EnableUI: config.ui.enabled,
    LeaveDrainTime: time(config.leaveDrainTimeMs),
    LeaveOnTerm: config.leaveOnTerminate,
    // An older client reads it here.
    LogLevel: log.level,
    Logging: {
      EnableSyslog: log.syslog,
      LogFilePath: log.file,
      LogJSON: log.json,
      LogLevel: log.level,
      LogRotateBytes: log.rotateBytes,
      LogRotateDuration: time(log.rotateDurationMs),
      LogRotateMaxFiles: log.rotateMaxFiles,
      Name: '',
      SyslogFacility: log.syslogFacility,
    },
    NodeID: nodeId,
    NodeMeta: config.nodeMeta,
    NodeName: config.nodeName,
    PidFile: config.pidFile,
    PrimaryDatacenter: config.primaryDatacenter,
    ServerMode: config.server,
    SessionTTLMin: time(config.sessionTtlMinMs),
    SkipLeaveOnInt: config.skipLeaveOnInterrupt,
    UIContentPath: config.ui.contentPath,
    UIDir: config.ui.dir,
    Watches: config.watches.map((watch) => ({ ...watch, token: HIDDEN })),
  };
}

function addresses({ address, listen, ports: at, translateWanAddrs }: Config): Tree {
  return {
    AdvertiseAddrLAN: address.advertise,
    AdvertiseAddrWAN: address.advertiseWan,
    BindAddr: address.bind,
    ClientAddrs: address.clients,
    DNSAddrs: [
      ...shown(listen.dns),
      ...shown(listen.dns).map((each) => each.replace(/^tcp:/, 'udp:')),
    ],
    GRPCAddrs: shown(listen.grpc),
    HTTPAddrs: shown(listen.http),
    HTTPSAddrs: shown(listen.https),
    RPCAdvertiseAddr: tcp(address.advertise, at.server),
    RPCBindAddr: tcp(address.bind, at.server),
    SerfAdvertiseAddrLAN: tcp(address.advertise, at.serfLan),
    SerfAdvertiseAddrWAN: tcp(address.advertiseWan, at.serfWan),
    SerfBindAddrLAN: tcp(address.serfLanBind, at.serfLan),
    SerfBindAddrWAN: tcp(address.serfWanBind, at.serfWan),
    TaggedAddresses: address.tagged,
    TranslateWANAddrs: translateWanAddrs,
    UnixSocketGroup: listen.socket.group,
    UnixSocketMode: listen.socket.mode,
    UnixSocketUser: listen.socket.user,
  };
}

function ports({ ports: at }: Config): Tree {
  return {
    ConnectSidecarMaxPort: at.sidecarMax,
    ConnectSidecarMinPort: at.sidecarMin,
    DNSPort: at.dns,
    ExposeMaxPort: at.exposeMax,
    ExposeMinPort: at.exposeMin,
    GRPCPort: at.grpc,
    HTTPPort: at.http,
    HTTPSPort: at.https,
    SerfPortLAN: at.serfLan,
    SerfPortWAN: at.serfWan,
    ServerPort: at.server,
  };
}

function dns({ dns: settings }: Config): Tree {
  const { soa } = settings;
  return {
    DNSARecordLimit: settings.aRecordLimit,
    DNSAllowStale: settings.allowStale,
    DNSAltDomain: settings.altDomain.replace(/\.$/, ''),
    DNSCacheMaxAge: time(settings.cacheMaxAgeMs),
    DNSDisableCompression: settings.disableCompression,
    DNSDomain: settings.domain,
    DNSEnableTruncate: settings.enableTruncate,
    DNSMaxStale: time(settings.maxStaleMs),
    DNSNodeMetaTXT: settings.nodeMetaTxt,
    DNSNodeTTL: time(settings.nodeTtlMs),
    DNSOnlyPassing: settings.onlyPassing,
    // Older clients read one recursor as text under this name.
    DNSRecursor: settings.recursors[0] ?? '',
    DNSRecursorTimeout: time(settings.recursorTimeoutMs),
    DNSRecursors: settings.recursors,
    DNSSOA: { Expire: soa.expire, Minttl: soa.minTtl, Refresh: soa.refresh, Retry: soa.retry },
    DNSServiceTTL: Object.fromEntries(
      [...settings.serviceTtlMs].map(([name, ms]) => [name, time(ms)]),
    ),
    DNSUDPAnswerLimit: settings.udpAnswerLimit,
    DNSUseCache: settings.useCache,
  };
}

function http({ http: settings, limits }: Config): Tree {
  return {
    AllowWriteHTTPFrom: settings.allowWriteFrom,
    DefaultQueryTime: time(settings.defaultQueryTimeMs),
    DisableHTTPUnprintableCharFilter: settings.disableUnprintableCharFilter,
    HTTPBlockEndpoints: settings.blockEndpoints,
    HTTPMaxConnsPerClient: limits.httpMaxConnsPerClient,
    HTTPResponseHeaders: settings.responseHeaders,
    HTTPSHandshakeTimeout: time(limits.httpsHandshakeTimeoutMs),
    HTTPUseCache: settings.useCache,
    KVMaxValueSize: limits.kvMaxValueSize,
    MaxQueryTime: time(settings.maxQueryTimeMs),
    TxnMaxReqLen: limits.txnMaxReqLen,
  };
}

function checks({ checkPolicy, services, checks: defined }: Config): Tree {
  return {
    CheckDeregisterIntervalMin: time(checkPolicy.deregisterIntervalMinMs),
    CheckOutputMaxSize: checkPolicy.maxOutputBytes,
    CheckReapInterval: time(checkPolicy.reapIntervalMs),
    CheckUpdateInterval: time(checkPolicy.updateIntervalMs),
    // Of a definition only what names it: the rest may hold tokens, in headers and arguments too.
    Checks: defined.map(({ id = '', name = '' }) => ({ ID: id, Name: name, Token: HIDDEN })),
    DiscardCheckOutput: checkPolicy.discardOutput,
    EnableAgentTLSForChecks: checkPolicy.useAgentTls,
    EnableLocalScriptChecks: checkPolicy.enableLocalScripts,
    EnableRemoteScriptChecks: checkPolicy.enableRemoteScripts,
    Services: services.map(({ id = '', name = '', port = 0, tags = [] }) => ({
      ID: id,
      Name: name,
      Port: port,
      Tags: tags,
      Token: HIDDEN,
    })),
  };
}

function acl({ acl: settings, primaryDatacenter }: Config): Tree {
  return {
    ACLAgentMasterToken: HIDDEN,
    ACLAgentToken: HIDDEN,
    ACLDatacenter: primaryDatacenter,
    ACLDefaultPolicy: settings.defaultPolicy,
    ACLDownPolicy: settings.downPolicy,
    ACLEnableKeyListPolicy: settings.enableKeyListPolicy,
    ACLEnableTokenPersistence: settings.enableTokenPersistence,
    ACLMasterToken: HIDDEN,
    ACLPolicyTTL: time(settings.policyTtlMs),
    ACLReplicationToken: HIDDEN,
    ACLRoleTTL: time(settings.roleTtlMs),
    ACLToken: HIDDEN,
    ACLTokenReplication: settings.enableTokenReplication,
    ACLTokenTTL: time(settings.tokenTtlMs),
    ACLsEnabled: settings.enabled,
    PrimaryDatacenter: primaryDatacenter,
  };
}

function tls({ tls: settings }: Config): Tree {
  return {
    CAFile: settings.caFile,
    CAPath: settings.caPath,
    CertFile: settings.certFile,
    KeyFile: HIDDEN,
    ServerName: settings.serverName,
    TLSCipherSuites: settings.cipherSuites,
    TLSMinVersion: settings.minVersion,
    TLSPreferServerCipherSuites: settings.preferServerCipherSuites,
    VerifyIncoming: settings.verifyIncomingHttps && settings.verifyIncomingRpc,
    VerifyIncomingHTTPS: settings.verifyIncomingHttps,
    VerifyIncomingRPC: settings.verifyIncomingRpc,
    VerifyOutgoing: settings.verifyOutgoing,
    VerifyServerHostname: settings.verifyServerHostname,
  };
}

function joining({ join }: Config): Tree {
  return {
    ReconnectTimeoutLAN: time(join.reconnectTimeoutMs),
    ReconnectTimeoutWAN: time(join.reconnectTimeoutWanMs),
    RejoinAfterLeave: join.rejoinAfterLeave,
    RetryJoinIntervalLAN: time(join.retryIntervalMs),
    RetryJoinIntervalWAN: time(join.retryIntervalWanMs),
    RetryJoinLAN: join.retry,
    RetryJoinMaxAttemptsLAN: join.retryMax,
    RetryJoinMaxAttemptsWAN: join.retryMaxWan,
    RetryJoinWAN: join.retryWan,
    StartJoinAddrsLAN: join.start,
    StartJoinAddrsWAN: join.startWan,
  };
}

function autopilot({ autopilot: settings }: Config): Tree {
  return {
    AutopilotCleanupDeadServers: settings.cleanupDeadServers,
    AutopilotDisableUpgradeMigration: settings.disableUpgradeMigration,
    AutopilotLastContactThreshold: time(settings.lastContactThresholdMs),
    AutopilotMaxTrailingLogs: settings.maxTrailingLogs,
    AutopilotMinQuorum: settings.minQuorum,
    AutopilotRedundancyZoneTag: settings.redundancyZoneTag,
    AutopilotServerStabilizationTime: time(settings.serverStabilizationTimeMs),
    AutopilotUpgradeVersionTag: settings.upgradeVersionTag,
  };
}

function telemetry(settings: TelemetryConfig): Tree {
  const names = [
    ...['APIApp', 'APIURL', 'BrokerID', 'BrokerSelectTag', 'CheckDisplayName'],
    ...['CheckForceMetricActivation', 'CheckID', 'CheckInstanceID', 'CheckSearchTag', 'CheckTags'],
    ...['SubmissionInterval', 'SubmissionURL'],
  ];
  return {
    AllowedPrefixes: settings.allowedPrefixes,
    BlockedPrefixes: settings.blockedPrefixes,
    ...Object.fromEntries(names.map((name) => [`Circonus${name}`, ''])),
    CirconusAPIToken: HIDDEN,
    Disable: false,
    DisableHostname: settings.disableHostname,
    DogstatsdAddr: settings.dogstatsdAddress,
    DogstatsdTags: settings.dogstatsdTags,
    FilterDefault: settings.filterDefault,
    MetricsPrefix: settings.metricsPrefix,
    PrometheusRetentionTime: time(settings.prometheusRetentionTimeMs),
    StatsdAddr: settings.statsdAddress,
    StatsiteAddr: settings.statsiteAddress,
  };
}
