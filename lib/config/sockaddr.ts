/**
 * Addresses by description, in the template language that Consul's users write:
 * `{{ GetPrivateIP }}`, `{{ GetInterfaceIP "eth0" }}`,
 * `{{ GetPrivateInterfaces | include "network" "10.0.0.0/8" | attr "address" }}`.
 */
import { isIPv4 } from 'node:net';
import { inNetwork, isPrivateAddress, isReserved, isReservedBy } from '../ip.ts';
import type { ConfigHost, InterfaceAddress } from './config-host.ts';

type Value = readonly InterfaceAddress[] | string;
type Call = readonly [name: string, ...args: string[]];

const MAX_TEMPLATE_LENGTH = 4096;

/** Fills in a template; text without braces comes back as it stands. Throws Error with a reason. */
export function expandTemplate(template: string, host: ConfigHost): string {
  if (template.length > MAX_TEMPLATE_LENGTH) throw new Error('template is too long');
  return template.replace(/\{\{(.*?)\}\}/gs, (_all, pipeline: string) => {
    let value: Value = '';
    for (const [i, stage] of splitStages(pipeline).entries()) {
      const call = parseCall(stage);
      value = i === 0 ? source(call, host) : transform(value, call);
    }
    if (typeof value !== 'string') throw new Error(`template ${template} gives no address`);
    return value;
  });
}

function splitStages(pipeline: string): string[] {
  return pipeline.match(/(?:"[^"]*"|`[^`]*`|[^|"`])+/g) ?? [];
}

function parseCall(stage: string): Call {
  const words = stage.match(/"[^"]*"|`[^`]*`|[^\s"`]+/g) ?? [];
  const [name = '', ...args] = words.map((word) => word.replace(/^["`]|["`]$/g, ''));
  return [name, ...args];
}

function source([name, argument = '']: Call, host: ConfigHost): Value {
  const all = host.interfaces();
  switch (name) {
    case 'GetAllInterfaces':
      return all;
    case 'GetDefaultInterfaces':
      return onDefault(all, host);
    case 'GetPrivateInterfaces':
      return onDefault(all, host).filter(({ address }) => isPrivateAddress(address));
    case 'GetPublicInterfaces':
      return onDefault(all, host).filter(({ address }) => !isReserved(address));
    case 'GetPrivateIP':
      return first(onDefault(all, host).filter(({ address }) => isPrivateAddress(address)));
    case 'GetPrivateIPs':
      return joined(all.filter(({ address }) => isPrivateAddress(address)));
    case 'GetPublicIP':
      return first(onDefault(all, host).filter(({ address }) => !isReserved(address)));
    case 'GetPublicIPs':
      return joined(all.filter(({ address }) => !isReserved(address)));
    case 'GetInterfaceIP':
      return first(named(all, argument));
    case 'GetInterfaceIPs':
      return joined(named(all, argument));
    default:
      throw new Error(`function ${JSON.stringify(name)} not defined`);
  }
}

function onDefault(all: readonly InterfaceAddress[], host: ConfigHost) {
  const name = host.defaultInterface();
  return all.filter((each) => each.name === name && !isLinkLocal(each.address));
}

function named(all: readonly InterfaceAddress[], name: string): readonly InterfaceAddress[] {
  return all.filter((each) => each.name === name && !isLinkLocal(each.address));
}

function first(addresses: readonly InterfaceAddress[]): string {
  const ordered = [...addresses].sort((a, b) => a.family.localeCompare(b.family));
  return ordered[0]?.address ?? '';
}

function joined(addresses: readonly InterfaceAddress[]): string {
  return addresses.map(({ address }) => address).join(' ');
}

function transform(value: Value, [name, ...args]: Call): Value {
  if (typeof value === 'string') throw new Error(`${name} cannot follow a single address`);
  const [selector = '', argument = ''] = args;
  switch (name) {
    case 'include':
      return value.filter((each) => matches(each, selector, argument));
    case 'exclude':
      return value.filter((each) => !matches(each, selector, argument));
    case 'sort':
      return sorted(value, selector);
    case 'limit':
      return value.slice(0, Number(selector));
    case 'offset':
      return value.slice(Number(selector));
    case 'attr':
      return value[0] === undefined ? '' : attribute(value[0], selector);
    case 'join':
      return value.map((each) => attribute(each, selector)).join(argument);
    default:
      throw new Error(`function ${JSON.stringify(name)} not defined`);
  }
}

function matches(each: InterfaceAddress, selector: string, argument: string): boolean {
  switch (selector) {
    case 'name':
      return new RegExp(argument).test(each.name);
    case 'address':
      return new RegExp(argument).test(each.address);
    case 'network':
      return inNetwork(each.address, argument);
    case 'type':
      return each.family === argument.replace(/^ip/i, 'IP') || argument.toLowerCase() === 'ip';
    case 'flags':
    case 'flag':
      return argument.split('|').every((flag) => hasFlag(each, flag.trim()));
    case 'rfc':
      return isReservedBy(each.address, argument);
    default:
      throw new Error(`unknown selector ${JSON.stringify(selector)}`);
  }
}

function hasFlag(each: InterfaceAddress, flag: string): boolean {
  switch (flag) {
    case 'loopback':
      return each.loopback;
    case 'forwardable':
      return !each.loopback && !isLinkLocal(each.address);
    case 'link-local unicast':
      return isLinkLocal(each.address);
    // Node lists only interfaces that are up.
    case 'up':
      return true;
    default:
      throw new Error(`unknown flag ${JSON.stringify(flag)}`);
  }
}

function attribute(each: InterfaceAddress, selector: string): string {
  switch (selector) {
    case 'address':
      return each.address;
    case 'name':
      return each.name;
    case 'network':
    case 'string':
      return each.cidr;
    default:
      throw new Error(`unknown attribute ${JSON.stringify(selector)}`);
  }
}

function sorted(value: readonly InterfaceAddress[], selector: string) {
  const descending = selector.startsWith('-');
  const key = selector.replace(/^[+-]/, '');
  const text = (each: InterfaceAddress) => {
    if (key === 'name') return each.name;
    if (key === 'type') return each.family;
    return sortableAddress(each.address);
  };
  const ordered = [...value].sort((a, b) => (text(a) < text(b) ? -1 : 1));
  return descending ? ordered.reverse() : ordered;
}

function sortableAddress(address: string): string {
  if (!isIPv4(address)) return `6${address}`;
  return `4${address
    .split('.')
    .map((part) => part.padStart(3, '0'))
    .join('.')}`;
}

function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab]/i.test(address);
}
