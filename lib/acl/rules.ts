/**
 * The rules of a policy: from the text, in HCL or JSON, to what is allowed on which names. What
 * nobody knows is passed over, as by Consul: a policy may be written for a later one.
 */

import { parseJsonItems } from '../config/hcl-json.ts';
import { HclScanner } from '../config/hcl-scanner.ts';
import { type HclItem, type HclNode, parseHclItems } from '../config/hcl-syntax.ts';
import { ProconsulError } from '../errors.ts';
import { quote } from '../go-literals.ts';
import type { Resource } from './rights.ts';

/** Each allows what those before it allow; `deny` allows nothing, and wins over all others. */
export type Level = 'deny' | 'read' | 'list' | 'write';

export interface Rule {
  readonly resource: Resource;
  /** '' where the resource has no names. */
  readonly name: string;
  /** Whether it is about all names that begin so. */
  readonly isPrefix: boolean;
  readonly level: Level;
}

/** `legacy` is the language before Consul 1.4: there every name was the beginning of a name. */
export type Syntax = 'current' | 'legacy';

/** What a rule of a named resource is in Consul: its errors print it. */
interface Kind {
  readonly resource: Resource;
  readonly type: string;
  readonly nameField: string;
  readonly isPartitioned: boolean;
}

const kind = (
  resource: Resource,
  type: string,
  nameField: string,
  isPartitioned = false,
): Kind => ({
  resource,
  type,
  nameField,
  isPartitioned,
});

/** In the order in which Consul looks at them. */
const NAMED: readonly Kind[] = [
  kind('agent', 'AgentRule', 'Node'),
  kind('key', 'KeyRule', 'Prefix', true),
  kind('node', 'NodeRule', 'Name', true),
  kind('service', 'ServiceRule', 'Name', true),
  kind('session', 'SessionRule', 'Node'),
  kind('event', 'EventRule', 'Event'),
  kind('query', 'PreparedQueryRule', 'Prefix'),
];
const NAMELESS: readonly Resource[] = ['acl', 'keyring', 'operator', 'mesh', 'peering'];
const PREFIX = '_prefix';

/** Throws ProconsulError 'rejected' with Consul's words. */
export function parseRules(text: string, syntax: Syntax = 'current'): readonly Rule[] {
  const sections = new Sections(text);
  const [acl, ...rest] = NAMELESS;
  return [
    ...(acl === undefined ? [] : sections.nameless(acl)),
    ...NAMED.flatMap((each) => [
      ...sections.named(each, syntax === 'legacy'),
      ...(syntax === 'legacy' ? [] : sections.named(each, true, PREFIX)),
    ]),
    ...rest.flatMap((resource) => sections.nameless(resource)),
  ];
}

