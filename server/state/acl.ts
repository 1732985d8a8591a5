/** Tokens, policies and roles, and who is found by what. */
import type { Policy, Role, Token } from '../../lib/acl/model.ts';
import { type Journal, Table } from './table.ts';
import { ACL_POLICIES, ACL_ROLES, ACL_TOKENS, fold, RIGHTS } from './topic-names.ts';
import type { Topics } from './topics.ts';

export class Acl {
  /** By the secret, which every token has. */
  readonly tokens: Table<Token>;
  /** By id. */
  readonly policies: Table<Policy>;
  readonly roles: Table<Role>;
  readonly #byAccessor = new Map<string, Token>();
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
      touch(ACL_TOKENS, before);
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

  policyNamed(name: string): Policy | undefined {
    return this.#policiesByName.get(fold(name));
  }

  roleNamed(name: string): Role | undefined {
    return this.#rolesByName.get(fold(name));
  }
}
