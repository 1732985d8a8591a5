/**
 * HCL, version 1, as Consul 1.8 reads it: configuration files and service definitions. The other
 * version that calls itself HCL, Terraform's, is another language.
 */
import { messageOf, ProconsulError } from '../errors.ts';
import { decodeJson } from '../json.ts';
import { type HclItem, type HclNode, parseHclItems } from './hcl-syntax.ts';
import type { Tree } from './row.ts';

export type HclValue = string | number | boolean | readonly HclValue[] | HclObject;
export interface HclObject {
  readonly [key: string]: HclValue;
}

/**
 * Reads HCL, or JSON where the text begins with a brace. A block comes out as a list of the objects
 * under its name, for it may be repeated, and a label as one more level: `service "a" { port = 1 }`
 * is `{service: [{a: [{port: 1}]}]}`. Throws ProconsulError 'invalid' with line and column.
 */
export function parseHcl(text: string): Tree {
  return /^\s*\{/.test(text) ? parseJsonObject(text) : objectOf(parseHclItems(text));
}

function parseJsonObject(text: string): Tree {
  try {
    return decodeJson(text) as Tree;
  } catch (error) {
    throw new ProconsulError('invalid', messageOf(error));
  }
}

function objectOf(items: readonly HclItem[]): HclObject {
  const object = new Map<string, HclValue>();
  for (const { keys, value: node } of items) {
    const [key = '', ...labels] = keys.map(({ value }) => String(value));
    const value = valueIn(node);
    // Each label is a level of its own, and a level is a list.
    const labelled = labels.reduceRight<HclValue>(
      (inner, label) => Object.fromEntries([[label, [inner]]]),
      value,
    );
    put(object, key, node.kind === 'object' ? [labelled] : labelled);
  }
  return Object.fromEntries(object);
}

function valueIn(node: HclNode): HclValue {
  if (node.kind === 'literal') return node.token.value;
  return node.kind === 'list' ? node.nodes.map(valueIn) : objectOf(node.items);
}

/** Lists and blocks of one name are strung together; of anything else, the last one stands. */
function put(object: Map<string, HclValue>, key: string, value: HclValue): void {
  const before = object.get(key);
  const both = Array.isArray(before) && Array.isArray(value);
  object.set(key, both ? [...before, ...value] : value);
}
