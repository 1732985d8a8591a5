/**
 * What an agent or server runs with: flags, files and defaults joined, checked and resolved. It is
 * frozen through and through, and made by loadConfig alone.
 */
import type { StringMap } from '../model.ts';
import type { RawCheck, RawService } from './keys.ts';
import type { Tree } from './schema.ts';

/** Where to listen: at a TCP or UDP port, or at a Unix socket. */
export type ListenAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

export interface Config {
  /** A registry server that is an agent too; else an agent alone. */
  readonly server: boolean;
  /** -dev: nothing is kept. */
  readonly devMode: boolean;
  readonly bootstrap: boolean;
  readonly bootstrapExpect: number;
  readonly datacenter: string;
  readonly primaryDatacenter: string;
  readonly nodeName: string;
  /** '' when the agent is to find one: from its data folder, the machine, or by chance. */
  readonly nodeId: string;
  readonly disableHostNodeId: boolean;
  readonly nodeMeta: StringMap;
  /** '' in dev mode, whatever a file says: nothing is kept then. */
  readonly dataDir: string;
  readonly pidFile: string;
  readonly address: AddressConfig;
  /** A port that is 0 or less is off. */
  readonly ports: PortConfig;
  /** Every address to listen at; none for what is off. */
  readonly listen: ListenConfig;
  readonly join: JoinConfig;
  readonly leaveOnTerminate: boolean;
  readonly skipLeaveOnInterrupt: boolean;
  readonly leaveDrainTimeMs: number;
  readonly acl: AclConfig;
  readonly dns: DnsConfig;
  readonly http: HttpConfig;
  readonly limits: LimitConfig;
  readonly checkPolicy: CheckPolicy;
  /** Definitions from the files, with Consul's names for the keys of files; the agent reads them. */
  readonly services: readonly RawService[];
  readonly checks: readonly RawCheck[];
  readonly watches: readonly Tree[];
  readonly sessionTtlMinMs: number;
  readonly disableRemoteExec: boolean;
  readonly disableCoordinates: boolean;
  readonly discoveryMaxStaleMs: number;
  readonly enableDebug: boolean;
  readonly translateWanAddrs: boolean;
  readonly raftMultiplier: number;
  /** Whether the endpoints under /v1/agent/connect and /v1/connect answer at all. */
  readonly connectEnabled: boolean;
  /** Config entries to write where there are none yet. */
  readonly configEntries: readonly Tree[];
  readonly log: LogConfig;
  readonly tls: TlsConfig;
  readonly ui: UiConfig;
  readonly autopilot: AutopilotConfig;
  readonly telemetry: TelemetryConfig;
  /** Undefined: the file log, or in dev mode the memory log. */
  readonly redis: RedisConfig | undefined;
  readonly docker: DockerConfig;
  /** How many processes serve HTTP on this machine. */
  readonly workers: number;
}

export interface AddressConfig {
  readonly bind: string;
  readonly clients: readonly string[];
  readonly advertise: string;
  readonly advertiseWan: string;
  readonly serfLanBind: string;
  readonly serfWanBind: string;
  /** lan, wan, lan_ipv4 and so on, as the node's entry in the catalog has them. */
  readonly tagged: StringMap;
}

export interface PortConfig {
  readonly http: number;
  readonly https: number;
  readonly dns: number;
  readonly grpc: number;
  readonly server: number;
  readonly serfLan: number;
  readonly serfWan: number;
  readonly sidecarMin: number;
  readonly sidecarMax: number;
  readonly exposeMin: number;
  readonly exposeMax: number;
}

export interface ListenConfig {
  readonly http: readonly ListenAddress[];
  readonly https: readonly ListenAddress[];
  readonly dns: readonly ListenAddress[];
  readonly grpc: readonly ListenAddress[];
  /** Where joining agents are answered: `ports.serf_lan`. */
  readonly serfLan: readonly ListenAddress[];
  readonly socket: { readonly user: string; readonly group: string; readonly mode: string };
}

