/** What /v1/agent/self shows under DebugConfig: the configuration under Consul's names for it. */
import { CONSUL_VERSION } from '../version.ts';
import type { Config } from './config.ts';
import type { ListenAddress } from './keys/addresses.ts';
import type { Tree } from './row.ts';
import { HIDDEN, time } from './shown-keys.ts';

/** What no key here sets, for clients that look for the names. */
const CONSTANT = {
  AutoConfig: {
    Authorizer: {
      AllowReuse: false,
      AuthMethod: {
        ACLAuthMethodEnterpriseFields: {},
        Config: {
          BoundAudiences: null,
          BoundIssuer: '',
          ClaimMappings: null,
          ClockSkewLeeway: 0,
          ExpirationLeeway: 0,
          JWKSCACert: '',
          JWKSURL: '',
          JWTSupportedAlgs: null,
          JWTValidationPubKeys: null,
          ListClaimMappings: null,
          NotBeforeLeeway: 0,
          OIDCDiscoveryCACert: '',
          OIDCDiscoveryURL: '',
        },
        Description: '',
        DisplayName: '',
        EnterpriseMeta: {},
        MaxTokenTTL: '0s',
        Name: 'Auto Config Authorizer',
        RaftIndex: { CreateIndex: 0, ModifyIndex: 0 },
        TokenLocality: '',
        Type: 'jwt',
      },
      ClaimAssertions: [],
      Enabled: false,
    },
    DNSSANs: [],
    Enabled: false,
    IPSANs: [],
    IntroToken: HIDDEN,
    IntroTokenFile: '',
    ServerAddresses: [],
  },
  ConnectCAConfig: {},
  EnterpriseRuntimeConfig: {},
  Segments: [],
  TLSCipherSuites: [],
  Version: CONSUL_VERSION,
};

/** All of it, with no secret in it: whoever may read the agent may read this. */
export function debugConfig(config: Config, nodeId: string): Tree {
  return {
    ...CONSTANT,
    ...config.shown,
    ...identity(config, nodeId),
    ...addresses(config),
    ...checks(config),
  };
}

function tcp(host: string, port: number): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function listening(listen: readonly ListenAddress[]): readonly string[] {
  return listen.map((each) => ('path' in each ? `unix://${each.path}` : tcp(each.host, each.port)));
}

function identity(config: Config, nodeId: string): Tree {
  const { datacenter, dns, log } = config;
  return {
    ACLDatacenter: datacenter,
    ACLsEnabled: config.acl.enabled,
    Bootstrap: config.bootstrap,
    BootstrapExpect: config.bootstrapExpect,
    DNSAltDomain: dns.altDomain.replace(/\.$/, ''),
    DNSDomain: dns.domain,
    // Older clients read one recursor as text under this name.
    DNSRecursor: dns.recursors[0] ?? '',
    DNSServiceTTL: Object.fromEntries([...dns.serviceTtlMs].map(([name, ms]) => [name, time(ms)])),
    DataDir: config.dataDir,
    Datacenter: datacenter,
    DevMode: config.devMode,
    LeaveOnTerm: config.leaveOnTerminate,
    // An older client reads it here.
    LogLevel: log.level,
    Logging: { ...(config.shown['Logging'] as Tree), LogLevel: log.level, Name: '' },
    NodeID: nodeId,
    NodeMeta: config.nodeMeta,
    NodeName: config.nodeName,
    PrimaryDatacenter: datacenter,
    SkipLeaveOnInt: config.skipLeaveOnInterrupt,
  };
}

function addresses({ address, listen, ports }: Config): Tree {
  const dns = listening(listen.dns);
  const onClients = (port: number) =>
    port <= 0 ? [] : address.clients.map((host) => tcp(host, port));
  return {
    AdvertiseAddrLAN: address.advertise,
    AdvertiseAddrWAN: address.advertiseWan,
    BindAddr: address.bind,
    ClientAddrs: address.clients,
    DNSAddrs: [...dns, ...dns.map((each) => each.replace(/^tcp:/, 'udp:'))],
    GRPCAddrs: onClients(ports.grpc),
    HTTPAddrs: listening(listen.http),
    HTTPSAddrs: listening(listen.https),
    RPCAdvertiseAddr: tcp(address.advertise, ports.server),
    RPCBindAddr: tcp(address.bind, ports.server),
    SerfAdvertiseAddrLAN: tcp(address.advertise, ports.serfLan),
    SerfAdvertiseAddrWAN: tcp(address.advertiseWan, ports.serfWan),
    SerfBindAddrLAN: tcp(address.serfLanBind, ports.serfLan),
    SerfBindAddrWAN: tcp(address.serfWanBind, ports.serfWan),
    TaggedAddresses: address.tagged,
  };
}

function checks({ checkPolicy, services, checks: defined }: Config): Tree {
  return {
    // Of a definition only what names it: the rest may hold tokens, in headers and arguments too.
    Checks: defined.map(({ id = '', name = '' }) => ({ ID: id, Name: name, Token: HIDDEN })),
    EnableLocalScriptChecks: checkPolicy.enableLocalScripts,
    Services: services.map(({ id = '', name = '', port = 0, tags = [] }) => ({
      ID: id,
      Name: name,
      Port: port,
      Tags: tags,
      Token: HIDDEN,
    })),
  };
}
