/** Which addresses and ports to use: bind, client, advertise, and what listens where. */
import { isIPv6 } from 'node:net';
import {
  ANY,
  addressList,
  advertiseFor,
  singleAddress,
  taggedAddresses,
  UNIX,
} from '../addresses.ts';
import type { Source } from '../config-host.ts';
import type { Problems } from '../problems.ts';
import { int, type More, map, newer, noEffect, optional, type Settled, text } from '../row.ts';

const port = (does: string, fallback: number, more: More<number> = {}) =>
  int(does, {
    default: fallback,
    ...more,
    rule(value, path, problems) {
      if (value > 65535) problems.error(`${path}: invalid port: ${value}`);
      return value <= 0 ? -1 : value;
    },
  });

/** Consul reads these as numbers too, and ends at the start with what is none. */
function owner(value: string, path: string, problems: Problems): string {
  if (!/^\d*$/.test(value) || Number(value) >= NOBODY_ID) {
    problems.refuse(`${path} must be a number, not ${JSON.stringify(value)}`);
  }
  return value;
}

function permissions(value: string, path: string, problems: Problems): string {
  if (!/^[0-7]{0,4}$/.test(value)) {
    problems.refuse(`${path} must be permissions such as 0770, not ${JSON.stringify(value)}`);
  }
  return value;
}

/** The largest means that nothing is to change. */
const NOBODY_ID = 2 ** 32 - 1;

export const ADDRESS_KEYS = {
  bind_addr: text('The address for agents and other servers.', {
    default: '0.0.0.0',
    flag: 'bind',
  }),
  client_addr: text('The addresses, with spaces between, for clients: HTTP and DNS.', {
    default: '127.0.0.1',
    flag: 'client',
  }),
  advertise_addr: text('The address at which others reach this node.', { flag: 'advertise' }),
  advertise_addr_ipv4: text("This node's other address, in its tagged addresses."),
  advertise_addr_ipv6: text("This node's other address, in its tagged addresses."),
  advertise_addr_wan: text('The address that other data centres are told; else advertise_addr.', {
    flag: 'advertise-wan',
  }),
  advertise_addr_wan_ipv4: text('The same of the other family.'),
  advertise_addr_wan_ipv6: text('The same of the other family.'),
  tagged_addresses: map('Further addresses in the entry of this node in the catalog.'),
  serf_lan: text('The address to answer joining agents at; else bind_addr.', {
    flag: 'serf-lan-bind',
  }),
  addresses: {
    http: optional(text('As client_addr, for HTTP; `unix:///path` is a socket.')),
    dns: optional(text('As client_addr, for DNS.')),
    https: optional(text('As client_addr, for HTTPS.')),
    grpc: optional(text('As client_addr, for gRPC.')),
    ...newer('grpc_tls'),
  },
  ports: {
    http: port('The port for HTTP; -1 turns it off.', 8500, {
      shown: 'HTTPPort',
      flag: 'http-port',
    }),
    dns: port('The port for DNS; -1 turns it off.', 8600, { shown: 'DNSPort', flag: 'dns-port' }),
    server: port('The port at which a server answers agents.', 8300, {
      shown: 'ServerPort',
      flag: 'server-port',
    }),
    serf_lan: port('The port to answer joining agents at.', 8301, {
      shown: 'SerfPortLAN',
      flag: 'serf-lan-port',
    }),
    eureka: port(
      "The port for Eureka's clients, with eureka.enabled; -1 leaves them HTTP's.",
      8761,
    ),
    sidecar_min_port: port('The first port that a sidecar may get.', 21000, {
      shown: 'ConnectSidecarMinPort',
    }),
    sidecar_max_port: port('The last one.', 21255, { shown: 'ConnectSidecarMaxPort' }),
    grpc: port('The port for xDS: Envoy, and clients of gRPC (docs/xds.md); -1 turns it off.', -1, {
      shown: 'GRPCPort',
      flag: 'grpc-port',
    }),
    grpc_tls: port('The same by TLS alone, which needs a certificate (tls.grpc).', -1),
    https: port('The port for HTTPS, which needs a certificate; -1 turns it off.', -1, {
      shown: 'HTTPSPort',
      flag: 'https-port',
    }),
    ...noEffect('other data centres are not built yet', {
      serf_wan: port('', 8302, { shown: 'SerfPortWAN', flag: 'serf-wan-port' }),
    }),
    ...noEffect('sidecars have no ports from it here', {
      proxy_min_port: port('', 20000),
      proxy_max_port: port('', 20255),
      expose_min_port: port('', 21500, { shown: 'ExposeMinPort' }),
      expose_max_port: port('', 21755, { shown: 'ExposeMaxPort' }),
    }),
  },
  unix_sockets: {
    user: text('The number of the user to whom sockets of HTTP belong.', {
      shown: 'UnixSocketUser',
      rule: owner,
    }),
    group: text('The number of their group.', {
      shown: 'UnixSocketGroup',
      rule: owner,
    }),
    mode: text('Their permissions, such as 0770.', {
      shown: 'UnixSocketMode',
      rule: permissions,
    }),
  },
  ...noEffect('other data centres are not built yet', {
    serf_wan: text('', { flag: 'serf-wan-bind' }),
  }),
};

type Values = Settled<typeof ADDRESS_KEYS>;

/** Where to listen: at a TCP or UDP port, or at a Unix socket. */
export type ListenAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

