/** From what a file says of addresses to addresses: templates, families, and what to advertise. */

import { isIP, isIPv6 } from 'node:net';
import { messageOf } from '../errors.ts';
import { inNetwork, isPrivateAddress } from '../ip.ts';
import type { StringMap } from '../model.ts';
import type { InterfaceAddress, Source } from './config-host.ts';
import { expandTemplate } from './sockaddr.ts';

export const ANY = new Set(['0.0.0.0', '::', '[::]']);
export const UNIX = 'unix://';

/** The addresses that a text names, with templates filled in; wrong ones become errors. */
export function addressList(
  { host, problems }: Source,
  path: string,
  value: string,
): readonly string[] {
  let expanded: string;
  try {
    expanded = expandTemplate(value, host);
  } catch (error) {
    const reason = messageOf(error);
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

export function singleAddress(source: Source, path: string, value: string): string | undefined {
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
export function advertiseFor(bind: string, { host, problems }: Source): string {
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

export type FamilyKey =
  | 'advertise_addr_ipv4'
  | 'advertise_addr_ipv6'
  | 'advertise_addr_wan_ipv4'
  | 'advertise_addr_wan_ipv6';

interface Families extends Readonly<Record<FamilyKey, string>> {
  readonly tagged_addresses: StringMap;
}

/** A family that the main address has not is filled in by its own key, and for wan by lan's. */
export function taggedAddresses(
  lan: string,
  wan: string,
  { given, source }: { readonly given: Families; readonly source: Source },
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
