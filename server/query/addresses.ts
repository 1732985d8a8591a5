/** Who has an address: what DNS asks for a reverse name. */
import type { AddressOwner } from '../../lib/dns-lookups.ts';
import { ipBytes } from '../../lib/ip.ts';
import type { Catalog } from '../state/catalog.ts';
import { keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';

export function addressOwner(ip: string): Query {
  return {
    key: keyOf('internal/dns/address', ip),
    run: (reader) => ({ json: ownerOf(reader, ip) ?? null }),
  };
}

interface Owners {
  readonly index: number;
  readonly byAddress: ReadonlyMap<string, AddressOwner>;
}

/** Made anew when someone asks after the catalog has changed. */
const madeFor = new WeakMap<Catalog, Owners>();

/** A node goes before an instance. */
export function ownerOf(reader: Reader, ip: string): AddressOwner | undefined {
  const { catalog, index } = reader.catalogAt();
  let owners = madeFor.get(catalog);
  if (owners?.index !== index) {
    owners = { index, byAddress: byAddress(catalog) };
    madeFor.set(catalog, owners);
  }
  return owners.byAddress.get(bytesOf(ip));
}

function byAddress(catalog: Catalog): Map<string, AddressOwner> {
  const owners = new Map<string, AddressOwner>();
  const add = (address: string, owner: AddressOwner) => {
    const key = bytesOf(address);
    if (key !== '' && !owners.has(key)) owners.set(key, owner);
  };
  for (const { Address, Node } of catalog.nodes.values()) add(Address, { node: Node });
  for (const { Address, Service } of catalog.instances.values()) add(Address, { service: Service });
  return owners;
}

/** One address has many spellings. '' for what is none. */
function bytesOf(address: string): string {
  return ipBytes(address)?.toString('hex') ?? '';
}
