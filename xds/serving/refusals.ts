/** What clients refuse of what they are told: counted, and logged as far as anybody is to read it. */

import { cut } from '../../lib/cut.ts';
import { networkOf } from '../../lib/ip.ts';
import type { Logger } from '../../lib/logger.ts';

export interface Refused {
  readonly address: string;
  /** As it says that it is: all Envoys of an agent may be of one address. */
  readonly client: string;
  readonly type: string;
  readonly why: string;
}

/** Of an address at once, and so many more in each minute. */
const MOST_LINES = 20;
const MORE_LINES = 5;
/** Of an address: each has a line in a minute, whatever others there refuse. */
const MOST_CLIENTS = 100;
/** All others are as one. */
const MOST_ADDRESSES = 1000;
const OTHERS = 'others';
const REVIEWS = 60;
/** Of each thing in a line that a client says. */
const MAX_SAID = 500;

interface Lines {
  left: number;
  unsaid: number;
  /** In this minute. */
  readonly clients: Set<string>;
}

export class Refusals {
  readonly #counts: { refusals: number };
  readonly #logger: Logger;
  readonly #byAddress = new Map<string, Lines>();
  #reviews = 0;

  constructor(counts: { refusals: number }, logger: Logger) {
    this.#counts = counts;
    this.#logger = logger;
  }

  take({ address, client: said, type, why }: Refused): void {
    this.#counts.refusals++;
    const client = cut(said, MAX_SAID);
    const lines = this.#linesOf(networkOf(address));
    const isFirst = lines.clients.size < MOST_CLIENTS && !lines.clients.has(client);
    if (isFirst) lines.clients.add(client);
    if (lines.left === 0 && !isFirst) {
      lines.unsaid++;
      return;
    }
    if (lines.left > 0) lines.left--;
    this.#logger.warn('xds: a client refused what it was told', {
      client,
      ...{ type: cut(type, MAX_SAID), why: cut(why, MAX_SAID) },
    });
  }

  /** To be called once in a second. */
  review(): void {
    this.#reviews = (this.#reviews + 1) % REVIEWS;
    if (this.#reviews !== 0) return;
    for (const [address, lines] of this.#byAddress) {
      const { unsaid: refusals } = lines;
      lines.left = Math.min(MOST_LINES, lines.left + MORE_LINES);
      lines.unsaid = 0;
      lines.clients.clear();
      const line = 'xds: clients of an address refused more than is logged one by one';
      if (refusals > 0) this.#logger.warn(line, { address, refusals });
      else if (lines.left === MOST_LINES) this.#byAddress.delete(address);
    }
  }

  #linesOf(address: string): Lines {
    const known = this.#byAddress.get(address);
    if (known !== undefined) return known;
    const key = this.#byAddress.size < MOST_ADDRESSES ? address : OTHERS;
    const lines = this.#byAddress.get(key) ?? { left: MOST_LINES, unsaid: 0, clients: new Set() };
    this.#byAddress.set(key, lines);
    return lines;
  }
}
