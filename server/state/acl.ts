/** Tokens, policies and roles, how one logs in, and who is found by what. */
import {
  ANONYMOUS_SECRET,
  type AuthMethod,
  type BindingRule,
  type Policy,
  type Role,
  type Token,
} from '../../lib/acl/model.ts';
import { type Journal, Lookup, Table } from './table.ts';
import {
  ACL_BINDING_RULES,
  ACL_METHODS,
  ACL_POLICIES,
  ACL_ROLES,
  ACL_TOKENS,
  fold,
  RIGHTS,
} from './topic-names.ts';
import type { Topics } from './topics.ts';

export class Acl {
  /** By the secret, which every token has. */
  readonly tokens: Table<Token>;
  /** By id. */
  readonly policies: Table<Policy>;
  readonly roles: Table<Role>;
  /** By the name, without regard to case. */
  readonly authMethods: Table<AuthMethod>;
  /** By id. */
  readonly bindingRules: Table<BindingRule>;
  readonly #byAccessor = new Map<string, Token>();
  /** By the auth method's name. */
  readonly #loggedIn = new Lookup<Token>();
  readonly #rulesOf = new Lookup<BindingRule>();
  /** By secret: those that do not stay for ever. */
  readonly #expiring = new Map<string, Token>();
  readonly #policiesByName = new Map<string, Policy>();
  readonly #rolesByName = new Map<string, Role>();
  readonly #journal: Journal;
  #bootstrapIndex = 0;
  #changes = 0;

  constructor(journal: Journal, topics: Topics) {
    this.#journal = journal;
    // What is new changes nobody's rights: no token had any by it.
    const touch = (topic: string, before: unknown) => {
      topics.touch(topic);
      if (before === undefined) return;
      topics.touch(RIGHTS);
      this.#changes++;
    };
    this.tokens = new Table(journal, (before, after) => {
      if (before !== undefined) this.#byAccessor.delete(before.AccessorID);
      if (after !== undefined && after.AccessorID !== '') {
        this.#byAccessor.set(after.AccessorID, after);
      }
      if (before !== undefined) this.#expiring.delete(before.SecretID);
      if (after !== undefined && after.expiresAt !== 0) this.#expiring.set(after.SecretID, after);
      place(this.#loggedIn, (token) => token.SecretID, before, after);
      // Whoever brings no token has what this one says, also where it was not there before.
      const isAnonymous = after?.SecretID === ANONYMOUS_SECRET;
      touch(ACL_TOKENS, before ?? (isAnonymous ? after : undefined));
    });
    this.policies = new Table(journal, (before, after) => {
      if (before !== undefined) this.#policiesByName.delete(fold(before.Name));
      if (after !== undefined) this.#policiesByName.set(fold(after.Name), after);
      touch(ACL_POLICIES, before);
    });
    this.roles = new Table(journal, (before, after) => {
      if (before !== undefined) this.#rolesByName.delete(fold(before.Name));
      if (after !== undefined) this.#rolesByName.set(fold(after.Name), after);
      touch(ACL_ROLES, before);
    });
    // Neither gives or takes anything from a token that is there.
    this.authMethods = new Table(journal, () => topics.touch(ACL_METHODS));
    this.bindingRules = new Table(journal, (before, after) => {
      place(this.#rulesOf, ({ ID }) => ID, before, after);
      topics.touch(ACL_BINDING_RULES);
    });
  }

  /** Another number whenever a token may have other rights than before, in this process. */
  get changes(): number {
    return this.#changes;
  }

  /** The index of the entry that made the first token which may do anything; 0 before that. */
  get bootstrapIndex(): number {
    return this.#bootstrapIndex;
  }

  setBootstrapIndex(index: number): void {
    const before = this.#bootstrapIndex;
    this.#journal.note(() => {
      this.#bootstrapIndex = before;
    });
    this.#bootstrapIndex = index;
  }

  tokenBy(accessor: string): Token | undefined {
    return this.#byAccessor.get(accessor);
  }

  /** Those that do not stay for ever. */
  expiring(): Iterable<Token> {
    return this.#expiring.values();
  }

  /** The tokens that somebody got by an auth method. */
  loggedInBy(method: string): Iterable<Token> {
    return this.#loggedIn.rows(fold(method));
  }

  bindingRulesOf(method: string): Iterable<BindingRule> {
    return this.#rulesOf.rows(fold(method));
  }

  authMethod(name: string): AuthMethod | undefined {
    return this.authMethods.get(fold(name));
  }

  policyNamed(name: string): Policy | undefined {
    return this.#policiesByName.get(fold(name));
  }

  roleNamed(name: string): Role | undefined {
    return this.#rolesByName.get(fold(name));
  }
}

/** Most tokens are nobody's login. */
function place<V extends { readonly AuthMethod: string }>(
  lookup: Lookup<V>,
  keyOf: (row: V) => string,
  before: V | undefined,
  after: V | undefined,
): void {
  if (before !== undefined && before.AuthMethod !== '') {
    lookup.delete(fold(before.AuthMethod), keyOf(before));
  }
  if (after !== undefined && after.AuthMethod !== '') {
    lookup.set(fold(after.AuthMethod), keyOf(after), after);
  }
}
