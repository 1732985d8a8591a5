/** Rules of before Consul 1.4 as those of today: every name becomes the beginning of a name. */

import type { Token } from '../config/hcl-scanner.ts';
import type { HclItem, HclNode } from '../config/hcl-syntax.ts';
import { quote } from '../go-literals.ts';
import { rulesItems } from './rules.ts';

const NAMED: ReadonlySet<string> = new Set([
  'agent',
  'event',
  'key',
  'node',
  'query',
  'service',
  'session',
]);

const INDENT = '  ';

/** Throws ProconsulError 'rejected' where it is no HCL. Comments are left out. */
export function translateRules(text: string): string {
  return block(rulesItems(text).map(renamed), '');
}

function renamed(item: HclItem): HclItem {
  const [first, ...rest] = item.keys;
  const name = String(first?.value);
  if (first === undefined || !NAMED.has(name)) return item;
  return { ...item, keys: [{ ...first, text: `${name}_prefix` }, ...rest] };
}

function block(items: readonly HclItem[], indent: string): string {
  return items.map((item) => indent + written(item, indent)).join('\n\n');
}

function written({ keys, assigned, value }: HclItem, indent: string): string {
  const [first, ...labels] = keys;
  const words = [key(first, indent === ''), ...labels.map((label) => quote(String(label.value)))];
  return `${words.join(' ')} ${assigned ? '= ' : ''}${shown(value, indent)}`;
}

/** A name needs no quotes; but those of JSON stay, as far as Consul leaves them. */
function key(token: Token | undefined, isTop: boolean): string {
  const text = token?.text ?? '';
  const stays = isTop && token?.at === -1;
  return /^"[A-Za-z_]\w*"$/.test(text) && !stays ? text.slice(1, -1) : text;
}

function shown(node: HclNode, indent: string): string {
  const deeper = indent + INDENT;
  if (node.kind === 'literal') return node.token.text;
  if (node.kind === 'object') {
    return node.items.length === 0 ? '{}' : `{\n${block(node.items, deeper)}\n${indent}}`;
  }
  const nodes = node.nodes.map((each) => `${deeper}${shown(each, deeper)},\n`);
  return nodes.length === 0 ? '[]' : `[\n${nodes.join('')}${indent}]`;
}
