/** From a question to its answer: which lookup it needs, and what is said of what that finds. */
import type { Clock } from '../../lib/clock.ts';
import type { DnsConfig } from '../../lib/config/config.ts';
import type { Found, HealthEntry, Lookup, Lookups } from '../../lib/dns-lookups.ts';
import type { Node } from '../../lib/model.ts';
import { type DnsAnswer, type Group, Groups, plainGroup } from './answer.ts';
import { type Followed, Follower } from './follow.ts';
import {
  addressesOf,
  addressGroups,
  addressOf,
  atPort,
  healthy,
  outsideNames,
  srvGroups,
} from './instances.ts';
import { MAX_FOLLOWED } from './limits.ts';
import { Names, wireName } from './names.ts';
import { nodeAnswer } from './node-answer.ts';
import { addressTail, tail } from './records.ts';
import type { Recursors } from './recursors.ts';
import { labelsOf, type Request } from './request.ts';
import { reverseAddress, type Subject, subjectOf } from './subject.ts';
import { Ttls } from './ttls.ts';
import { TYPE } from './wire.ts';
import { labelsUnder, Zone } from './zone.ts';

export interface DnsAnswersOptions {
  readonly config: DnsConfig;
  readonly datacenter: string;
  readonly lookups: Lookups;
  readonly recursors: Recursors;
  readonly clock: Clock;
}

/** The question is not ours: the recursors may know. */
export const PASS_ON = 'pass-on';
export type Decision = DnsAnswer | typeof PASS_ON;

interface Question {
  readonly type: number;
  readonly names: Names;
  /** The name that is asked for, in lower case, with the dot. */
  readonly name: string;
}

/** What all records of a service need. */
interface ServiceQuestion extends Question {
  readonly ttlS: number;
  readonly shuffled: boolean;
}

export class DnsAnswers {
  readonly #options: DnsAnswersOptions;
  readonly #zone: Zone;
  readonly #ttls: Ttls;
  readonly #follower: Follower;

  constructor(options: DnsAnswersOptions) {
    const { config, datacenter, clock } = options;
    this.#options = options;
    this.#zone = new Zone({ config, datacenter, nowS: () => Math.floor(clock.now() / 1000) });
    this.#ttls = new Ttls(options.config);
    this.#follower = new Follower(options);
  }

  /** At once where the lookups answer at once and no name must be followed. */
  answer({ question, type }: Request): Lookup<Decision> {
    const { config, datacenter } = this.#options;
    const labels = labelsOf(question);
    const names = new Names(question, !config.disableCompression);
    const asked = { type, names, name: labels.map((label) => `${label}.`).join('') };
    const own = labelsUnder(labels, config);
    if (own === undefined) return this.#outside(labels, asked);
    if (type === TYPE.SOA || type === TYPE.NS) return this.#ofZone(asked);
    return this.#about(subjectOf(own, datacenter), asked);
  }

