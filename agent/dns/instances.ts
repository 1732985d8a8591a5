/** From the instances of a service to its records. */
import { isIP } from 'node:net';
import type { HealthEntry } from '../../lib/dns-lookups.ts';
import { ipBytes } from '../../lib/ip.ts';
import { type Group, Groups, plainGroup, type Section, section } from './answer.ts';
import { type Names, wireName } from './names.ts';
import { metaTexts } from './node-answer.ts';
import { addressTail, SRV_TARGET_AT, srvTail } from './records.ts';
import { TYPE } from './wire.ts';
import type { Zone } from './zone.ts';

const MAX_U16 = 0xffff;

export function healthy(entries: readonly HealthEntry[], onlyPassing: boolean): HealthEntry[] {
  return entries.filter(({ Checks }) =>
    Checks.every(({ Status }) => (onlyPassing ? Status === 'passing' : Status !== 'critical')),
  );
}

/** Those that have a port of this name, which is in lower case; each as if it had no other. */
export function atPort(entries: readonly HealthEntry[], name: string): HealthEntry[] {
  return entries.flatMap((entry) => {
    const port = entry.Service.Ports?.find((each) => each.Name.toLowerCase() === name);
    return port === undefined ? [] : [{ ...entry, Service: { ...entry.Service, Port: port.Port } }];
  });
}

/** An instance's own address, or its node's: an IP, or a name outside. */
export function addressOf({ Node, Service }: HealthEntry, question: string): string {
  const { Address } = Service;
  // An instance at the very name that it is asked for would never be found.
  return Address === '' || isName(Address, question) ? Node.Address : Address;
}

/** `name` is in lower case and ends with a dot. */
function isName(address: string, name: string): boolean {
  // Compared with thousands of addresses, of which next to none is as long.
  if (name.length - address.length > 1) return false;
  return withDot(address.toLowerCase()) === name;
}

function withDot(name: string): string {
  return name.endsWith('.') ? name : `${name}.`;
}

export interface Addresses {
  /** Of the type that is asked for, each once. */
  readonly ips: readonly string[];
  readonly names: readonly string[];
}

/** The addresses that are names, each once. */
export function outsideNames(addresses: Iterable<string>): string[] {
  return [...new Set(addresses)].filter((address) => isIP(address) === 0).map(withDot);
}

/** TXT asks for addresses of both kinds too: that is how Consul has always answered it. */
export function addressesOf(addresses: Iterable<string>, type: number): Addresses {
  const both = type === TYPE.ANY || type === TYPE.TXT;
  const wanted = type === TYPE.AAAA ? 6 : 4;
  const ips: string[] = [];
  const names: string[] = [];
  for (const address of new Set(addresses)) {
    const family = isIP(address);
    if (family === 0) names.push(withDot(address));
    else if (both || family === wanted) ips.push(address);
  }
  return { ips, names };
}

export interface AddressRecords {
  readonly owner: Buffer;
  readonly ttlS: number;
}

export function addressGroups(ips: readonly string[], { owner, ttlS }: AddressRecords): Groups {
  return new Groups(ips.length, (i) =>
    plainGroup(Buffer.concat([owner, addressTail(ips[i] ?? '', ttlS) ?? NONE])),
  );
}

const NONE = Buffer.alloc(0);

export interface SrvQuestion {
  readonly entries: readonly HealthEntry[];
  readonly names: Names;
  readonly question: string;
  readonly ttlS: number;
  readonly zone: Zone;
  readonly metaBeside: boolean;
  /** What leads from names outside to addresses, without owners. */
  readonly followed: ReadonlyMap<string, readonly Buffer[]>;
}

/** An SRV for each port of each address of each node, once. */
export function srvGroups(asked: SrvQuestion): Groups {
  const found = new Map<string, SrvInstance>();
  for (const entry of asked.entries) {
    const address = addressOf(entry, asked.question);
    const key = `${entry.Node.Node}\0${address}\0${entry.Service.Port}`;
    if (found.has(key)) continue;
    const target = targetOf(entry, address, asked.zone);
    if (isEncodable(target.name)) found.set(key, { entry, address, ...target });
  }
  const list = [...found.values()];
  const shared = { targets: new Map<string, Buffer>(), texts: new Map<string, Section>() };
  return new Groups(list.length, (i) => srvGroup(list[i] as SrvInstance, asked, shared));
}

/** What several records of one answer have in common: packets tell by it what is in already. */
interface SharedParts {
  readonly targets: Map<string, Buffer>;
  /** By the node's name: its meta, where its name is not the target. */
  readonly texts: Map<string, Section>;
}

interface Target {
  /** What the SRV points to. */
  readonly name: string;
  readonly isNode: boolean;
}

interface SrvInstance extends Target {
  readonly entry: HealthEntry;
  readonly address: string;
}

/** The node's name where the instance is at its node's address, else a name made of its own. */
function targetOf({ Node, Service }: HealthEntry, address: string, zone: Zone): Target {
  if (isIP(address) === 0) return { name: withDot(address), isNode: false };
  const isNode = Service.Address === '' || address !== Service.Address;
  if (isNode) return { name: zone.nameOf(Node.Node, 'node'), isNode };
  return { name: zone.nameOf(ipBytes(address)?.toString('hex') ?? '', 'addr'), isNode };
}

const PLAIN_NAME = /^(?:[\w-]{1,63}\.){1,8}$/;

/** Nearly all names are: only a strange one is tried out. */
function isEncodable(name: string): boolean {
  return (name.length < 200 && PLAIN_NAME.test(name)) || wireName(name) !== undefined;
}

function srvGroup(found: SrvInstance, asked: SrvQuestion, shared: SharedParts): Group {
  const { entry, address, name, isNode } = found;
  const { names, ttlS, metaBeside, followed } = asked;
  const target = shared.targets.get(name) ?? wireName(name) ?? Buffer.from([0]);
  shared.targets.set(name, target);
  const port = Math.min(Math.max(entry.Service.Port, 0), MAX_U16);
  const answer = Buffer.concat([
    names.owner,
    srvTail({ weight: weightOf(entry), port, target }, ttlS),
  ]);
  const ip = addressTail(address, ttlS);
  const texts = isNode && metaBeside ? metaTexts(entry.Node, ttlS) : [];
  return {
    answer,
    answerCount: 1,
    target,
    targetAt: names.owner.length + SRV_TARGET_AT,
    extras: ip === undefined ? (followed.get(name) ?? []) : [ip, ...texts],
    ...(!isNode && metaBeside && { beside: textsOf(entry, asked, shared) }),
  };
}

/** What is said of the node of an instance that has an address of its own. */
function textsOf({ Node }: HealthEntry, asked: SrvQuestion, { texts }: SharedParts): Section {
  const { names, zone, ttlS } = asked;
  const known = texts.get(Node.Node);
  if (known !== undefined) return known;
  const owner = names.encode(zone.nameOf(Node.Node, 'node'));
  const tails = owner === undefined ? [] : metaTexts(Node, ttlS);
  const made = section(tails.map((text) => Buffer.concat([owner ?? NONE, text])));
  texts.set(Node.Node, made);
  return made;
}

function weightOf({ Service, Checks }: HealthEntry): number {
  const passing = Checks.every(({ Status }) => Status === 'passing');
  const weight = passing ? Service.Weights.Passing : Service.Weights.Warning;
  return Math.min(Math.max(weight, 1), MAX_U16);
}
