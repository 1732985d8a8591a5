/** Queries of /v1/acl: what is shown of tokens, policies and roles. */
import type {
  Grants,
  Policy,
  Role,
  ServiceIdentity,
  TemplatedPolicy,
  Token,
} from '../../lib/acl/model.ts';
import { TOKEN_NOT_FOUND } from '../../lib/acl/refusals.ts';
import { translateRules } from '../../lib/acl/translate-rules.ts';
import type { Acl } from '../state/acl.ts';
import { ACL_POLICIES, ACL_ROLES, ACL_TOKENS } from '../state/topic-names.ts';
import { type Content, keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';

/** What stands for a secret where it is not to be seen. */
export const HIDDEN = '<hidden>';
/** As Go writes a time that was never set. */
const NO_TIME = '0001-01-01T00:00:00Z';

/** An answer like any other, which says its index. */
const TEXT = 'text/plain; charset=utf-8';
const NOT_FOUND: Content = {
  status: 403,
  bytes: Buffer.from(TOKEN_NOT_FOUND),
  contentType: TEXT,
};

const NO_RULES: Content = {
  status: 500,
  bytes: Buffer.from('The specified token does not have any rules set'),
  contentType: TEXT,
};

export function policies(): Query {
  return {
    key: keyOf('acl/policies'),
    run: (reader) => {
      const rows = byId(reader.acl(ACL_POLICIES).policies.values());
      return { json: rows.map(({ Rules: _, ...rest }) => rest) };
    },
  };
}

export function policy(id: string): Query {
  return {
    key: keyOf('acl/policy', id),
    run: (reader) => onePolicy(reader.acl(ACL_POLICIES).policies.get(id)),
  };
}

export function policyNamed(name: string): Query {
  return {
    key: keyOf('acl/policy/name', name),
    run: (reader) => onePolicy(reader.acl(ACL_POLICIES).policyNamed(name)),
  };
}

function onePolicy(row: Policy | undefined): Content {
  return row === undefined ? NOT_FOUND : { json: shownPolicy(row) };
}

export function shownPolicy({ Datacenters, Hash, CreateIndex, ModifyIndex, ...rest }: Policy) {
  return { ...rest, ...given({ Datacenters }), Hash, CreateIndex, ModifyIndex };
}

/** Only those with this policy, unless it is ''. */
export function roles(policyId: string): Query {
  return {
    key: keyOf('acl/roles', policyId),
    run: (reader) => {
      const acl = reader.acl(ACL_ROLES, ACL_POLICIES);
      const rows = byId(acl.roles.values()).filter(
        ({ Policies }) => policyId === '' || Policies.includes(policyId),
      );
      return { json: rows.map((row) => shownRole(acl, row)) };
    },
  };
}

export function role(id: string): Query {
  return {
    key: keyOf('acl/role', id),
    run: (reader) => oneRole(reader, (acl) => acl.roles.get(id)),
  };
}

export function roleNamed(name: string): Query {
  return {
    key: keyOf('acl/role/name', name),
    run: (reader) => oneRole(reader, (acl) => acl.roleNamed(name)),
  };
}

function oneRole(reader: Reader, find: (acl: Acl) => Role | undefined) {
  const acl = reader.acl(ACL_ROLES, ACL_POLICIES);
  const row = find(acl);
  return row === undefined ? { status: 404 } : { json: shownRole(acl, row) };
}

export function shownRole(acl: Acl, row: Role) {
  const { ID, Name, Description, Hash, CreateIndex, ModifyIndex } = row;
  return { ID, Name, Description, ...grants(acl, row), Hash, CreateIndex, ModifyIndex };
}

/** '' is any. */
export interface TokenFilter {
  readonly policy: string;
  readonly role: string;
  readonly authMethod: string;
}

export function tokens({ policy: policyId, role: roleId, authMethod }: TokenFilter): Query {
  return {
    key: keyOf('acl/tokens', policyId, roleId, authMethod),
    run: (reader) => {
      const acl = reader.acl(ACL_TOKENS, ACL_POLICIES, ACL_ROLES);
      const rows = [...acl.tokens.values()].filter(
        ({ Policies, Roles, AuthMethod }) =>
          (policyId === '' || Policies.includes(policyId)) &&
          (roleId === '' || Roles.includes(roleId)) &&
          (authMethod === '' || AuthMethod === authMethod),
      );
      const sorted = rows.sort((a, b) => (a.AccessorID < b.AccessorID ? -1 : 1));
      return { json: sorted.map((row) => listed(acl, row)) };
    },
  };
}

export interface TokenView {
  /** Whether whoever asks may see the secret, by which anybody would have the token's rights. */
  readonly secret: boolean;
  /** Also what its policies and roles say. */
  readonly expanded: boolean;
}

/** `find` names it: by its accessor, or by a secret that whoever asks has shown. */
export function token(
  find: { readonly accessor: string } | { readonly secret: string },
  view: TokenView,
): Query {
  const named = 'accessor' in find ? find.accessor : find.secret;
  return {
    key: keyOf('acl/token', 'accessor' in find, named, view.secret, view.expanded),
    run: (reader) => {
      const acl = reader.acl(ACL_TOKENS, ACL_POLICIES, ACL_ROLES);
      const row = 'accessor' in find ? acl.tokenBy(named) : acl.tokens.get(named);
      if (row === undefined) return NOT_FOUND;
      const shown = shownToken(acl, row, view);
      return { json: view.expanded ? { ...shown, ...expansion(acl, row) } : shown };
    },
  };
}

export function shownToken(acl: Acl, row: Token, { secret }: Pick<TokenView, 'secret'>) {
  const { AccessorID, SecretID, Rules } = row;
  const { Description, ...rest } = body(acl, row);
  const rules = Rules === '' ? {} : { Rules };
  return { AccessorID, SecretID: secret ? SecretID : HIDDEN, Description, ...rules, ...rest };
}

function listed(acl: Acl, row: Token) {
  const legacy = row.Rules === '' ? {} : { Legacy: true };
  return { AccessorID: row.AccessorID, ...body(acl, row), ...legacy };
}

function body(acl: Acl, row: Token) {
  const { Description, Local, AuthMethod, createdAt, expiresAt, Hash } = row;
  return {
    Description,
    ...grants(acl, row),
    Local,
    ...(AuthMethod === '' ? {} : { AuthMethod }),
    ...(expiresAt === 0 ? {} : { ExpirationTime: timeOf(expiresAt) }),
    CreateTime: timeOf(createdAt),
    Hash,
    CreateIndex: row.CreateIndex,
    ModifyIndex: row.ModifyIndex,
  };
}

/** What its rights are made of, in full: only what is linked by id, as in Consul. */
function expansion(acl: Acl, row: Token) {
  const ofRoles = row.Roles.flatMap((id) => acl.roles.get(id) ?? []);
  const ids = new Set([...row.Policies, ...ofRoles.flatMap(({ Policies }) => Policies)]);
  return {
    ExpandedPolicies: [...ids].flatMap((id) => acl.policies.get(id) ?? []).map(shownPolicy),
    ExpandedRoles: ofRoles.map((each) => shownRole(acl, each)),
    NamespaceDefaultPolicyIDs: null,
    NamespaceDefaultRoleIDs: null,
  };
}

/** Links with the names of today; what is gone is not shown, and neither is what there is none of. */
function grants(acl: Acl, row: Grants & { readonly Roles?: readonly string[] }) {
  const link = (of: Policy | Role | undefined) =>
    of === undefined ? [] : [{ ID: of.ID, Name: of.Name }];
  return given({
    Policies: row.Policies.flatMap((id) => link(acl.policies.get(id))),
    Roles: (row.Roles ?? []).flatMap((id) => link(acl.roles.get(id))),
    ServiceIdentities: row.ServiceIdentities.map(whereGiven),
    NodeIdentities: row.NodeIdentities,
    TemplatedPolicies: row.TemplatedPolicies.map(whereGiven),
  });
}

function whereGiven<T extends ServiceIdentity | TemplatedPolicy>(row: T) {
  const { Datacenters, ...rest } = row;
  return { ...rest, ...given({ Datacenters }) };
}

/** Go leaves out a list that is empty. */
function given(lists: Readonly<Record<string, readonly unknown[] | null>>) {
  return Object.fromEntries(
    Object.entries(lists).filter(([, list]) => list !== null && list.length > 0),
  );
}

function timeOf(ms: number): string {
  return ms === 0 ? NO_TIME : new Date(ms).toISOString();
}

function byId<T extends { readonly ID: string }>(rows: Iterable<T>): T[] {
  return [...rows].sort((a, b) => (a.ID < b.ID ? -1 : 1));
}

/** The rules of a token of the API before Consul 1.4, as those of today. */
export function translatedRules(accessor: string): Query {
  return {
    key: keyOf('acl/rules/translate', accessor),
    run: (reader) => {
      const token = reader.acl(ACL_TOKENS).tokenBy(accessor);
      if (token === undefined) return NOT_FOUND;
      if (token.Rules === '') return NO_RULES;
      return { bytes: Buffer.from(translateRules(token.Rules)), contentType: TEXT };
    },
  };
}

/** Of the API before Consul 1.4, which knows a token by its secret. */
export function legacyTokens(): Query {
  return {
    key: keyOf('acl/list'),
    run: (reader) => {
      const rows = [...reader.acl(ACL_TOKENS).tokens.values()].filter(({ Type }) => Type !== '');
      return { json: byId(rows.map(shownLegacy)) };
    },
  };
}

export function legacyToken(secret: string): Query {
  return {
    key: keyOf('acl/info', secret),
    run: (reader) => {
      const row = reader.acl(ACL_TOKENS).tokens.get(secret);
      return { json: row === undefined || row.Type === '' ? [] : [shownLegacy(row)] };
    },
  };
}

function shownLegacy({ SecretID, Description, Type, Rules, CreateIndex, ModifyIndex }: Token) {
  return { ID: SecretID, Name: Description, Type, Rules, CreateIndex, ModifyIndex };
}