  #outside(labels: readonly string[], asked: Question): Lookup<Decision> {
    const ip = reverseAddress(labels);
    if (ip === undefined || ip === '') return lasting(PASS_ON);
    return derive(this.#options.lookups.address(ip), (owner) => {
      if (owner === undefined) return PASS_ON;
      const name =
        'node' in owner
          ? this.#zone.nameOf(owner.node, 'node')
          : this.#zone.nameOf(owner.service, 'service');
      const target = wireName(name);
      if (target === undefined) return PASS_ON;
      const record = Buffer.concat([asked.names.owner, tail(TYPE.PTR, 0, target)]);
      return this.#zone.answer({ groups: Groups.of([plainGroup(record)]) });
    });
  }

  #ofZone({ type, names }: Question): Lookup<Decision> {
    return derive(this.#options.lookups.service('consul', ''), (entries) => {
      const byNode = new Map(healthy(entries, false).map((entry) => [entry.Node.Node, entry]));
      const servers = [...byNode.values()];
      return type === TYPE.SOA
        ? this.#zone.soa(names, servers)
        : this.#zone.nameServers(names, servers);
    });
  }

  #about(subject: Subject, asked: Question): Lookup<Decision> {
    const { lookups } = this.#options;
    switch (subject.about) {
      case 'service':
        return this.#service(lookups.service(subject.name, subject.tag), subject, asked);
      case 'connect':
        return this.#service(lookups.connect(subject.name), { ...subject, port: '' }, asked);
      case 'virtual':
        return derive(lookups.virtual(subject.name), (ip) =>
          ip === undefined ? this.#zone.noSuchName(asked.names) : this.#address(ip, asked),
        );
      case 'ingress':
        return this.#service(lookups.ingress(subject.name), { ...subject, port: '' }, asked);
      case 'node':
        return this.#node(lookups.node(subject.name), asked);
      case 'query':
        return this.#query(subject.name, asked);
      case 'address':
        return lasting(this.#address(subject.ip, asked));
      default:
        return lasting(this.#zone.noSuchName(asked.names));
    }
  }

  #service(
    looked: Lookup<readonly HealthEntry[]>,
    { name, port }: { readonly name: string; readonly port: string },
    asked: Question,
  ): Lookup<Decision> {
    const { config } = this.#options;
    const what = { ...asked, ttlS: this.#ttls.ofService(name), shuffled: true };
    return chain(looked, (found) => {
      const entries = healthy(found.value, config.onlyPassing);
      return this.#instances(found, port === '' ? entries : atPort(entries, port), what);
    });
  }

  #query(name: string, asked: Question): Lookup<Decision> {
    return chain(this.#options.lookups.query(name), (found) => {
      const { value: query } = found;
      if (query === undefined) return replace(found, this.#zone.noSuchName(asked.names));
      const ttlS = this.#ttls.ofQuery(query.ttl, query.service);
      return this.#instances(found, query.entries, { ...asked, ttlS, shuffled: !query.ordered });
    });
  }

  #instances(
    found: Found<unknown>,
    entries: readonly HealthEntry[],
    asked: ServiceQuestion,
  ): Lookup<Decision> {
    if (entries.length === 0) return replace(found, this.#zone.noSuchName(asked.names));
    if (asked.type === TYPE.SRV) return this.#srv(found, entries, asked);
    const { type, names, name, ttlS, shuffled } = asked;
    if (!ANSWERED_WITH_ADDRESSES.has(type)) return replace(found, this.#zone.noData(names));
    const addresses = entries.map((entry) => addressOf(entry, name));
    const { ips, names: outside } = addressesOf(addresses, type);
    if (ips.length > 0) {
      const limits = { udp: true, records: this.#options.config.aRecordLimit };
      const groups = addressGroups(ips, { owner: names.owner, ttlS });
      return replace(found, this.#zone.answer({ groups, shuffled, limits }));
    }
    const [first] = outside;
    if (first === undefined) return replace(found, this.#zone.noData(names));
    return this.#alias(found, first, { ...asked, followedTtlS: ttlS });
  }

  #srv(
    found: Found<unknown>,
    entries: readonly HealthEntry[],
    asked: ServiceQuestion,
  ): Lookup<Decision> {
    const { names, name, ttlS, shuffled } = asked;
    const { config } = this.#options;
    const answerWith = (followed: ReadonlyMap<string, readonly Buffer[]>) => {
      const groups = srvGroups({
        entries,
        names,
        question: name,
        ttlS,
        zone: this.#zone,
        metaBeside: config.nodeMetaTxt,
        followed,
      });
      const limits = { udp: true, records: 0 };
      return this.#zone.answer({ groups, shuffled, limits });
    };
    const outside = outsideNames(entries.map((entry) => addressOf(entry, name)));
    if (outside.length === 0) return replace(found, answerWith(NOTHING_FOLLOWED));
    return this.#followAll(outside.slice(0, MAX_FOLLOWED)).then(({ followed, untilMs }) => {
      const extras = [...followed].map(([target, { records }]) => {
        const tails = records.filter(isAddress).map((r) => tail(r.type, ttlS, r.data));
        return [target, tails] as const;
      });
      return this.#until(found, untilMs, answerWith(new Map(extras)));
    });
  }

  async #followAll(names: readonly string[]) {
    const all = await Promise.all(
      names.map(async (name) => [name, await this.#follower.follow(name, TYPE.A)] as const),
    );
    return {
      followed: new Map<string, Followed>(all),
      untilMs: Math.min(...all.map(([, { untilMs }]) => untilMs)),
    };
  }

  #node(looked: Lookup<Node | undefined>, asked: Question): Lookup<Decision> {
    const { config } = this.#options;
    const ttlS = this.#ttls.nodeS;
    return chain(looked, (found) => {
      const { value: node } = found;
      if (node === undefined) return replace(found, this.#zone.noSuchName(asked.names));
      const isName = addressTail(node.Address, ttlS) === undefined;
      if (isName && ALIASED.has(asked.type)) {
        const target = node.Address.endsWith('.') ? node.Address : `${node.Address}.`;
        return this.#alias(found, target, { ...asked, ttlS });
      }
      const { type, names } = asked;
      const metaBeside = config.nodeMetaTxt;
      const parts = nodeAnswer({ node, type, ttlS, owner: names.owner, metaBeside });
      return replace(found, this.#zone.answer(parts));
    });
  }

  /** A CNAME, and what it leads to. */
  async #alias(
    found: Found<unknown>,
    target: string,
    asked: Question & { readonly ttlS: number; readonly followedTtlS?: number },
  ): Promise<Found<Decision>> {
    const { names, type, ttlS, followedTtlS } = asked;
    const name = names.encode(target);
    if (name === undefined) return replace(found, this.#zone.noData(names));
    const cname = Buffer.concat([names.owner, tail(TYPE.CNAME, ttlS, name)]);
    const { records, untilMs } = await this.#follower.follow(target, type);
    const groups: Group[] = [plainGroup(cname)];
    for (const record of records) {
      const owner = names.encode(record.name);
      if (owner === undefined) continue;
      const rest = tail(record.type, followedTtlS ?? record.ttlS, record.data);
      groups.push(plainGroup(Buffer.concat([owner, rest])));
    }
    return this.#until(found, untilMs, this.#zone.answer({ groups: Groups.of(groups) }));
  }

  #address(ip: string | undefined, { type, names }: Question): DnsAnswer {
    const record = ip === undefined ? undefined : addressTail(ip, this.#ttls.nodeS);
    if (record === undefined) return this.#zone.answer({});
    if (type !== TYPE.ANY && type !== record.readUInt16BE(0)) return this.#zone.noData(names);
    const group = plainGroup(Buffer.concat([names.owner, record]));
    return this.#zone.answer({ groups: Groups.of([group]) });
  }

  /** What was followed is said again only as long as the recursor allows. */
  #until({ isCurrent }: Found<unknown>, untilMs: number, value: Decision): Found<Decision> {
    const { clock } = this.#options;
    return { value, isCurrent: () => clock.monotonic() < untilMs && isCurrent() };
  }
}

const NOTHING_FOLLOWED: ReadonlyMap<string, readonly Buffer[]> = new Map();
const ANSWERED_WITH_ADDRESSES = new Set<number>([TYPE.A, TYPE.AAAA, TYPE.ANY, TYPE.TXT]);
const ALIASED = new Set<number>([TYPE.A, TYPE.AAAA, TYPE.ANY]);

function isAddress({ type }: { readonly type: number }): boolean {
  return type === TYPE.A || type === TYPE.AAAA;
}

function lasting<T>(value: T): Found<T> {
  return { value, isCurrent: () => true };
}

function replace<T>(found: Found<unknown>, value: T): Found<T> {
  return { value, isCurrent: found.isCurrent };
}

function chain<A, B>(looked: Lookup<A>, next: (found: Found<A>) => Lookup<B>): Lookup<B> {
  return looked instanceof Promise ? looked.then(next) : next(looked);
}

function derive<A, B>(looked: Lookup<A>, of: (value: A) => B): Lookup<B> {
  return chain(looked, (found) => replace(found, of(found.value)));
}
