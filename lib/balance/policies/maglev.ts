/**
 * By a table, as Google's Maglev fills it: each host in turn takes the next free slot of its own order. Shares
 * are equal to a percent, a lookup is one step, and a change moves few keys beside its share.
 */
import { createHash } from 'node:crypto';
import { hash32 } from '../../hash32.ts';
import type { Host } from '../host.ts';
import { heaviestOf, type Pick, type Policy, type Scales } from '../policy.ts';

/** Below that part of the heaviest a weight counts as much: to fill the table took as many rounds more. */
const LIGHTEST = 1 / 100;
/** A prime, as orders need; over a hundred slots for each of 600 hosts. */
const SLOTS = 65_537;

interface Order {
  readonly host: Host;
  readonly skip: number;
  at: number;
  /** Turns that it has to its credit: a light host takes one now and then. */
  credit: number;
}

export class Maglev implements Policy {
  readonly #scales: Scales;
  #hosts: readonly Host[] = [];
  #table: readonly Host[] = [];

  constructor(scales: Scales) {
    this.#scales = scales;
  }

  /** A call without a key goes anywhere. */
  choose(hosts: readonly Host[], { key, avoid }: Pick): Host | undefined {
    if (hosts !== this.#hosts) {
      this.#table = tableOf(hosts);
      this.#hosts = hosts;
    }
    const from =
      key === undefined
        ? Math.floor(this.#scales.random.next() * SLOTS)
        : (hash32(key) >>> 0) % SLOTS;
    // The next slots belong to others by chance, so what one leaves is shared by all.
    for (let i = 0; i < this.#table.length; i++) {
      const host = this.#table[(from + i) % SLOTS];
      if (host !== undefined && !avoid?.has(host)) return host;
    }
    return undefined;
  }
}

function tableOf(hosts: readonly Host[]): readonly Host[] {
  if (hosts.length === 0) return [];
  // Of many subsets there is one each.
  if (hosts.length === 1) return new Array<Host>(SLOTS).fill(hosts[0] as Host);
  const table = new Array<Host | undefined>(SLOTS).fill(undefined);
  const most = heaviestOf(hosts);
  // In one order for all balancers, whatever they were told first.
  const orders = [...hosts].sort((a, b) => (a.id < b.id ? -1 : 1)).map(orderOf);
  for (let filled = 0; filled < SLOTS; ) {
    for (const order of orders) {
      order.credit += Math.max(LIGHTEST, order.host.endpoint.weight / most);
      if (order.credit < 1 || filled === SLOTS) continue;
      order.credit--;
      while (table[order.at] !== undefined) order.at = (order.at + order.skip) % SLOTS;
      table[order.at] = order.host;
      filled++;
    }
  }
  return table as readonly Host[];
}

function orderOf(host: Host): Order {
  const bytes = createHash('sha256').update(host.id).digest();
  const at = bytes.readUInt32BE(0) % SLOTS;
  return { host, at, skip: 1 + (bytes.readUInt32BE(4) % (SLOTS - 1)), credit: 0 };
}