export interface JoinConfig {
  /** Tried once at start; one that fails ends the start. */
  readonly start: readonly string[];
  readonly startWan: readonly string[];
  /** Tried until one answers. */
  readonly retry: readonly string[];
  readonly retryWan: readonly string[];
  readonly retryIntervalMs: number;
  readonly retryIntervalWanMs: number;
  /** 0: without end. */
  readonly retryMax: number;
  readonly retryMaxWan: number;
  readonly rejoinAfterLeave: boolean;
  /** How long a node that left or failed stays in the list of members. */
  readonly reconnectTimeoutMs: number;
  readonly reconnectTimeoutWanMs: number;
}

export interface AclConfig {
  readonly enabled: boolean;
  readonly defaultPolicy: 'allow' | 'deny';
  readonly downPolicy: 'allow' | 'deny' | 'extend-cache' | 'async-cache';
  readonly policyTtlMs: number;
  readonly roleTtlMs: number;
  readonly tokenTtlMs: number;
  readonly enableKeyListPolicy: boolean;
  readonly enableTokenPersistence: boolean;
  readonly enableTokenReplication: boolean;
  /** '' for each that is not set. */
  readonly tokens: {
    readonly master: string;
    readonly agentMaster: string;
    readonly default: string;
    readonly agent: string;
    readonly replication: string;
  };
}

export interface DnsConfig {
  /** With a dot at the end: 'consul.'. */
  readonly domain: string;
  /** '' when there is none, else with a dot at the end. */
  readonly altDomain: string;
  /** host:port of each. */
  readonly recursors: readonly string[];
  readonly recursorTimeoutMs: number;
  /** In which order they are asked. */
  readonly recursorStrategy: 'sequential' | 'random';
  readonly allowStale: boolean;
  readonly maxStaleMs: number;
  readonly nodeTtlMs: number;
  /** By the service's name; 'web*' stands for all that begin with it, '*' for all. */
  readonly serviceTtlMs: ReadonlyMap<string, number>;
  readonly onlyPassing: boolean;
  readonly udpAnswerLimit: number;
  readonly aRecordLimit: number;
  readonly enableTruncate: boolean;
  readonly disableCompression: boolean;
  readonly nodeMetaTxt: boolean;
  readonly useCache: boolean;
  readonly cacheMaxAgeMs: number;
  /** Seconds. */
  readonly soa: {
    readonly refresh: number;
    readonly retry: number;
    readonly expire: number;
    readonly minTtl: number;
  };
}

export interface HttpConfig {
  /** Prefixes of paths that are answered with 403. */
  readonly blockEndpoints: readonly string[];
  /** Networks (CIDR) whose writes to agents' endpoints are taken; empty for all. */
  readonly allowWriteFrom: readonly string[];
  readonly responseHeaders: StringMap;
  readonly useCache: boolean;
  readonly defaultQueryTimeMs: number;
  readonly maxQueryTimeMs: number;
  readonly disableUnprintableCharFilter: boolean;
}

export interface LimitConfig {
  /** 0 or less: none. */
  readonly httpMaxConnsPerClient: number;
  readonly httpsHandshakeTimeoutMs: number;
  /** Bytes of a key's value. */
  readonly kvMaxValueSize: number;
  /** Bytes of a transaction's body. */
  readonly txnMaxReqLen: number;
}

export interface CheckPolicy {
  /** Those of files, or those registered over HTTP too. */
  readonly enableLocalScripts: boolean;
  readonly enableRemoteScripts: boolean;
  /** How long a changed output may wait until the servers hear of it. */
  readonly updateIntervalMs: number;
  readonly discardOutput: boolean;
  readonly maxOutputBytes: number;
  readonly deregisterIntervalMinMs: number;
  readonly reapIntervalMs: number;
  readonly useAgentTls: boolean;
}

