/** What instances of the catalog come to as endpoints. */
import { isIP } from 'node:net';
import { type Aggregate, aggregateStatus } from '../../lib/aggregate-status.ts';
import { ipBytes, isLoopback, isMapped } from '../../lib/ip.ts';
import {
  numberIn,
  objectIn,
  objectsIn,
  pairsIn,
  type Said,
  textIn,
  textsIn,
} from '../api/shapes.ts';
import { OWNER_META } from '../ours.ts';
import type { BackRules } from './rules.ts';

export interface BroughtAddress {
  readonly address: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly port: number;
  readonly status: Aggregate;
}

/**
 * Each address and port once, in order. Slices take addresses alone: an instance that has a name is left out. So is
 * whatever the API server refuses, for it refuses the whole slice, with all that others registered.
 */
export function addressesIn(
  entries: readonly unknown[],
  rules: BackRules,
): readonly BroughtAddress[] {
  const found = new Map<string, BroughtAddress>();
  for (const each of entries) {
    const entry = objectIn(each);
    const service = objectIn(entry['Service']);
    if (isFromHere(entry, rules)) continue;
    const address = textIn(service['Address']) || textIn(objectIn(entry['Node'])['Address']);
    const port = numberIn(service['Port']);
    if (!isTaken(address) || port < 0 || port > MAX_PORT) continue;
    const checks = objectsIn(entry['Checks']).map(({ CheckID, Status }) => ({
      CheckID: textIn(CheckID),
      Status: textIn(Status),
    }));
    const family = isIP(address) === 6 ? 'IPv6' : 'IPv4';
    const status = aggregateStatus(checks);
    const there = found.get(`${address} ${port}`);
    // Registered twice it is one place, and DNS would find it by the better of the two.
    if (there !== undefined && ORDER.indexOf(there.status) <= ORDER.indexOf(status)) continue;
    found.set(`${address} ${port}`, { address, family, port, status });
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
}

/** It came from this cluster, whatever the others of its name did. */
export function isFromHere(entry: Said, { owner, tag }: BackRules): boolean {
  const { Meta, Tags } = objectIn(entry['Service']);
  return pairsIn(Meta).get(OWNER_META) === owner || textsIn(Tags).includes(tag);
}

const MAX_PORT = 65_535;
const ORDER: readonly Aggregate[] = ['passing', 'warning', 'maintenance', 'critical'];

/** What an API server refuses of a slice: a pod that went there would find itself, or nobody. */
function isTaken(address: string): boolean {
  const bytes = ipBytes(address);
  // One with a zone is none to an API server.
  if (bytes === undefined || isLoopback(address) || address.includes('%')) return false;
  const [first = 0, second = 0] = bytes;
  if (bytes.length === 4) {
    const isMulticast = first >= 224 && first < 240;
    return first !== 0 && first !== 255 && !isMulticast && !(first === 169 && second === 254);
  }
  const isLinkLocal = first === 0xfe && second >> 6 === 0b10;
  // To an API server an address of the older family in the newer one's form is neither.
  return !isMapped(bytes) && !isLinkLocal && first !== 0xff && bytes.some((each) => each !== 0);
}
