/** Which addresses and ports to use: bind, client, advertise, and what listens where. */
import { isIP, isIPv6 } from 'node:net';
import { inNetwork, isPrivateAddress } from '../../ip.ts';
import type { StringMap } from '../../model.ts';
import type { InterfaceAddress } from '../config-host.ts';
import type { Problems } from '../problems.ts';
import {
  int,
  type More,
  map,
  newer,
  noEffect,
  optional,
  type Settled,
  text,
  valueAt,
} from '../row.ts';
import { expandTemplate } from '../sockaddr.ts';
import type { Source } from '../source.ts';

const ANY = new Set(['0.0.0.0', '::', '[::]']);
const UNIX = 'unix://';

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
function number(what: string, pattern: RegExp) {
  return (value: string, path: string, problems: Problems) => {
    if (!pattern.test(value)) problems.refuse(`${path} must be ${what}, not ${quote(value)}`);
    return value;
  };
}

const quote = (value: string) => JSON.stringify(value);

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
    ...noEffect('nothing listens there', { https: text(), grpc: text() }),
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
    sidecar_min_port: port('The first port that a sidecar may get.', 21000, {
      shown: 'ConnectSidecarMinPort',
    }),
    sidecar_max_port: port('The last one.', 21255, { shown: 'ConnectSidecarMaxPort' }),
    ...noEffect('gRPC and xDS are not built yet', {
      grpc: port('', -1, { shown: 'GRPCPort', flag: 'grpc-port' }),
      grpc_tls: port('', -1),
    }),
    // Test suites name a port for it and no certificate, and then nobody can use it in Consul either.
    https: port('TLS (everything is spoken in the clear)', -1, {
      shown: 'HTTPSPort',
      flag: 'https-port',
      effect: 'refused',
      asks: (value, given) => value > 0 && Number(valueAt(given, 'ports.http')) <= 0,
    }),
    ...noEffect('other data centres are not built yet', {
      serf_wan: port('', 8302, { shown: 'SerfPortWAN', flag: 'serf-wan-port' }),
    }),
    ...noEffect('the mesh is not built yet', {
      proxy_min_port: int(),
      proxy_max_port: int(),
      expose_min_port: port('', 21500, { shown: 'ExposeMinPort' }),
      expose_max_port: port('', 21755, { shown: 'ExposeMaxPort' }),
    }),
  },
  unix_sockets: {
    user: text('The number of the user to whom sockets of HTTP belong.', {
      shown: 'UnixSocketUser',
      rule: number('a number', /^\d*$/),
    }),
    group: text('The number of their group.', {
      shown: 'UnixSocketGroup',
      rule: number('a number', /^\d*$/),
    }),
    mode: text('Their permissions, such as 0770.', {
      shown: 'UnixSocketMode',
      rule: number('permissions such as 0770', /^[0-7]{0,4}$/),
    }),
  },
  ...noEffect('other data centres are not built yet', {
    serf_wan: text('', { flag: 'serf-wan-bind' }),
  }),
};

type Given = Settled<typeof ADDRESS_KEYS>;

/** Where to listen: at a TCP or UDP port, or at a Unix socket. */
export type ListenAddress =
  | { readonly host: string; readonly port: number }
  | { readonly path: string };

export function portConfig({ ports }: Given) {
  // A port that is off is -1.
  return {
    http: ports.http,
    https: ports.https,
    dns: ports.dns,
    grpc: ports.grpc,
    server: ports.server,
    serfLan: ports.serf_lan,
    serfWan: ports.serf_wan,
    sidecarMin: ports.sidecar_min_port,
    sidecarMax: ports.sidecar_max_port,
  };
}

type Ports = ReturnType<typeof portConfig>;

export function addressConfig(given: Given, source: Source) {
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

type FamilyKey =
  | 'advertise_addr_ipv4'
  | 'advertise_addr_ipv6'
  | 'advertise_addr_wan_ipv4'
  | 'advertise_addr_wan_ipv6';

/** A family that the main address has not is filled in by its own key, and for wan by lan's. */
function taggedAddresses(
  lan: string,
  wan: string,
  { given, source }: { readonly given: Given; readonly source: Source },
): StringMap {
  const own = (key: FamilyKey) => {
    const address = singleAddress(source, key, given[key]);
    const family = key.endsWith('6') ? 6 : 4;
    if (address !== undefined && isIP(address) !== 0 && isIP(address) !== family) {
      source.problems.error(`${key}: not an ipv${family} address: ${address}`);
    }
    return address;
  };
  const lan4 = own('advertise_addr_ipv4');
  const lan6 = own('advertise_addr_ipv6');
  const wan4 = own('advertise_addr_wan_ipv4');
  const wan6 = own('advertise_addr_wan_ipv6');
  const lanIpv4 = isIPv6(lan) ? lan4 : lan;
  const lanIpv6 = isIPv6(lan) ? lan : lan6;
  const tags: readonly (readonly [string, string | undefined])[] = [
    ['lan', lan],
    ['lan_ipv4', lanIpv4],
    ['lan_ipv6', lanIpv6],
    ['wan', wan],
    ['wan_ipv4', isIPv6(wan) ? (wan4 ?? lanIpv4) : wan],
    ['wan_ipv6', isIPv6(wan) ? wan : (wan6 ?? lanIpv6)],
    ...Object.entries(given.tagged_addresses),
  ];
  return Object.fromEntries(
    tags.flatMap(([tag, address]) => (address === undefined ? [] : [[tag, address]])),
  );
}

/** The addresses that a text names, with templates filled in; wrong ones become errors. */
function addressList({ host, problems }: Source, path: string, value: string): readonly string[] {
  let expanded: string;
  try {
    expanded = expandTemplate(value, host);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.error(`${path}: error parsing ${JSON.stringify(value)}: ${reason}`);
    return [];
  }
  return expanded
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => {
      if (word.startsWith(UNIX)) return word;
      const address = word.replace(/^\[(.*)\]$/, '$1');
      if (isIP(address) === 0) problems.error(`${path}: invalid ip address: ${word}`);
      return address;
    });
}

