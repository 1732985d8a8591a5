/** Everything that the page may have done: how it comes about, and where what came of it is seen. */
import assert from 'node:assert/strict';
import type { KeyValue, PreparedQuery } from '../../lib/model.ts';
import * as access from '../../web/core/access.ts';
import * as methods from '../../web/core/access-methods.ts';
import * as tokens from '../../web/core/access-tokens.ts';
import type { Action } from '../../web/core/action.ts';
import * as catalog from '../../web/core/catalog.ts';
import * as entries from '../../web/core/config-entries.ts';
import { placeAt } from '../../web/core/coordinates.ts';
import { fire } from '../../web/core/events.ts';
import * as keys from '../../web/core/keys-and-values.ts';
import { maintenance, maintenanceInCatalog } from '../../web/core/maintenance.ts';
import * as mesh from '../../web/core/mesh.ts';
import { makeAgain, remove, write } from '../../web/core/prepared-queries.ts';
import { invalidate } from '../../web/core/sessions.ts';

/** Whatever a shell, a file or a flag could take for its own. */
const ODD = `it's "$HOME" \`id\` \\n ; é 键 $(id)`;

export interface Given {
  /** Another one each time. */
  readonly n: string;
  readonly put: <T>(path: string, body?: object | string) => Promise<T>;
  readonly get: <T>(path: string) => Promise<T>;
}

export interface Case {
  /** As things are before, and the action upon that. */
  readonly action: (given: Given) => Promise<Action | undefined> | Action | undefined;
  /** Where its effect is seen. */
  readonly at: (n: string) => string;
  /** The command line has none for it, or none that does the same. */
  readonly hasNoCommand?: true;
}

const RULES = 'service_prefix "" { policy = "read" }';
const GRANTS = { policies: [], roles: [], services: ['web'], nodes: ['n9'], templates: [] };
const draftOf = (n: string) => ({
  ...{ ...GRANTS, description: `${n} ${ODD}`, isLocal: false, ttl: '' },
});
const CONFIG = JSON.stringify({
  BoundIssuer: ODD,
  JWTValidationPubKeys: [
    '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZBhBm4zm2Ef085tXMVlDGyM7IzRl\noLy5Qlyo1cKX0B3YP7QP5CmaO1LOKv7V+9Lr0O3Z5ZNMnsIPnYU7o8U2rg==\n-----END PUBLIC KEY-----',
  ],
  JWTSupportedAlgs: ['ES256'],
  ClaimMappings: { team: 'team' },
});
const METHOD = { type: 'jwt', displayName: ODD, description: ODD, ttl: '1h' } as const;
const RULE = { ...{ description: ODD, selector: 'value.team == "a b"' }, variable: '' };
const BINDING = { ...RULE, bindType: 'service', bindName: 'web' } as const;

async function keyOf({ n, put, get }: Given, value = 'before'): Promise<KeyValue | undefined> {
  await put(`/v1/kv/${n}/a%20b?flags=7`, value);
  return (await get<readonly KeyValue[]>(`/v1/kv/${n}/a%20b`))[0];
}

export function there<T>(row: T | undefined): T {
  assert.ok(row !== undefined);
  return row;
}

const policyOf = ({ n, put }: Given) =>
  put<access.PolicyRow>('/v1/acl/policy', { Name: n, Rules: RULES });
const roleOf = ({ n, put }: Given) =>
  put<access.RoleRow>('/v1/acl/role', { Name: n, ServiceIdentities: [{ ServiceName: 'a' }] });
const tokenOf = ({ n, put }: Given) => put<access.TokenInFull>('/v1/acl/token', { Description: n });
const methodOf = async ({ n, put }: Given) => {
  const Config = JSON.parse(CONFIG) as object;
  return await put<access.MethodRow>('/v1/acl/auth-method', { Name: n, Type: 'jwt', Config });
};
const ruleOf = async (given: Given) => {
  await methodOf(given);
  const body = { AuthMethod: given.n, BindType: 'role', BindName: 'r', Description: 'before' };
  return await given.put<access.BindingRuleRow>('/v1/acl/binding-rule', body);
};
const intentionOf = async ({ n, put, get }: Given) => {
  const path = `/v1/connect/intentions/exact?source=${n}&destination=db`;
  await put(path, { Action: 'deny', Description: 'before' });
  return await get<mesh.IntentionRow>(path);
};
const intention = (n: string): mesh.IntentionDraft => ({
  ...{ source: n, destination: 'db', decision: 'allow', description: ODD, permissions: '' },
});
const entryOf = async ({ n, put, get }: Given) => {
  await put('/v1/config', { Kind: 'service-resolver', Name: n, ConnectTimeout: '1s' });
  return await get<entries.ConfigEntryRow>(`/v1/config/service-resolver/${n}`);
};
const entry = (n: string) =>
  JSON.stringify({ Kind: 'service-resolver', Name: n, ConnectTimeout: '2s', Meta: { a: ODD } });
