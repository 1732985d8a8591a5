/** Which addresses and ports to use: bind, client, advertise, and what listens where. */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { StringMap } from '../model.ts';
import type { AddressConfig, ListenAddress, ListenConfig, PortConfig } from './config.ts';
import type { ConfigHost } from './config-host.ts';
import type { RawConfig } from './keys.ts';
import type { Problems } from './problems.ts';
import { expandTemplate, isPrivateAddress } from './sockaddr.ts';

const ANY = new Set(['0.0.0.0', '::', '[::]']);
const UNIX = 'unix://';

interface Reading {
  readonly raw: RawConfig;
  readonly host: ConfigHost;
  readonly problems: Problems;
}

/** Which port stands for what when nothing is said; -1 is off. */
const DEFAULT_PORTS = {
  dns: 8600,
  http: 8500,
  https: -1,
  grpc: -1,
  server: 8300,
  serf_lan: 8301,
  serf_wan: 8302,
  sidecar_min_port: 21000,
  sidecar_max_port: 21255,
  expose_min_port: 21500,
  expose_max_port: 21755,
} as const;

export function resolvePorts({ raw, problems }: Reading): PortConfig {
  const port = (key: keyof typeof DEFAULT_PORTS) => {
    const value = raw.ports?.[key] ?? DEFAULT_PORTS[key];
    if (value > 65535) problems.error(`ports.${key}: invalid port: ${value}`);
    return value <= 0 ? -1 : value;
  };
  return {
    http: port('http'),
    https: port('https'),
    dns: port('dns'),
    grpc: port('grpc'),
    server: port('server'),
    serfLan: port('serf_lan'),
    serfWan: port('serf_wan'),
    sidecarMin: port('sidecar_min_port'),
    sidecarMax: port('sidecar_max_port'),
    exposeMin: port('expose_min_port'),
    exposeMax: port('expose_max_port'),
  };
}

export function resolveAddresses(reading: Reading): AddressConfig {
  const { raw, problems } = reading;
  const single = (key: SingleKey) => singleAddress(reading, key, raw[key]);
  const bind = single('bind_addr') ?? '0.0.0.0';
  if (raw.bind_addr?.trim() === '') problems.refuse('bind_addr cannot be empty');
  const clients = addressList(reading, 'client_addr', raw.client_addr ?? '127.0.0.1').filter(
    (address) => {
      if (address.startsWith(UNIX)) problems.error('client_addr cannot be a unix socket');
      return !address.startsWith(UNIX);
    },
  );
  const advertise = single('advertise_addr') ?? advertiseFor(bind, reading);
  const advertiseWan = single('advertise_addr_wan') ?? advertise;
  if (ANY.has(advertise)) problems.refuse('Advertise address cannot be 0.0.0.0, :: or [::]');
  if (advertiseWan !== advertise && ANY.has(advertiseWan))
    problems.refuse('Advertise WAN address cannot be 0.0.0.0, :: or [::]');
  return {
    bind,
    clients,
    advertise,
    advertiseWan,
    serfLanBind: single('serf_lan') ?? bind,
    serfWanBind: single('serf_wan') ?? bind,
    tagged: taggedAddresses(advertise, advertiseWan, reading),
  };
}

type SingleKey = 'bind_addr' | 'serf_lan' | 'serf_wan' | 'advertise_addr' | 'advertise_addr_wan';

type FamilyKey =
  | 'advertise_addr_ipv4'
  | 'advertise_addr_ipv6'
  | 'advertise_addr_wan_ipv4'
  | 'advertise_addr_wan_ipv6';

