import { type ChainEntries, NO_OVERRIDES } from './chain.ts';
import { protocolOfChain } from './compile.ts';
import type { KnownPlaces } from './resolvers.ts';

/** Where a chain is compiled for makes no difference to what it speaks. */
const ANYWHERE = { datacenter: 'dc1', here: 'dc1', trustDomain: '', overrides: NO_OVERRIDES };

/**
 * What chains speak, at one moment: thousands of them may be looked at, and all of them may lead to the same
 * thousands of services.
 */
export class Spoken {
  readonly #entries: ChainEntries;
  readonly #places: KnownPlaces = new Map();
  readonly #protocols = new Map<string, string>();

  constructor(entries: ChainEntries) {
    this.#entries = entries;
  }

  /** Throws 'rejected' where the entries cannot be a chain. */
  of(service: string): string {
    const known = this.#protocols.get(service);
    if (known !== undefined) return known;
    const protocol = protocolOfChain(this.#entries, { ...ANYWHERE, service }, this.#places);
    this.#protocols.set(service, protocol);
    return protocol;
  }
}
