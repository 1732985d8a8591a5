/**
 * Keeps checks that came in over HTTP from reading a cloud's metadata service, whose addresses are
 * link-local: whoever may register a check could else read secrets through its output.
 */
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
// The same by way of a translator to IPv4.
LINK_LOCAL.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
// AWS has its metadata there too.
LINK_LOCAL.addAddress('fd00:ec2::254', 'ipv6');

/** IPv4 in IPv6 clothes (`::ffff:169.254.1.1`) is seen through. */
function isLinkLocal(address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  const family = isIP(plain);
  return family !== 0 && LINK_LOCAL.check(plain, family === 6 ? 'ipv6' : 'ipv4');
}

/**
 * For the options of whatever connects. A host that may not be reached is refused here when it is an
 * address, which no lookup would see, and by the lookup when it is a name.
 */
export function lookupFor(host: string, untrusted: boolean): { readonly lookup?: LookupFunction } {
  if (!untrusted) return {};
  if (isLinkLocal(host)) throw new Error(`refused: ${host} is a link-local address`);
  return { lookup: lookupNotLinkLocal };
}

/**
 * Resolves names for a connection and refuses link-local answers. It is this very answer that the
 * connection uses, so a name that changes its address in between gains nothing.
 */
const lookupNotLinkLocal: LookupFunction = (hostname, given: LookupOptions | number, callback) => {
  // A datagram socket gives the family alone.
  const options = typeof given === 'number' ? { family: given } : given;
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const [first] = addresses ?? [];
    if (error !== null || first === undefined) return callback(error, '', 0);
    const bad = addresses.find(({ address }) => isLinkLocal(address));
    if (bad !== undefined) {
      return callback(new Error(`refused: ${hostname} is ${bad.address}, link-local`), '', 0);
    }
    if (options.all === true) return callback(null, addresses);
    return callback(null, first.address, first.family);
  });
};