function singleAddress(source: Source, path: string, value: string): string | undefined {
  if (value.trim() === '') return undefined;
  const { problems } = source;
  const before = problems.errors.length;
  const [address, another] = addressList(source, path, value);
  if (problems.errors.length > before) return undefined;
  if (address === undefined) problems.refuse(`${path} cannot be empty`);
  else if (address.startsWith(UNIX)) problems.error(`${path} cannot be a unix socket`);
  else if (another !== undefined) {
    const hint = path === 'bind_addr' ? ". Use 'addresses.{dns,http,https}' instead." : '';
    problems.error(`${path} cannot contain multiple addresses${hint}`);
  }
  return address;
}

/** What Consul takes for private beside what is: networks for documents and single links. */
const AS_PRIVATE = ['169.254.0.0/16', '192.0.0.0/24', '192.0.2.0/24'];

function mayBeAdvertised({ address, family }: InterfaceAddress, v6: boolean): boolean {
  if (v6) {
    return family === 'IPv6' && !isPrivateAddress(address) && !isAmong(address, NOT_PUBLIC);
  }
  return family === 'IPv4' && (isPrivateAddress(address) || isAmong(address, AS_PRIVATE));
}

const NOT_PUBLIC = ['fe80::/10', '2001:db8::/32', '::1/128'];

const isAmong = (address: string, cidrs: readonly string[]) =>
  cidrs.some((cidr) => inNetwork(address, cidr));

/** What others are told when only `bind_addr` is known, and perhaps is any address. */
function advertiseFor(bind: string, { host, problems }: Source): string {
  if (!ANY.has(bind)) return bind;
  const v6 = bind !== '0.0.0.0';
  const all = host.interfaces();
  const usable = all.filter((each) => !each.loopback && mayBeAdvertised(each, v6));
  // A machine without a network has itself to talk to.
  const [alone] = all.filter(({ family, loopback }) => family === 'IPv4' && loopback);
  const isOffline = all.every(({ family, loopback }) => loopback || family !== 'IPv4');
  if (!v6 && isOffline && alone !== undefined) return alone.address;
  const kind = v6 ? 'public IPv6' : 'private IPv4';
  const [only, another] = usable;
  if (only === undefined) {
    problems.refuse(
      `No ${kind} address found. Please configure one with 'bind' and/or 'advertise'.`,
    );
    return '127.0.0.1';
  }
  if (another === undefined) return only.address;
  // Consul gives up here. But Docker's bridge is on every machine that we are for, and nobody
  // means that one: the way to the world decides, and a warning tells.
  const name = host.defaultInterface();
  const chosen = usable.filter((each) => each.name === name);
  if (chosen[0] === undefined || chosen.length > 1) {
    problems.refuse(
      `Multiple ${kind} addresses found. Please configure one with 'bind' and/or 'advertise'.`,
    );
    return only.address;
  }
  const list = usable.map(({ address }) => address).join(', ');
  problems.warn(
    `Multiple ${kind} addresses found (${list}): advertising ${chosen[0].address}, of ${name}. ` +
      `To choose, configure one with 'bind' and/or 'advertise'.`,
  );
  return chosen[0].address;
}

/** Every address to listen at; none for what is off. */
export function listenConfig(
  given: Given,
  { ports, addresses }: Omit<Used, 'listen'>,
  source: Source,
) {
  const { problems } = source;
  const at = (key: 'http' | 'dns') => {
    const value = given.addresses[key];
    const hosts =
      value === undefined ? addresses.clients : addressList(source, `addresses.${key}`, value);
    return ports[key] <= 0 ? [] : hosts.map((host) => listenAddress(host, ports[key]));
  };
  const listen = { http: at('http'), dns: at('dns') };
  if (listen.dns.some((each) => 'path' in each)) {
    problems.refuse('DNS address cannot be a unix socket');
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
  if (ports.https > 0) {
    for (const host of addresses.clients) use('HTTPS', { host, port: ports.https });
  }
  const { advertise: host, advertiseWan } = addresses;
  if (ports.server > 0) use('RPC Advertise', { host, port: ports.server });
  if (ports.serfLan > 0) use('Serf Advertise LAN', { host, port: ports.serfLan });
  if (ports.serfWan > 0) use('Serf Advertise WAN', { host: advertiseWan, port: ports.serfWan });
}

function hostText(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
