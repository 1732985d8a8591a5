/**
 * From rules to rights. The rules of all policies of a token count as one: of two about the same
 * name, deny wins, else the one that allows more. The rights' key says what they come to, so that
 * tokens with the same rules have the same rights, whatever their policies are called.
 */
import { createHash } from 'node:crypto';
import type { Steps } from '../slices.ts';
import { NameRules, type Rank } from './name-rules.ts';
import { type Access, RESOURCES, type Resource, type Rights } from './rights.ts';
import { type Level, parseRules, type Rule, type Syntax } from './rules.ts';

/** What applies where no rule says anything. */
export type DefaultPolicy = 'allow' | 'deny';

/** Rules from one place, such as a policy, as a text. The same digest means the same rules. */
export interface RuleSet {
  readonly digest: string;
  readonly text: string;
  readonly syntax: Syntax;
}

/** Enough to tell all rights of a cluster apart. */
const DIGEST_LENGTH = 22;

export function ruleSet(text: string, syntax: Syntax = 'current'): RuleSet {
  return { digest: digestOf(syntax, text), text, syntax };
}

/** The key of the rights that these come to, in whichever order and how often they are named. */
export function rightsKey(sets: readonly RuleSet[], fallback: DefaultPolicy): string {
  const digests = [...new Set(sets.map(({ digest }) => digest))].sort();
  return digestOf(fallback, digests.join(' '));
}

function digestOf(kind: string, text: string): string {
  const digest = createHash('sha256').update(`${kind}\0${text}`).digest('base64url');
  return digest.slice(0, DIGEST_LENGTH);
}

const RANKS: Readonly<Record<Level, Rank>> = { deny: 0, read: 1, list: 2, write: 3 };
const NEEDED: Readonly<Record<Access, Rank>> = { read: 1, list: 2, write: 3 };

/** What mesh and peering are part of, for a policy that says nothing of them. */
const PART_OF: Readonly<Partial<Record<Resource, Resource>>> = {
  mesh: 'operator',
  peering: 'operator',
};

/** Whoever may manage access control may do anything: no default gives that away. */
const NEVER_BY_DEFAULT: Resource = 'acl';

/** An intention's service that stands for all. */
const EVERY_SERVICE = '*';

/** Throws ProconsulError 'rejected' where a text cannot be read. */
export function compileRights(sets: readonly RuleSet[], fallback: DefaultPolicy): Rights {
  const steps = compiling(sets, fallback);
  for (;;) {
    const next = steps.next();
    if (next.done === true) return next.value;
  }
}

/** A character of rules takes as long as so many of JSON. */
const EFFORT = 16;

/** The same step by step, a text at a time. */
export function* compiling(sets: readonly RuleSet[], fallback: DefaultPolicy): Steps<Rights> {
  const said: Sayings = new Map();
  for (const { text, syntax } of sets) {
    merge(said, parseRules(text, syntax));
    yield text.length * EFFORT;
  }
  inferIntentions(said);
  const rules = new Map<Resource, NameRules>();
  for (const [resource, saying] of said) {
    rules.set(resource, new NameRules(saying));
    yield (saying.exact.size + saying.prefix.size) * RULE_EFFORT;
  }
  return new CompiledRights(rightsKey(sets, fallback), rules, fallback);
}

const RULE_EFFORT = 128;

type ByResource = ReadonlyMap<Resource, NameRules>;

class CompiledRights implements Rights {
  readonly key: string;
  readonly all: boolean;
  readonly #rules: ByResource;
  readonly #fallback: DefaultPolicy;

  constructor(key: string, rules: ByResource, fallback: DefaultPolicy) {
    this.key = key;
    this.#rules = rules;
    this.#fallback = fallback;
    this.all = RESOURCES.every((resource) =>
      NAMELESS.has(resource)
        ? this.may(resource, 'write', '')
        : rules.get(resource)?.rankUnder('', NEEDED.write) === NEEDED.write,
    );
  }

  may(resource: Resource, access: Access, name: string): boolean {
    if (resource === 'intention' && name === EVERY_SERVICE) {
      return access === 'read'
        ? this.mayAny(resource, access)
        : this.mayUnder(resource, access, '');
    }
    const rank = this.#rules.get(resource)?.rankOf(name);
    return rank === undefined ? this.#byDefault(resource, access) : rank >= NEEDED[access];
  }

  mayUnder(resource: Resource, access: Access, prefix: string): boolean {
    const needed = NEEDED[access];
    const rank = this.#rules.get(resource)?.rankUnder(prefix, needed);
    return rank === undefined ? this.#byDefault(resource, access) : rank >= needed;
  }

  mayAnyUnder(resource: Resource, access: Access, prefix: string): boolean {
    const said = this.#rules.get(resource)?.allowsUnder(prefix, NEEDED[access]);
    return said ?? this.#byDefault(resource, access);
  }

  mayAny(resource: Resource, access: Access): boolean {
    const rules = this.#rules.get(resource);
    if (rules?.allowsAny(NEEDED[access]) === true) return true;
    return rules?.ofAll === undefined && this.#byDefault(resource, access);
  }

  #byDefault(resource: Resource, access: Access): boolean {
    const whole = PART_OF[resource];
    if (whole !== undefined) return this.may(whole, access, '');
    return this.#fallback === 'allow' && resource !== NEVER_BY_DEFAULT;
  }
}

const NAMELESS: ReadonlySet<Resource> = new Set<Resource>([
  'acl',
  'keyring',
  'mesh',
  'operator',
  'peering',
]);

interface Saying {
  readonly exact: Map<string, Rank>;
  readonly prefix: Map<string, Rank>;
}

type Sayings = Map<Resource, Saying>;

function merge(said: Sayings, rules: readonly Rule[]): void {
  for (const { resource, name, isPrefix, level } of rules) {
    let saying = said.get(resource);
    if (saying === undefined) {
      saying = { exact: new Map(), prefix: new Map() };
      said.set(resource, saying);
    }
    const ranks = isPrefix ? saying.prefix : saying.exact;
    ranks.set(name, stronger(ranks.get(name), RANKS[level]));
  }
}

function stronger(a: Rank | undefined, b: Rank): Rank {
  if (a === undefined) return b;
  return a === RANKS.deny || b === RANKS.deny ? RANKS.deny : (Math.max(a, b) as Rank);
}

/** Who may see a service may see its intentions, unless its rule says otherwise. */
function inferIntentions(said: Sayings): void {
  const services = said.get('service');
  if (services === undefined) return;
  const explicit = said.get('intention');
  const inferred = (of: 'exact' | 'prefix') => {
    const ranks = new Map<string, Rank>();
    for (const [name, rank] of services[of]) ranks.set(name, Math.min(rank, RANKS.read) as Rank);
    for (const [name, rank] of explicit?.[of] ?? []) ranks.set(name, rank);
    return ranks;
  };
  said.set('intention', { exact: inferred('exact'), prefix: inferred('prefix') });
}
