/**
 * An address of its own for each service of the mesh, which no machine has: a proxy on the caller's
 * machine catches what is sent there. Of 240.0.0.0/4, the lowest one that is free, as in later Consuls.
 */
import { BTree } from '../../lib/b-tree.ts';
import type { Catalog } from './catalog.ts';
import { type Journal, Table } from './table.ts';
import { fold, virtualTopic } from './topic-names.ts';
import type { Topics } from './topics.ts';

/** The first one is 240.0.0.1. */
const BASE = 0xf000_0000;

export interface VirtualAddress {
  /** Folded: names count without regard to case. */
  readonly Service: string;
  /** Within 240.0.0.0/4. */
  readonly Number: number;
}

export class VirtualAddresses {
  readonly #table: Table<VirtualAddress>;
  /** Below the highest one that was ever allotted here, those that nobody has. */
  readonly #free = new BTree<number, true>();
  #highest = 0;

  constructor(journal: Journal, topics: Topics) {
    this.#table = new Table(journal, (before, after) => {
      if (before !== undefined) this.#free.set(before.Number, true);
      if (after !== undefined) this.#take(after.Number);
      const { Service } = (after ?? before) as VirtualAddress;
      if (after === undefined) topics.bury(virtualTopic(Service));
      else topics.touch(virtualTopic(Service));
    });
  }

  /** As people write it; undefined where the service has none. */
  of(service: string): string | undefined {
    const row = this.#table.get(fold(service));
    if (row === undefined) return undefined;
    const number = BASE + row.Number;
    return [24, 16, 8, 0].map((bits) => (number >>> bits) & 0xff).join('.');
  }

  rows(): Iterable<VirtualAddress> {
    return this.#table.values();
  }

  put(row: VirtualAddress): void {
    this.#table.set(row.Service, row);
  }

  /** Gives the service one, unless it has one; a proxy may be of none. */
  allot(service: string): void {
    const Service = fold(service);
    if (Service === '' || this.#table.get(Service) !== undefined) return;
    this.put({ Service, Number: this.#free.minKey() ?? this.#highest + 1 });
  }

  /** Takes it back where nothing of the service is left: neither an instance nor what stands in front of it. */
  release(service: string, catalog: Catalog): void {
    if (!catalog.isInMesh(service) && !catalog.hasInstances(service)) {
      this.#table.delete(fold(service));
    }
  }

  /** As if all instances had come one by one; whoever has one keeps it. Where the catalog is another now. */
  settle(catalog: Catalog): void {
    for (const { Service } of [...this.rows()]) this.release(Service, catalog);
    for (const service of [...catalog.servicesInMesh()].sort()) this.allot(service);
  }

  #take(number: number): void {
    for (let free = this.#highest + 1; free < number; free++) this.#free.set(free, true);
    this.#highest = Math.max(this.#highest, number);
    this.#free.delete(number);
  }
}
