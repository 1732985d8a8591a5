/** Which protocol a chain speaks: all that it leads through must speak the same. */

import { rejected } from '../../lib/config-entries/kind.ts';
import {
  GLOBAL,
  PROXY_DEFAULTS,
  protocolOf,
} from '../../lib/config-entries/kinds/proxy-defaults.ts';
import { SERVICE_DEFAULTS } from '../../lib/config-entries/kinds/service-defaults.ts';
import { quote } from '../../lib/go-literals.ts';
import type { ChainEntries } from './chain.ts';

/** Of services that one chain leads through, redirects and failover among them. */
const MAX_STEPS = 10_000;
const DEFAULT_PROTOCOL = 'tcp';
/** In these there is something to route and split by. */
const HTTP_LIKE: ReadonlySet<string> = new Set(['http', 'http2', 'grpc']);

export function isHttpLike(protocol: string): boolean {
  return HTTP_LIKE.has(protocol);
}

/**
 * Of calls that end at it. As in Consul, an entry of its own that says none says the usual one, and not that of
 * all services: a set of entries that fits together there is to fit here.
 */
export function protocolOfService(entries: ChainEntries, service: string): string {
  const own = entries.entryOf(SERVICE_DEFAULTS, service);
  const everywhere = entries.entryOf(PROXY_DEFAULTS, GLOBAL);
  const ofAll = everywhere === undefined ? '' : protocolOf(everywhere);
  return (own === undefined ? ofAll : own.Protocol) || DEFAULT_PROTOCOL;
}

/** Of services that were looked at before: what all of them speak, and how many they are. */
export interface Spoken {
  readonly protocol: string;
  readonly steps: number;
}

export class Protocols {
  readonly #entries: ChainEntries;
  readonly #chain: string;
  readonly #override: string;
  #first: string | undefined;
  #steps = 0;

  constructor(entries: ChainEntries, chain: string, override: string) {
    this.#entries = entries;
    this.#chain = chain;
    this.#override = override;
  }

  /** What the entries come to; that of the first service that the chain leads to. */
  get ofEntries(): string {
    return this.#first ?? DEFAULT_PROTOCOL;
  }

  get protocol(): string {
    return this.#override === '' ? this.ofEntries : this.#override;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Takes them all at once; false, and nothing is taken, where one of them would be refused. */
  agree({ protocol, steps }: Spoken): boolean {
    if (protocol !== (this.#first ?? protocol) || this.#steps + steps > MAX_STEPS) return false;
    this.#first = protocol;
    this.#steps += steps;
    return true;
  }

  /** Throws 'rejected' where the chain would have to speak two. */
  take(service: string): void {
    if (++this.#steps > MAX_STEPS) {
      throw rejected(
        `discovery chain ${quote(this.#chain)} leads through more than ${MAX_STEPS} services`,
      );
    }
    const protocol = protocolOfService(this.#entries, service);
    this.#first ??= protocol;
    if (protocol === this.#first || this.#override !== '') return;
    const has = `service ${quote(service)} has ${quote(protocol)} which is not ${quote(this.#first)}`;
    throw rejected(`discovery chain ${quote(this.#chain)} uses inconsistent protocols; ${has}`);
  }

  /** Throws 'rejected' where there is nothing to route or split by. */
  refuseRouting(): void {
    if (isHttpLike(this.protocol)) return;
    throw rejected(
      `discovery chain ${quote(this.#chain)} uses a protocol ${quote(this.protocol)} that does not permit advanced routing or splitting behavior`,
    );
  }
}