/** The parts of a text of rules. Throws as parseRules does. */
export function rulesItems(text: string): readonly HclItem[] {
  try {
    return /^\s*\{/.test(text) ? parseJsonItems(text) : parseHclItems(text);
  } catch (error) {
    if (error instanceof ProconsulError) throw unreadable(error.message);
    throw error;
  }
}

function unreadable(why: string): ProconsulError {
  return new ProconsulError('rejected', `Failed to parse ACL rules: ${why}`);
}

/** A rule as it stands in the text: its name, and what it says. */
interface Written {
  readonly name: string;
  readonly body: readonly HclItem[];
}

interface Named extends Written {
  readonly of: Kind;
  /** The resource's word, and which of its rules it is. */
  readonly section: string;
  readonly i: number;
  readonly isPrefix: boolean;
}

class Sections {
  readonly #text: string;
  /** By the first name, without regard to case. */
  readonly #byName = new Map<string, HclItem[]>();

  constructor(text: string) {
    this.#text = text;
    for (const item of rulesItems(text)) {
      const name = String(item.keys[0]?.value).toLowerCase();
      const group = this.#byName.get(name);
      if (group === undefined) this.#byName.set(name, [item]);
      else group.push(item);
    }
  }

  /** `operator = "read"`. Of several, the last one stands. */
  nameless(resource: Resource): readonly Rule[] {
    const item = this.#byName.get(resource)?.at(-1);
    if (item === undefined) return [];
    const said = this.#string(item.value, () => `root.${resource}`);
    if (said === '') return [];
    const level = levelOf(said);
    if (level === undefined || level === 'list') {
      throw new ProconsulError('rejected', `Invalid ${resource} policy: ${quote(said)}`);
    }
    return [{ resource, name: '', isPrefix: false, level }];
  }

  /** `key "a" { policy = "read" }`. */
  named(of: Kind, isPrefix: boolean, suffix = ''): readonly Rule[] {
    const section = `${of.resource}${suffix}`;
    const rules: Rule[] = [];
    let i = 0;
    for (const item of this.#byName.get(section) ?? []) {
      for (const { name, body } of this.#written(item)) {
        this.#add(rules, { of, section, name, body, isPrefix, i: i++ });
      }
    }
    return rules;
  }

  /** `key "a" {…}` is one, `key = { "a" = {…} }` one for each name in it. */
  #written({ keys, value }: HclItem): readonly Written[] {
    const [, label, more] = keys;
    if (label !== undefined) {
      return this.#bodies(value).map((body) => ({
        name: String(label.value),
        // Two names: the second one is taken for a field that says nothing.
        body: more === undefined ? body : [],
      }));
    }
    if (value.kind === 'literal') {
      throw this.#fault(value, 'unknown slice type: *ast.LiteralType');
    }
    if (value.kind === 'list' && value.nodes.length > 0) {
      throw this.#fault(value, 'a name is asked for, and there is a list');
    }
    const named = value.kind === 'object' ? value.items : [];
    return named.flatMap((inner) =>
      this.#bodies(inner.value).map((body) => ({ name: String(inner.keys[0]?.value), body })),
    );
  }

  #bodies(value: HclNode): readonly (readonly HclItem[])[] {
    if (value.kind === 'list') return value.nodes.flatMap((node) => this.#bodies(node));
    return [value.kind === 'object' ? value.items : []];
  }

  #add(rules: Rule[], written: Named): void {
    const { of, section, name, isPrefix } = written;
    const policy = this.#field(written, 'Policy');
    const intentions = of.resource === 'service' ? this.#field(written, 'Intentions') : '';
    const { resource } = of;
    const printed = () => printedRule(of, name, policy, intentions);
    const level = levelOf(policy);
    if (level === undefined || (level === 'list' && resource !== 'key')) {
      throw new ProconsulError('rejected', `Invalid ${section} policy: ${printed()}`);
    }
    rules.push({ resource, name, isPrefix, level });
    if (intentions === '') return;
    const ofIntentions = levelOf(intentions);
    if (ofIntentions === undefined || ofIntentions === 'list') {
      throw new ProconsulError('rejected', `Invalid ${section} intentions policy: ${printed()}`);
    }
    rules.push({ resource: 'intention', name, isPrefix, level: ofIntentions });
  }

  /** '' where nothing is said; of several, the last one stands. */
  #field({ body, section, i }: Named, name: 'Policy' | 'Intentions'): string {
    const wanted = name.toLowerCase();
    const item = body.findLast(({ keys }) => String(keys[0]?.value).toLowerCase() === wanted);
    return item === undefined
      ? ''
      : this.#string(item.value, () => `root.${section}[${i}].${name}`);
  }

  #string(value: HclNode, at: () => string): string {
    if (value.kind === 'literal') {
      const { kind: token, value: said } = value.token;
      if (token !== 'BOOL' && token !== 'FLOAT') return String(said);
    }
    throw this.#fault(value, `${at()}: unknown type for string *ast.${GO_TYPES[value.kind]}`);
  }

  #fault(value: HclNode, why: string): ProconsulError {
    const at = placeOf(value);
    const place = at < 0 ? '-' : new HclScanner(this.#text).position(at);
    return unreadable(`At ${place}: ${why}`);
  }
}

const GO_TYPES = { literal: 'LiteralType', list: 'ListType', object: 'ObjectList' };

/** To HCL an object begins with the first thing in it. */
function placeOf(node: HclNode): number {
  if (node.kind === 'literal') return node.token.at;
  return node.kind === 'list' ? node.at : (node.items[0]?.keys[0]?.at ?? -1);
}

function levelOf(said: string): Level | undefined {
  const level = said.toLowerCase();
  return LEVELS.has(level) ? (level as Level) : undefined;
}

const LEVELS: ReadonlySet<string> = new Set(['deny', 'read', 'list', 'write'] satisfies Level[]);

/** As Go prints the rule's struct. */
function printedRule(of: Kind, name: string, policy: string, intentions: string): string {
  const fields = [`${of.nameField}:${quote(name)}`, `Policy:${quote(policy)}`];
  if (of.resource === 'service') fields.push(`Intentions:${quote(intentions)}`);
  if (of.isPartitioned) fields.push('EnterpriseRule:acl.EnterpriseRule{}');
  return `&acl.${of.type}{${fields.join(', ')}}`;
}