/** A family that the main address has not is filled in by its own key, and for wan by lan's. */
function taggedAddresses(lan: string, wan: string, reading: Reading): StringMap {
  const own = (key: FamilyKey) => {
    const address = singleAddress(reading, key, reading.raw[key]);
    const family = key.endsWith('6') ? 6 : 4;
    if (address !== undefined && isIP(address) !== 0 && isIP(address) !== family) {
      reading.problems.error(`${key}: not an ipv${family} address: ${address}`);
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
    ...Object.entries(reading.raw.tagged_addresses ?? {}),
  ];
  return Object.fromEntries(
    tags.flatMap(([tag, address]) => (address === undefined ? [] : [[tag, address]])),
  );
}

/** The addresses that a text names, with templates filled in; wrong ones become errors. */
function addressList(reading: Reading, path: string, text: string): readonly string[] {
  const { host, problems } = reading;
  let expanded: string;
  try {
    expanded = expandTemplate(text, host);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.error(`${path}: error parsing ${JSON.stringify(text)}: ${reason}`);
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

function singleAddress(
  reading: Reading,
  path: string,
  text: string | undefined,
): string | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const before = reading.problems.errors.length;
  const [address, another] = addressList(reading, path, text);
  if (reading.problems.errors.length > before) return undefined;
  const { problems } = reading;
  if (address === undefined) problems.refuse(`${path} cannot be empty`);
  else if (address.startsWith(UNIX)) problems.error(`${path} cannot be a unix socket`);
  else if (another !== undefined) {
    const hint = path === 'bind_addr' ? ". Use 'addresses.{dns,http,https}' instead." : '';
    problems.error(`${path} cannot contain multiple addresses${hint}`);
  }
  return address;
}

/** What others are told when only `bind_addr` is known, and perhaps is any address. */
function advertiseFor(bind: string, { host, problems }: Reading): string {
  if (!ANY.has(bind)) return bind;
  const v6 = bind !== '0.0.0.0';
  const usable = host.interfaces().filter(({ address, family, loopback }) => {
    if (loopback) return false;
    if (v6) return family === 'IPv6' && !/^fe[89ab]/i.test(address) && !isPrivateAddress(address);
    return isIPv4(address) && isPrivateAddress(address);
  });
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

export function resolveListen(
  reading: Reading,
  ports: PortConfig,
  addresses: AddressConfig,
): ListenConfig {
  const { raw, problems } = reading;
  const at = (key: 'http' | 'https' | 'dns' | 'grpc') => {
    const text = raw.addresses?.[key];
    const hosts =
      text === undefined ? addresses.clients : addressList(reading, `addresses.${key}`, text);
    return ports[key] <= 0 ? [] : hosts.map((host) => listenAddress(host, ports[key]));
  };
  const dns = at('dns');
  if (dns.some((each) => 'path' in each)) problems.refuse('DNS address cannot be a unix socket');
  const listen = { http: at('http'), https: at('https'), dns, grpc: at('grpc') };
  refuseDoubles(listen, { ports, addresses, problems });
  const { user = '', group = '', mode = '' } = raw.unix_sockets ?? {};
  return {
    ...listen,
    serfLan: ports.serfLan <= 0 ? [] : [{ host: addresses.serfLanBind, port: ports.serfLan }],
    socket: { user, group, mode },
  };
}

function listenAddress(host: string, port: number): ListenAddress {
  return host.startsWith(UNIX) ? { path: host.slice(UNIX.length) } : { host, port };
}

function refuseDoubles(
  listen: Pick<ListenConfig, 'dns' | 'http' | 'https'>,
  {
    ports,
    addresses,
    problems,
  }: { ports: PortConfig; addresses: AddressConfig; problems: Problems },
): void {
  const used = new Map<string, string>();
  const use = (name: string, address: ListenAddress) => {
    const text = 'path' in address ? address.path : `${hostText(address.host)}:${address.port}`;
    const user = used.get(text);
    if (user !== undefined)
      problems.refuse(`${name} address ${text} already configured for ${user}`);
    used.set(text, user ?? name);
  };
  for (const address of listen.dns) use('DNS', address);
  for (const address of listen.http) use('HTTP', address);
  for (const address of listen.https) use('HTTPS', address);
  const { advertise: host, advertiseWan } = addresses;
  if (ports.server > 0) use('RPC Advertise', { host, port: ports.server });
  if (ports.serfLan > 0) use('Serf Advertise LAN', { host, port: ports.serfLan });
  if (ports.serfWan > 0) use('Serf Advertise WAN', { host: advertiseWan, port: ports.serfWan });
}

function hostText(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
