/** Who has an address: what DNS asks for a reverse name. */
import type { AddressOwner } from '../../lib/dns-lookups.ts';
import { ipBytes } from '../../lib/ip.ts';
import type { State } from '../state/state.ts';
import { CATALOG } from '../state/topic-names.ts';
import { keyOf, type Query } from './query.ts';

export function addressOwner(ip: string): Query {
  return {
    key: keyOf('internal/dns/address', ip),
    topics: [CATALOG],
    run: (state) => ({ json: ownerOf(state, ip) ?? null }),
  };
}

interface Owners {
  readonly index: number;
  readonly byAddress: ReadonlyMap<string, AddressOwner>;
}

/** Made anew when someone asks after the catalog has changed. */
const known = new WeakMap<State, Owners>();

/** A node goes before an instance. */
export function ownerOf(state: State, ip: string): AddressOwner | undefined {
  const index = state.topics.indexOf(CATALOG);
  let owners = known.get(state);
  if (owners?.index !== index) {
    owners = { index, byAddress: byAddress(state) };
    known.set(state, owners);
  }
  return owners.byAddress.get(bytesOf(ip));
}

function byAddress({ catalog }: State): Map<string, AddressOwner> {
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
