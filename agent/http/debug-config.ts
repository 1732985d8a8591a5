/** The settings that /v1/agent/self shows under DebugConfig, with Consul's names for them. */
import type { Config, ListenAddress } from '../../lib/config/config.ts';
import { formatDuration, NS_PER_MS } from '../../lib/duration.ts';

const HIDDEN = 'hidden';

function time(ms: number): string {
  return formatDuration(ms * NS_PER_MS);
}

function shown(protocols: readonly string[], addresses: readonly ListenAddress[]): string[] {
  return addresses.flatMap((address) =>
    'path' in address
      ? [`unix://${address.path}`]
      : protocols.map((protocol) => `${protocol}://${address.host}:${address.port}`),
  );
}

export function debugConfig(config: Config, nodeId: string): Readonly<Record<string, unknown>> {
  return {
    ...identity(config, nodeId),
    ...addresses(config),
    ...dns(config),
    ...checks(config),
    ...access(config),
    ...joining(config),
  };
}

function identity(config: Config, nodeId: string): Readonly<Record<string, unknown>> {
  return {
    Bootstrap: config.bootstrap,
    BootstrapExpect: config.bootstrapExpect,
    DataDir: config.dataDir,
    Datacenter: config.datacenter,
    DevMode: config.devMode,
    DisableHostNodeID: config.disableHostNodeId,
    EnableDebug: config.enableDebug,
    EnableUI: config.ui.enabled,
    LeaveDrainTime: time(config.leaveDrainTimeMs),
    LeaveOnTerm: config.leaveOnTerminate,
    Logging: { LogFilePath: config.log.file, LogJSON: config.log.json, LogLevel: config.log.level },
    LogLevel: config.log.level,
    NodeID: nodeId,
    NodeMeta: config.nodeMeta,
    NodeName: config.nodeName,
    PidFile: config.pidFile,
    PrimaryDatacenter: config.primaryDatacenter,
    Revision: '',
    ServerMode: config.server,
    SessionTTLMin: time(config.sessionTtlMinMs),
    SkipLeaveOnInt: config.skipLeaveOnInterrupt,
    UIContentPath: config.ui.contentPath,
    UIDir: config.ui.dir,
  };
}

function addresses(config: Config): Readonly<Record<string, unknown>> {
  const { address, listen, ports } = config;
  return {
    AdvertiseAddrLAN: address.advertise,
    AdvertiseAddrWAN: address.advertiseWan,
    BindAddr: address.bind,
    ClientAddrs: address.clients,
    DNSAddrs: shown(['tcp', 'udp'], listen.dns),
    DNSPort: ports.dns,
    GRPCAddrs: shown(['tcp'], listen.grpc),
    GRPCPort: ports.grpc,
    HTTPAddrs: shown(['tcp'], listen.http),
    HTTPBlockEndpoints: config.http.blockEndpoints,
    HTTPMaxConnsPerClient: config.limits.httpMaxConnsPerClient,
    HTTPPort: ports.http,
    HTTPResponseHeaders: config.http.responseHeaders,
    HTTPSAddrs: shown(['tcp'], listen.https),
    HTTPSPort: ports.https,
    KVMaxValueSize: config.limits.kvMaxValueBytes,
    SerfBindAddrLAN: `tcp://${address.serfLanBind}:${ports.serfLan}`,
    SerfPortLAN: ports.serfLan,
    SerfPortWAN: ports.serfWan,
    ServerPort: ports.server,
    TaggedAddresses: address.tagged,
    TranslateWANAddrs: config.translateWanAddrs,
    TxnMaxReqLen: config.limits.txnMaxRequestBytes,
  };
}

function dns({ dns: settings }: Config): Readonly<Record<string, unknown>> {
  return {
    DNSARecordLimit: settings.aRecordLimit,
    DNSAllowStale: settings.allowStale,
    DNSAltDomain: settings.altDomain,
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
    DNSServiceTTL: Object.fromEntries(
      [...settings.serviceTtlMs].map(([name, ms]) => [name, time(ms)]),
    ),
    DNSUDPAnswerLimit: settings.udpAnswerLimit,
  };
}

function checks({ checkPolicy, services, checks: defined }: Config) {
  return {
    CheckDeregisterIntervalMin: time(checkPolicy.deregisterIntervalMinMs),
    CheckOutputMaxSize: checkPolicy.maxOutputBytes,
    CheckReapInterval: time(checkPolicy.reapIntervalMs),
    CheckUpdateInterval: time(checkPolicy.updateIntervalMs),
    Checks: defined.map((check) => ({ ...check, token: HIDDEN })),
    DiscardCheckOutput: checkPolicy.discardOutput,
    EnableLocalScriptChecks: checkPolicy.enableLocalScripts,
    EnableRemoteScriptChecks: checkPolicy.enableRemoteScripts,
    Services: services.map(({ name, id, port }) => ({ Name: name, ID: id, Port: port })),
  };
}

function access({ acl, tls }: Config): Readonly<Record<string, unknown>> {
  return {
    ACLAgentMasterToken: HIDDEN,
    ACLAgentToken: HIDDEN,
    ACLDefaultPolicy: acl.defaultPolicy,
    ACLDownPolicy: acl.downPolicy,
    ACLMasterToken: HIDDEN,
    ACLPolicyTTL: time(acl.policyTtlMs),
    ACLReplicationToken: HIDDEN,
    ACLToken: HIDDEN,
    ACLTokenTTL: time(acl.tokenTtlMs),
    ACLsEnabled: acl.enabled,
    CAFile: tls.caFile,
    CertFile: tls.certFile,
    EncryptKey: HIDDEN,
    KeyFile: HIDDEN,
    TLSMinVersion: tls.minVersion,
    VerifyIncoming: tls.verifyIncomingHttps && tls.verifyIncomingRpc,
    VerifyOutgoing: tls.verifyOutgoing,
    VerifyServerHostname: tls.verifyServerHostname,
  };
}

function joining({ join }: Config): Readonly<Record<string, unknown>> {
  return {
    ReconnectTimeoutLAN: time(join.reconnectTimeoutMs),
    RejoinAfterLeave: join.rejoinAfterLeave,
    RetryJoinIntervalLAN: time(join.retryIntervalMs),
    RetryJoinLAN: join.retry,
    RetryJoinMaxAttemptsLAN: join.retryMax,
    StartJoinAddrsLAN: join.start,
  };
}
