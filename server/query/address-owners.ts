/** Who has which address, whoever may see it. */
import { ipBytes } from '../../lib/ip.ts';
import type { Instance, Node } from '../../lib/model.ts';
import type { Catalog } from '../state/catalog.ts';

interface Owners {
  readonly nodes: Node[];
  readonly instances: Instance[];
}

interface Addresses {
  readonly index: number;
  readonly owners: ReadonlyMap<string, Owners>;
}

/** Made anew when someone asks after the catalog has changed. */
const madeFor = new WeakMap<Catalog, Addresses>();

/** `index` is when anything in the catalog last changed. */
export function ownersAt(catalog: Catalog, index: number, ip: string): Owners {
  let addresses = madeFor.get(catalog);
  if (addresses?.index !== index) {
    addresses = { index, owners: byAddress(catalog) };
    madeFor.set(catalog, addresses);
  }
  return addresses.owners.get(bytesOf(ip)) ?? NOBODY;
}

const NOBODY: Owners = { nodes: [], instances: [] };

function byAddress(catalog: Catalog): Map<string, Owners> {
  const owners = new Map<string, Owners>();
  const at = (address: string): Owners => {
    const key = bytesOf(address);
    const found = owners.get(key) ?? { nodes: [], instances: [] };
    owners.set(key, found);
    return found;
  };
  for (const node of catalog.nodes.values()) at(node.Address).nodes.push(node);
  for (const instance of catalog.instances.values()) at(instance.Address).instances.push(instance);
  // Of what is no address.
  owners.delete('');
  return owners;
}

/** One address has many spellings. '' for what is none. */
function bytesOf(address: string): string {
  return ipBytes(address)?.toString('hex') ?? '';
}