const instanceOf = async ({ n, put, get }: Given) => {
  await put('/v1/agent/service/register', { Name: n });
  const { Config } = await get<{ Config: { NodeName: string } }>('/v1/agent/self');
  return { node: Config.NodeName, id: n };
};

const KEYS = (n: string) => `/v1/kv/${n}?recurse`;
const ENTRY = (n: string) => `/v1/config/service-resolver/${n}`;
const INTENTION = (n: string) => `/v1/connect/intentions/exact?source=${n}&destination=db`;
const POLICY = (n: string) => `/v1/acl/policy/name/${n}`;
const ROLE = (n: string) => `/v1/acl/role/name/${n}`;
const METHODS = (n: string) => `/v1/acl/auth-method/${n}`;
const BINDINGS = (n: string) => `/v1/acl/binding-rules?authmethod=${n}`;
const HEALTH = (n: string) => `/v1/health/service/${n}`;

/** By the functions that make actions, each at least once. */
export const CASES: Readonly<Record<string, Case>> = {
  writeKey: {
    action: async (given) => keys.writeKey(`${given.n}/a b`, ODD, await keyOf(given)),
    at: KEYS,
  },
  'writeKey of a new one': {
    action: ({ n }) => keys.writeKey(`${n}/@new`, `@${ODD}`, undefined),
    at: KEYS,
    hasNoCommand: true,
  },
  deleteKey: {
    action: async (given) => keys.deleteKey(`${given.n}/a b`, there(await keyOf(given))),
    at: KEYS,
  },
  deleteFolder: {
    action: async (given) => {
      await keyOf(given);
      return keys.deleteFolder(`${given.n}/`);
    },
    at: KEYS,
  },
  rollBack: {
    action: async (given) => {
      await given.put('/v1/operator/kv-revisions', { Prefixes: [''] });
      const first = there(await keyOf(given));
      return keys.rollBack(`${given.n}/a b`, first.ModifyIndex, await keyOf(given, 'after'));
    },
    at: KEYS,
  },
  makeIntention: { action: ({ n }) => mesh.makeIntention(intention(n)), at: INTENTION },
  writeIntention: {
    action: async (given) => {
      await intentionOf(given);
      return mesh.writeIntention(intention(given.n), { by: ODD });
    },
    at: INTENTION,
  },
  deleteIntention: {
    action: async (given) => mesh.deleteIntention(await intentionOf(given)),
    at: INTENTION,
  },
  writeEntry: { action: ({ n }) => entries.writeEntry(entry(n), 0), at: ENTRY },
  changeEntry: {
    action: async (given) => entries.changeEntry(entry(given.n), await entryOf(given)),
    at: ENTRY,
  },
  deleteEntry: { action: async (given) => entries.deleteEntry(await entryOf(given)), at: ENTRY },
  makeToken: {
    action: async (given) => {
      await policyOf(given);
      return tokens.makeToken({ ...draftOf(given.n), policies: [given.n] }, 'dc1');
    },
    at: () => '/v1/acl/tokens',
  },
  changeToken: {
    action: async (given) => tokens.changeToken(await tokenOf(given), draftOf(given.n), 'dc1'),
    at: () => '/v1/acl/tokens',
  },
  deleteToken: {
    action: async (given) => tokens.deleteToken(await tokenOf(given)),
    at: () => '/v1/acl/tokens',
  },
  cloneToken: {
    action: async (given) => tokens.cloneToken(await tokenOf(given)),
    at: () => '/v1/acl/tokens',
  },
  writePolicy: {
    action: async (given) => {
      const { ID } = await policyOf(given);
      const draft = { name: given.n, description: ODD, rules: RULES, datacenters: ['dc1'] };
      return access.writePolicy(ID, draft);
    },
    at: POLICY,
  },
  'writePolicy of a new one': {
    action: ({ n }) =>
      access.writePolicy('', { name: n, description: ODD, rules: RULES, datacenters: [] }),
    at: POLICY,
  },
  deletePolicy: { action: async (given) => access.deletePolicy(await policyOf(given)), at: POLICY },
  writeRole: {
    action: async (given) =>
      access.writeRole(await roleOf(given), { ...GRANTS, name: given.n, description: ODD }, 'dc1'),
    at: ROLE,
  },
  'writeRole of a new one': {
    action: ({ n }) => access.writeRole(undefined, { ...GRANTS, name: n, description: ODD }, 'dc1'),
    at: ROLE,
  },
  deleteRole: { action: async (given) => access.deleteRole(await roleOf(given)), at: ROLE },
  writeMethod: {
    action: async (given) => {
      const row = await methodOf(given);
      return methods.writeMethod(row, { ...METHOD, name: given.n, config: CONFIG });
    },
    at: METHODS,
    hasNoCommand: true,
  },
  'writeMethod of a new one': {
    action: ({ n }) => methods.writeMethod(undefined, { ...METHOD, name: n, config: CONFIG }),
    at: METHODS,
  },
  deleteMethod: {
    action: async (given) => methods.deleteMethod(await methodOf(given)),
    at: METHODS,
  },
  writeBindingRule: {
    action: async (given) => {
      const { ID } = await ruleOf(given);
      return methods.writeBindingRule(given.n, ID, BINDING);
    },
    at: BINDINGS,
  },
  'writeBindingRule of a new one': {
    action: async (given) => {
      await methodOf(given);
      return methods.writeBindingRule(given.n, '', BINDING);
    },
    at: BINDINGS,
  },
  deleteBindingRule: {
    action: async (given) => methods.deleteBindingRule(await ruleOf(given)),
    at: BINDINGS,
  },
  maintenance: {
    action: async (given) => maintenance(await instanceOf(given), { enable: true, reason: ODD }),
    at: HEALTH,
  },
  maintenanceInCatalog: {
    action: async ({ n, put }) => {
      const body = { Node: n, Address: '10.0.0.1', Service: { Service: 'a' } };
      await put('/v1/catalog/register', body);
      return maintenanceInCatalog({ node: n, id: 'a' }, { enable: true, reason: ODD });
    },
    at: (n) => `/v1/health/node/${n}`,
    hasNoCommand: true,
  },
  deregister: {
    action: async (given) => catalog.deregister(await instanceOf(given)),
    at: HEALTH,
  },
  takeOut: {
    action: async ({ n, put }) => {
      await put('/v1/catalog/register', { Node: n, Address: '10.0.0.1' });
      return catalog.takeOut(n);
    },
    at: (n) => `/v1/catalog/node/${n}`,
    hasNoCommand: true,
  },
  placeAt: {
    action: async ({ n, put }) => {
      await put('/v1/catalog/register', { Node: n, Address: '10.0.0.1' });
      const Coord = { Vec: [0.01, 0, 0, 0, 0, 0, 0, 0], Error: 0.5, Adjustment: 0, Height: 0.1 };
      return placeAt(n, Coord);
    },
    at: (n) => `/v1/coordinate/node/${n}`,
    hasNoCommand: true,
  },
  invalidate: {
    action: async ({ n, put }) =>
      invalidate((await put<{ ID: string }>('/v1/session/create', { Name: n })).ID),
    at: () => '/v1/session/list',
    hasNoCommand: true,
  },
  write: {
    action: async ({ n, put, get }) => {
      const body = { Name: n, Service: { Service: 'web' } };
      const { ID } = await put<{ ID: string }>('POST /v1/query', body);
      const [row] = await get<readonly PreparedQuery[]>(`/v1/query/${ID}`);
      return write({ ...there(row), DNS: { TTL: '7s' } });
    },
    at: () => '/v1/query',
    hasNoCommand: true,
  },
  remove: {
    action: async ({ n, put }) => {
      const body = { Name: n, Service: { Service: 'web' } };
      return remove({ ...(await put<{ ID: string }>('POST /v1/query', body)) } as never);
    },
    at: () => '/v1/query',
    hasNoCommand: true,
  },
  fire: {
    action: ({ n }) => fire({ name: n, payload: ODD, node: 'n.*', service: '', tag: '' }),
    at: (n) => `/v1/event/list?name=${n}`,
  },
};

/** Those that have no command to be shown: the way back, which a button goes. */
const UNSHOWN = [keys.restoreKey, keys.putKey, mesh.restoreIntention, mesh.remakeIntention].map(
  ({ name }) => name,
);
export const WAYS_BACK = [
  ...UNSHOWN,
  catalog.putBack.name,
  tokens.restoreToken.name,
  makeAgain.name,
];
/** Tried by specs of the page, with servers of their own, or of parts. */
export const ELSEWHERE = [
  ...[keys.readKeys, tokens.bootstrap, tokens.logOut, catalog.forceLeave, mesh.whileItSays],
].map(({ name }) => name);
