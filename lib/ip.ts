/** Addresses and networks of both families. */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** The 4 or 16 bytes of an address; undefined for what is none. One address has one form. */
export function ipBytes(address: string): Buffer | undefined {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  return isIPv6(address) ? ipv6Bytes(address) : undefined;
}

function ipv6Bytes(address: string): Buffer {
  const [plain = ''] = address.split('%');
  const [head = '', rest] = plain.split('::');
  const front = groups(head);
  const back = rest === undefined ? [] : groups(rest);
  const gap = Array.from({ length: 8 - front.length - back.length }, () => 0);
  return Buffer.from([...front, ...gap, ...back].flatMap((word) => [word >> 8, word & 0xff]));
}

/** '::ffff:10.0.0.1' ends in four decimal bytes. */
function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

/** 'address:port', and '[::1]:8300' of the other family. */
export function hostPort(address: string, port: number | string): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** '::ffff:127.0.0.1' is how a socket for both families says it; whoever writes an address may spell it otherwise. */
export function isLoopback(address: string): boolean {
  if (!address.includes(':')) return address.startsWith('127.');
  // Sockets say these: they are asked for each request.
  if (/^::ffff:\d+\./.test(address)) return address.startsWith('::ffff:127.');
  const bytes = ipBytes(address);
  if (bytes === undefined) return false;
  return bytes.equals(LOOPBACK) || (isMapped(bytes) && bytes[12] === 127);
}

const LOOPBACK = Buffer.from([...new Uint8Array(15), 1]);
const MAPPED = Buffer.from([...new Uint8Array(10), 0xff, 0xff]);

/** Whether it is an address of the older family in the newer one's form. */
export function isMapped(bytes: Buffer): boolean {
  return bytes.length === 16 && bytes.subarray(0, 12).equals(MAPPED);
}

/** What a provider gives to one customer of IPv6, who has every address in it. */
const CUSTOMER_BYTES = 8;

/**
 * Whose an address is, for whatever each client has a share of: by single addresses one client of IPv6 would be as many
 * as it likes. What is no address is its own.
 */
export function networkOf(address: string): string {
  // Asked for each request.
  if (!address.includes(':') || /^::ffff:\d+\./.test(address)) return address;
  const bytes = ipBytes(address.replace(/^\[|\]$/g, ''));
  if (bytes === undefined || isMapped(bytes)) return address;
  return `${bytes.subarray(0, CUSTOMER_BYTES).toString('hex')}/64`;
}

/** Whether the address lies in the network, such as '10.0.0.0/8'. */
export function inNetwork(address: string, cidr: string): boolean {
  const network = parseCidr(cidr);
  if (network === undefined) throw new Error(`invalid cidr: ${cidr}`);
  const list = new BlockList();
  list.addSubnet(network.address, network.bits, network.family);
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

export interface Network {
  readonly address: string;
  readonly bits: number;
  readonly family: 'ipv4' | 'ipv6';
}

export function parseCidr(cidr: string): Network | undefined {
  const [, address = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(cidr) ?? [];
  const version = isIP(address);
  const bits = Number(digits);
  if (version === 0 || bits > (version === 4 ? 32 : 128)) return undefined;
  return { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' };
}

const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'];
const RESERVED = [
  ...PRIVATE,
  ...['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '192.0.2.0/24'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '240.0.0.0/4'],
  ...['::1/128', '::/128', 'fe80::/10', '2001:db8::/32', '64:ff9b::/96', '100::/64'],
];
const BY_RFC: Readonly<Record<string, readonly string[]>> = {
  '1918': ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  '6598': ['100.64.0.0/10'],
  '6890': RESERVED,
};

export function isPrivateAddress(address: string): boolean {
  return PRIVATE.some((cidr) => inNetwork(address, cidr));
}

/** Whether RFC 6890 keeps it for a purpose of its own. */
export function isReserved(address: string): boolean {
  return RESERVED.some((cidr) => inNetwork(address, cidr));
}

/** Throws Error for an RFC that names no networks. */
export function isReservedBy(address: string, rfc: string): boolean {
  const networks = new Map(Object.entries(BY_RFC)).get(rfc);
  if (networks === undefined) throw new Error(`unsupported RFC ${JSON.stringify(rfc)}`);
  return networks.some((cidr) => inNetwork(address, cidr));
}
