/** Who has an address: what DNS asks for a reverse name. */
import type { AddressOwner } from '../../lib/dns-lookups.ts';
import { keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';

export function addressOwner(ip: string): Query {
  return {
    key: keyOf('internal/dns/address', ip),
    run: (reader) => ({ json: ownerOf(reader, ip) ?? null }),
  };
}

export function virtualAddress(service: string): Query {
  return {
    key: keyOf('internal/dns/virtual', service),
    run: (reader) => ({ json: reader.virtualAddressOf(service) ?? null }),
  };
}

/** A node goes before an instance. */
export function ownerOf(reader: Reader, ip: string): AddressOwner | undefined {
  const { node, instance } = reader.ownersOf(ip);
  if (node !== undefined) return { node: node.Node };
  return instance && { service: instance.Service };
}
