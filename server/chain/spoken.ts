import type { Kind } from '../../lib/config-entries/kind.ts';
import { SERVICE_RESOLVER } from '../../lib/config-entries/kinds/service-resolver.ts';
import { SERVICE_ROUTER } from '../../lib/config-entries/kinds/service-router.ts';
import { SERVICE_SPLITTER } from '../../lib/config-entries/kinds/service-splitter.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { type ChainEntries, type ChainRequest, NO_OVERRIDES } from './chain.ts';
import { protocolOfChain } from './compile.ts';
import { protocolOfService } from './protocols.ts';
import type { KnownPlaces } from './resolvers.ts';

const OF_CHAINS = [SERVICE_ROUTER, SERVICE_SPLITTER, SERVICE_RESOLVER] as unknown as Kind[];
/** Where a chain is compiled for makes no difference to what it speaks. */
const ANYWHERE = { datacenter: 'dc1', here: 'dc1', trustDomain: '', overrides: NO_OVERRIDES };

type How = Pick<ChainRequest, 'asApplied'>;

/**
 * What chains speak, at one moment: thousands of them may be looked at, and all of them may lead to the same
 * thousands of services.
 */
export class Spoken {
  readonly #entries: ChainEntries;
  readonly #how: How;
  readonly #places: KnownPlaces = new Map();
  /** What cannot be a chain is found out once, too. */
  readonly #protocols = new Map<string, string | ProconsulError>();

  constructor(entries: ChainEntries, how: How = {}) {
    this.#entries = entries;
    this.#how = how;
  }

  /** Throws 'rejected' where the entries cannot be a chain. */
  of(service: string): string {
    const found = this.#protocols.get(service) ?? this.#found(service);
    this.#protocols.set(service, found);
    if (found instanceof ProconsulError) throw found;
    return found;
  }

  #found(service: string): string | ProconsulError {
    if (this.#isPlain(service)) return protocolOfService(this.#entries, service);
    try {
      return protocolOfChain(this.#entries, { ...ANYWHERE, ...this.#how, service }, this.#places);
    } catch (error) {
      if (error instanceof ProconsulError) return error;
      throw error;
    }
  }

  /** Nearly all lead to themselves alone: a hundred thousand of them are asked for at once. */
  #isPlain(service: string): boolean {
    return OF_CHAINS.every((kind) => this.#entries.entryOf(kind, service) === undefined);
  }
}
