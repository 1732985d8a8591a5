/** Who has which rights, and how they come by them: what the log says of it. */
import type {
  AuthMethodDefinition,
  BindingRuleDefinition,
  PolicyDefinition,
  RoleDefinition,
  TokenDefinition,
} from '../lib/acl/model.ts';

/**
 * Before anything else of access control: what is always there, as far as it is not. `token` is
 * whom the configuration makes the first one that may do anything.
 */
export interface BeginAcl {
  readonly type: 'begin-acl';
  readonly policy: PolicyDefinition;
  readonly anonymous: TokenDefinition;
  readonly token?: TokenDefinition;
}

/** The first token that may do anything, made once; again only by who knows when that was. */
export interface BootstrapAcl {
  readonly type: 'bootstrap-acl';
  readonly token: TokenDefinition;
  /** The index of the entry that it was made at; 0 for the first time. */
  readonly resetIndex: number;
}

/** When a token ends: at a time, or so long after this entry; 0 is never. */
export interface Expiry {
  readonly atMs: number;
  readonly ttlMs: number;
}

/** Makes a token, or with `update` changes the one with its accessor id. */
export interface SetAclToken {
  readonly type: 'set-acl-token';
  readonly token: TokenDefinition;
  readonly expiry: Expiry;
  readonly update: boolean;
}

/** One of the API before Consul 1.4, which is known by its secret alone, and made if it is new. */
export interface SetLegacyToken {
  readonly type: 'set-legacy-token';
  readonly token: TokenDefinition;
}

export interface DeleteAclToken {
  readonly type: 'delete-acl-token';
  readonly secret: string;
  /** Whose the secret was: another token that has it by now stays. */
  readonly accessor: string;
}

/** The leader's tidying: tokens that have expired. `term` as in ExpireSessions. */
export interface ReapAclTokens {
  readonly type: 'reap-acl-tokens';
  readonly term: number;
  readonly accessors: readonly string[];
}

/** Makes a policy, or with `update` changes the one with its id. */
export interface SetAclPolicy {
  readonly type: 'set-acl-policy';
  readonly policy: PolicyDefinition;
  readonly update: boolean;
}

export interface DeleteAclPolicy {
  readonly type: 'delete-acl-policy';
  readonly id: string;
}

/** Makes a role, or with `update` changes the one with its id. */
export interface SetAclRole {
  readonly type: 'set-acl-role';
  readonly role: RoleDefinition;
  readonly update: boolean;
}

export interface DeleteAclRole {
  readonly type: 'delete-acl-role';
  readonly id: string;
}

/** Makes an auth method, or changes the one with its name. */
export interface SetAuthMethod {
  readonly type: 'set-auth-method';
  readonly method: AuthMethodDefinition;
}

/** With it go its binding rules and all tokens that it gave. */
export interface DeleteAuthMethod {
  readonly type: 'delete-auth-method';
  readonly name: string;
}

/** Makes a binding rule, or with `update` changes the one with its id. */
export interface SetBindingRule {
  readonly type: 'set-binding-rule';
  readonly rule: BindingRuleDefinition;
  readonly update: boolean;
}

export interface DeleteBindingRule {
  readonly type: 'delete-binding-rule';
  readonly id: string;
}

/**
 * Somebody gets a token: an auth method knows them, and binding rules say what they get. Whoever was
 * asked of them was asked before; here it is only told by what it was decided.
 */
export interface Login {
  readonly type: 'login';
  readonly token: TokenDefinition;
  readonly expiry: Expiry;
  /** The index of the state that it was decided by. */
  readonly decidedAt: number;
  /** The rows as they stood: where one has changed since, it is to be decided anew. */
  readonly method: StoodAt;
  readonly rules: readonly StoodAt[];
}

/** A row's name or id, and its ModifyIndex. */
export interface StoodAt {
  readonly id: string;
  readonly at: number;
}

/** Who has which rights. */
export type AclCommand =
  | BeginAcl
  | BootstrapAcl
  | SetAclToken
  | SetLegacyToken
  | DeleteAclToken
  | ReapAclTokens
  | SetAclPolicy
  | DeleteAclPolicy
  | SetAclRole
  | DeleteAclRole
  | SetAuthMethod
  | DeleteAuthMethod
  | SetBindingRule
  | DeleteBindingRule
  | Login;