export function portConfig({ ports }: Values, { problems }: Source) {
  for (const range of ['sidecar', 'expose', 'proxy'] as const) {
    const [min, max] = [`${range}_min_port`, `${range}_max_port`] as const;
    if (ports[min] <= ports[max]) continue;
    problems.refuse(`${min} must be less than ${max}. To disable, set both to zero.`);
  }
  // A port that is off is -1.
  return {
    http: ports.http,
    https: ports.https,
    dns: ports.dns,
    grpc: ports.grpc,
    grpcTls: ports.grpc_tls,
    server: ports.server,
    serfLan: ports.serf_lan,
    serfWan: ports.serf_wan,
    sidecarMin: ports.sidecar_min_port,
    sidecarMax: ports.sidecar_max_port,
  };
}

type Ports = ReturnType<typeof portConfig>;

export function addressConfig(given: Values, source: Source) {
  const { problems } = source;
  const single = (key: SingleKey) => singleAddress(source, key, given[key]);
  const bind = single('bind_addr') ?? '0.0.0.0';
  if (source.raw['bind_addr'] !== undefined && given.bind_addr.trim() === '') {
    problems.refuse('bind_addr cannot be empty');
  }
  const clients = addressList(source, 'client_addr', given.client_addr).filter((address) => {
    if (address.startsWith(UNIX)) problems.error('client_addr cannot be a unix socket');
    return !address.startsWith(UNIX);
  });
  const advertise = single('advertise_addr') ?? advertiseFor(bind, source);
  const advertiseWan = single('advertise_addr_wan') ?? advertise;
  if (ANY.has(advertise)) problems.refuse('Advertise address cannot be 0.0.0.0, :: or [::]');
  if (advertiseWan !== advertise && ANY.has(advertiseWan)) {
    problems.refuse('Advertise WAN address cannot be 0.0.0.0, :: or [::]');
  }
  return {
    bind,
    clients,
    advertise,
    advertiseWan,
    serfLanBind: single('serf_lan') ?? bind,
    serfWanBind: single('serf_wan') ?? bind,
    /** lan, wan, lan_ipv4 and so on, as the node's entry in the catalog has them. */
    tagged: taggedAddresses(advertise, advertiseWan, { given, source }),
  };
}

type Addresses = ReturnType<typeof addressConfig>;

type SingleKey = 'bind_addr' | 'serf_lan' | 'serf_wan' | 'advertise_addr' | 'advertise_addr_wan';

/** Every address to listen at; none for what is off. */
export function listenConfig(
  given: Values,
  { ports, addresses }: Omit<Used, 'listen'>,
  source: Source,
) {
  const { problems } = source;
  const hostsFor = (key: 'http' | 'https' | 'dns' | 'grpc') => {
    const value = given.addresses[key];
    return value === undefined ? addresses.clients : addressList(source, `addresses.${key}`, value);
  };
  const at = (hosts: readonly string[], port: number) =>
    port <= 0 ? [] : hosts.map((host) => listenAddress(host, port));
  const grpc = hostsFor('grpc');
  const listen = {
    http: at(hostsFor('http'), ports.http),
    https: at(hostsFor('https'), ports.https),
    dns: at(hostsFor('dns'), ports.dns),
    grpc: at(grpc, ports.grpc),
    grpcTls: at(grpc, ports.grpcTls),
  };
  if (listen.dns.some((each) => 'path' in each)) {
    problems.refuse('DNS address cannot be a unix socket');
  }
  if (listen.https.some((each) => 'path' in each)) {
    problems.refuse('HTTPS address cannot be a unix socket');
  }
  refuseDoubles({ listen, ports, addresses }, problems);
  const { user, group, mode } = given.unix_sockets;
  return {
    ...listen,
    /** Where joining agents are answered. */
    serfLan: ports.serfLan <= 0 ? [] : [listenAddress(addresses.serfLanBind, ports.serfLan)],
    socket: { user, group, mode },
  };
}

function listenAddress(host: string, at: number): ListenAddress {
  return host.startsWith(UNIX) ? { path: host.slice(UNIX.length) } : { host, port: at };
}

interface Used {
  readonly listen: {
    readonly dns: readonly ListenAddress[];
    readonly http: readonly ListenAddress[];
    readonly https: readonly ListenAddress[];
    readonly grpc: readonly ListenAddress[];
    readonly grpcTls: readonly ListenAddress[];
  };
  readonly ports: Ports;
  readonly addresses: Addresses;
}

function refuseDoubles({ listen, ports, addresses }: Used, problems: Problems): void {
  const used = new Map<string, string>();
  const use = (name: string, address: ListenAddress) => {
    const at = 'path' in address ? address.path : `${hostText(address.host)}:${address.port}`;
    const user = used.get(at);
    if (user !== undefined) problems.refuse(`${name} address ${at} already configured for ${user}`);
    used.set(at, user ?? name);
  };
  for (const address of listen.dns) use('DNS', address);
  for (const address of listen.http) use('HTTP', address);
  for (const address of listen.https) use('HTTPS', address);
  for (const address of listen.grpc) use('GRPC', address);
  for (const address of listen.grpcTls) use('GRPC TLS', address);
  const { advertise: host, advertiseWan } = addresses;
  if (ports.server > 0) use('RPC Advertise', { host, port: ports.server });
  if (ports.serfLan > 0) use('Serf Advertise LAN', { host, port: ports.serfLan });
  if (ports.serfWan > 0) use('Serf Advertise WAN', { host: advertiseWan, port: ports.serfWan });
}

function hostText(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
