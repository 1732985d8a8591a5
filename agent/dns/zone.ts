/** Our own zone: its names, and what it says of itself. */
import type { DnsConfig } from '../../lib/config/config.ts';
import type { HealthEntry } from '../../lib/dns-lookups.ts';
import { answerOf, type DnsAnswer, type Group, Groups, plainGroup, section } from './answer.ts';
import { type Names, wireName } from './names.ts';
import { addressTail, soaTail, tail } from './records.ts';
import { RCODE, TYPE } from './wire.ts';

/** As many as Consul names, picked anew for each answer. */
const MAX_NAME_SERVERS = 3;

/** The labels before our domain or the other one; undefined for a name outside both. */
export function labelsUnder(labels: readonly string[], config: DnsConfig): string[] | undefined {
  for (const domain of [config.domain, config.altDomain]) {
    const zone = domain
      .toLowerCase()
      .split('.')
      .filter((label) => label !== '');
    const start = labels.length - zone.length;
    const isUnder = zone.length > 0 && start >= 0 && zone.every((z, i) => labels[start + i] === z);
    if (isUnder) return labels.slice(0, start);
  }
  return undefined;
}

export interface ZoneOptions {
  readonly config: DnsConfig;
  readonly datacenter: string;
  /** Seconds since 1970: what the zone's serial is made of. */
  readonly nowS: () => number;
}

export class Zone {
  readonly #options: ZoneOptions;

  constructor(options: ZoneOptions) {
    this.#options = options;
  }

  /** A name that leads to an address, such as `a.node.dc1.consul.`. */
  nameOf(what: string, kind: 'node' | 'addr' | 'service'): string {
    const { config, datacenter } = this.#options;
    return `${what}.${kind}.${datacenter}.${config.domain}`;
  }

  /** An answer of our own; whether we recurse is said in every one. */
  answer(parts: Partial<DnsAnswer>): DnsAnswer {
    const recursionAvailable = this.#options.config.recursors.length > 0;
    return answerOf({ recursionAvailable, ...parts });
  }

  noSuchName(names: Names): DnsAnswer {
    return this.answer({ rcode: RCODE.NXDOMAIN, authority: section([this.#soa(names)]) });
  }

  /** The name is there, and has no records of this type. */
  noData(names: Names): DnsAnswer {
    return this.answer({ authority: section([this.#soa(names)]) });
  }

  soa(names: Names, servers: readonly HealthEntry[]): DnsAnswer {
    const groups = this.#nameServers(names, servers).slice(0, MAX_NAME_SERVERS);
    const extras = groups.flatMap(({ target, extras: own }) =>
      own.map((extra) => Buffer.concat([target, extra])),
    );
    return this.answer({
      groups: Groups.of([plainGroup(this.#soa(names))]),
      authority: section(groups.map(({ answer }) => answer)),
      additional: section(extras),
    });
  }

  nameServers(names: Names, servers: readonly HealthEntry[]): DnsAnswer {
    return this.answer({
      groups: Groups.of(this.#nameServers(names, servers)),
      shuffled: true,
      limits: { udp: false, records: MAX_NAME_SERVERS },
    });
  }

  #nameServers(names: Names, servers: readonly HealthEntry[]): Group[] {
    const { config } = this.#options;
    const ttlS = Math.floor(config.nodeTtlMs / 1000);
    return servers.flatMap(({ Node }) => {
      const target = wireName(this.nameOf(Node.Node, 'node'));
      if (target === undefined) return [];
      const owner = this.#owner(names);
      const answer = Buffer.concat([owner, tail(TYPE.NS, ttlS, target)]);
      const address = addressTail(Node.Address, ttlS);
      const extras = address === undefined ? [] : [address];
      return [{ answer, answerCount: 1, target, targetAt: answer.length - target.length, extras }];
    });
  }

  #soa(names: Names): Buffer {
    const { config, nowS } = this.#options;
    const { domain, soa } = config;
    return Buffer.concat([this.#owner(names), soaTail({ domain, serial: nowS(), ...soa })]);
  }

  #owner(names: Names): Buffer {
    return names.encode(this.#options.config.domain) ?? names.owner;
  }
}
