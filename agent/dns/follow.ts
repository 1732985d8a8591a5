/** Following a name that stands in place of an address, in our zone or through recursors. */
import type { Clock } from '../../lib/clock.ts';
import type { DnsConfig } from '../../lib/config/config.ts';
import type { HealthEntry, Lookups } from '../../lib/dns-lookups.ts';
import { ipBytes } from '../../lib/ip.ts';
import { addressOf, healthy } from './instances.ts';
import { MAX_FOLLOW_DEPTH, MAX_FOLLOWED_MS } from './limits.ts';
import { wireName } from './names.ts';
import type { Recursors } from './recursors.ts';
import { type Subject, subjectOf } from './subject.ts';
import { readUpstream, type UpstreamRecord } from './upstream.ts';
import { CLASS_IN, FLAG, HEADER_BYTES, TYPE } from './wire.ts';
import { labelsUnder } from './zone.ts';

export interface Followed {
  readonly records: readonly UpstreamRecord[];
  /** How long this may be said again, by the clock. */
  readonly untilMs: number;
}

export interface FollowerOptions {
  readonly config: DnsConfig;
  readonly datacenter: string;
  readonly lookups: Lookups;
  readonly recursors: Recursors;
  readonly clock: Clock;
}

export class Follower {
  readonly #options: FollowerOptions;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** What leads from the name to addresses; AAAA where that is asked for, else A. */
  async follow(name: string, type: number): Promise<Followed> {
    const wanted = type === TYPE.AAAA ? TYPE.AAAA : TYPE.A;
    const labels = name
      .toLowerCase()
      .split('.')
      .filter((label) => label !== '');
    const own = labelsUnder(labels, this.#options.config);
    if (own === undefined) return await this.#outside(name, wanted);
    const ips = await this.#inside(own, name, 0);
    const records = ips
      .map((data) => ({ name, type: data.length === 4 ? TYPE.A : TYPE.AAAA, ttlS: 0, data }))
      .filter((record) => record.type === wanted);
    // What it leads to may change at any time, and is found again at no cost.
    return { records, untilMs: 0 };
  }

  async #outside(name: string, type: number): Promise<Followed> {
    const { recursors, clock } = this.#options;
    const question = questionFor(name, type);
    const answer =
      question === undefined || recursors.none ? undefined : await recursors.ask(question, 'udp');
    const records = answer === undefined ? [] : (readUpstream(answer) ?? []);
    if (records.length === 0) return { records, untilMs: 0 };
    const ttlMs = Math.min(...records.map(({ ttlS }) => ttlS)) * 1000;
    return { records, untilMs: clock.monotonic() + Math.min(ttlMs, MAX_FOLLOWED_MS) };
  }

  async #inside(labels: readonly string[], name: string, depth: number): Promise<Buffer[]> {
    const { datacenter, config } = this.#options;
    if (depth >= MAX_FOLLOW_DEPTH) return [];
    const addresses = await this.#addresses(subjectOf(labels, datacenter), name);
    const ips: Buffer[] = [];
    for (const address of addresses) {
      const ip = ipBytes(address);
      if (ip !== undefined) {
        ips.push(ip);
        continue;
      }
      const next = address
        .toLowerCase()
        .split('.')
        .filter((label) => label !== '');
      const own = labelsUnder(next, config);
      if (own !== undefined) ips.push(...(await this.#inside(own, address, depth + 1)));
      if (ips.length > 0) break;
    }
    return ips;
  }

  async #addresses(subject: Subject, name: string): Promise<string[]> {
    const { lookups, config } = this.#options;
    const of = (entries: readonly HealthEntry[]) => [
      ...new Set(healthy(entries, config.onlyPassing).map((entry) => addressOf(entry, name))),
    ];
    switch (subject.about) {
      case 'service':
        return of((await lookups.service(subject.name, subject.tag)).value);
      case 'connect':
        return of((await lookups.connect(subject.name)).value);
      case 'virtual': {
        const { value } = await lookups.virtual(subject.name);
        return value === undefined ? [] : [value];
      }
      case 'node': {
        const { value } = await lookups.node(subject.name);
        return value === undefined ? [] : [value.Address];
      }
      case 'query':
        return of((await lookups.query(subject.name)).value?.entries ?? []);
      case 'address':
        return subject.ip === undefined ? [] : [subject.ip];
      default:
        return [];
    }
  }
}

function questionFor(name: string, type: number): Buffer | undefined {
  const encoded = wireName(name);
  if (encoded === undefined) return undefined;
  const packet = Buffer.alloc(HEADER_BYTES + encoded.length + 4);
  packet.writeUInt16BE(FLAG.RD, 2);
  packet.writeUInt16BE(1, 4);
  encoded.copy(packet, HEADER_BYTES);
  packet.writeUInt16BE(type, HEADER_BYTES + encoded.length);
  packet.writeUInt16BE(CLASS_IN, HEADER_BYTES + encoded.length + 2);
  return packet;
}