export interface LogConfig {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
  readonly json: boolean;
  /** '' for the console alone. */
  readonly file: string;
  readonly rotateBytes: number;
  readonly rotateDurationMs: number;
  readonly rotateMaxFiles: number;
  readonly syslog: boolean;
  readonly syslogFacility: string;
}

export interface TlsConfig {
  readonly caFile: string;
  readonly caPath: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly minVersion: 'tls10' | 'tls11' | 'tls12' | 'tls13';
  readonly cipherSuites: readonly string[];
  readonly preferServerCipherSuites: boolean;
  readonly serverName: string;
  /** Whether a client of the HTTPS port must show a certificate. */
  readonly verifyIncomingHttps: boolean;
  /** Whether an agent or server must show one to another. */
  readonly verifyIncomingRpc: boolean;
  readonly verifyOutgoing: boolean;
  readonly verifyServerHostname: boolean;
}

export interface UiConfig {
  readonly enabled: boolean;
  /** A folder with the user's own page, or ''. */
  readonly dir: string;
  /** Begins and ends with a slash. */
  readonly contentPath: string;
}

export interface AutopilotConfig {
  readonly cleanupDeadServers: boolean;
  readonly disableUpgradeMigration: boolean;
  readonly lastContactThresholdMs: number;
  readonly maxTrailingLogs: number;
  readonly minQuorum: number;
  readonly redundancyZoneTag: string;
  readonly serverStabilizationTimeMs: number;
  readonly upgradeVersionTag: string;
}

export interface TelemetryConfig {
  readonly metricsPrefix: string;
  readonly disableHostname: boolean;
  readonly filterDefault: boolean;
  readonly allowedPrefixes: readonly string[];
  readonly blockedPrefixes: readonly string[];
  /** 0: no answers in Prometheus' format. */
  readonly prometheusRetentionTimeMs: number;
  readonly statsdAddress: string;
  readonly statsiteAddress: string;
  readonly dogstatsdAddress: string;
  readonly dogstatsdTags: readonly string[];
}

export interface RedisConfig {
  /** As -redis takes it, with `s` after `redis` for TLS; '' with sentinels. */
  readonly url: string;
  readonly commit: 'redis' | 'quorum';
  /** host:port of each. */
  readonly sentinels: readonly string[];
  readonly sentinelName: string;
  readonly sentinelUsername: string;
  readonly sentinelPassword: string;
  /** '' for what the URL says. */
  readonly username: string;
  readonly password: string;
  readonly database: number | undefined;
  readonly tls: {
    readonly enabled: boolean;
    readonly caFile: string;
    readonly certFile: string;
    readonly keyFile: string;
    readonly serverName: string;
  };
}

/** The words of registrator's flags, for those who come from it. */
export interface DockerConfig {
  readonly enabled: boolean;
  /** '' for DOCKER_HOST or the usual socket. */
  readonly endpoint: string;
  /** Only containers that name a service. */
  readonly explicit: boolean;
  /** The container's own address and port instead of the published ones. */
  readonly internal: boolean;
  /** The address to register published ports at; '' for the agent's own. */
  readonly ip: string;
  /** Given to every instance. */
  readonly tags: readonly string[];
  /** How often everything is compared, even though no event said anything. */
  readonly resyncMs: number;
  /** Whether to remove what registrator left behind for containers that are gone. */
  readonly cleanup: boolean;
  /** The first part of the ids of instances; '' for the machine's own. */
  readonly hostname: string;
  /** Only containers that ask for it. */
  readonly optIn: boolean;
  /** How long a container that ended is waited for, so that a restart moves nothing. */
  readonly deregisterDelayMs: number;
  readonly tls: {
    readonly caFile: string;
    readonly certFile: string;
    readonly keyFile: string;
  };
  /** Read for the sake of registrator's users, but without effect: the agent's lease does this. */
  readonly ttlMs: number;
  readonly ttlRefreshMs: number;
  readonly deregister: 'always' | 'on-success' | 'never';
  /** The label that holds the address to register, or ''. */
  readonly useIpFromLabel: string;
}
