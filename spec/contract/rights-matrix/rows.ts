/**
 * Every row of a server's table under every kind of token: what each row is asked, of things that are there
 * and have `planted` in them, and of things that are not.
 */
import assert from 'node:assert/strict';
import { serviceUri } from '../../../lib/connect/identity.ts';
import { generatePair } from '../../../lib/connect/keys.ts';
import type { CaRoots } from '../../../lib/connect/model.ts';
import { makeRequest } from '../../../lib/connect/request.ts';
import type { Route } from '../../../lib/http/route.ts';
import { type AclServer, MASTER, startAclServer } from '../../support/servers/acl-server.ts';
import type { Answer, Sent } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';
import { RULES } from './rules.ts';

export type Kind = 'none' | 'wrong' | 'revoked' | 'expired' | keyof typeof RULES;

/** They may see nothing of what is planted, and change nothing of it. */
export const STRANGERS: readonly Kind[] = ['none', 'others', 'agents'];
/** Nobody knows them, or nobody any more. */
export const UNKNOWN: readonly Kind[] = ['wrong', 'revoked', 'expired'];

/** What is asked for by an id. */
export interface Ids {
  readonly session: string;
  readonly query: string;
  readonly token: string;
  readonly secret: string;
  readonly policy: string;
  readonly role: string;
  readonly rule: string;
  /** A request for a certificate of the service. */
  readonly csr: string;
  readonly intention: string;
}

type Body = string | object;
type Asked = readonly [(ids: Ids) => string, (Body | ((ids: Ids) => Body))?];
const nothing: Asked = [() => ''];
const planted: Asked = [() => 'planted'];

/** What each row is asked: [what follows its path, body]. In this order they can all be done. */
export const ASKED: Readonly<Record<string, Asked>> = {
  'GET /v1/catalog/datacenters': nothing,
  'GET /v1/catalog/nodes': nothing,
  'GET /v1/catalog/services': nothing,
  'GET /v1/catalog/service/': planted,
  'GET /v1/catalog/connect/': planted,
  'GET /v1/catalog/gateway-services/': planted,
  'GET /v1/catalog/node/': planted,
  'GET /v1/catalog/node-services/': planted,
  'GET /v1/health/service/': planted,
  'GET /v1/health/connect/': planted,
  'GET /v1/health/ingress/': planted,
  'GET /v1/health/checks/': planted,
  'GET /v1/health/node/': planted,
  'GET /v1/health/state/': [() => 'any'],
  'GET /v1/kv/': [() => 'planted/key'],
  'GET /v1/session/info/': [({ session }) => session],
  'GET /v1/session/list': nothing,
  'GET /v1/session/node/': planted,
  'GET /v1/event/list': nothing,
  'GET /v1/query': nothing,
  'GET /v1/query/': [({ query }) => query],
  'GET /v1/discovery-chain/': planted,
  'POST /v1/discovery-chain/': [() => 'planted', {}],
  'POST /v1/internal/central-defaults': [() => '', { Service: 'planted', Upstreams: ['planted'] }],
  'GET /v1/connect/intentions': nothing,
  'GET /v1/connect/intentions/': [({ intention }) => intention],
  'GET /v1/connect/intentions/exact': [() => '?source=planted&destination=planted'],
  'GET /v1/connect/intentions/match': [() => '?by=destination&name=planted'],
  'GET /v1/connect/intentions/check': [() => '?source=planted&destination=planted'],
  'GET /v1/config/': [() => 'service-defaults/planted'],
  'GET /v1/connect/ca/roots': nothing,
  'GET /v1/connect/ca/configuration': nothing,
  'GET /v1/coordinate/datacenters': nothing,
  'GET /v1/coordinate/nodes': nothing,
  'GET /v1/coordinate/node/': planted,
  'GET /v1/internal/ui/services': nothing,
  'GET /v1/internal/ui/gateway-services-nodes/': planted,
  'GET /v1/internal/prometheus/sd': nothing,
  'GET /v1/internal/ui/nodes': nothing,
  'GET /v1/internal/ui/node/': planted,
  'GET /v1/internal/overview/services': nothing,
  'GET /v1/internal/overview/nodes': nothing,
  'GET /v1/internal/overview/sessions': nothing,
  'GET /v1/internal/overview/upstreams': nothing,
  'GET /v1/internal/dns/address/': [() => '10.9.9.9'],
  'GET /v1/internal/dns/virtual/': planted,
  'GET /v1/internal/history/service/': planted,
  'GET /v1/internal/history/node/': planted,
  'GET /v1/internal/availability/service/': planted,
  'GET /v1/internal/performance/service/': planted,
  'GET /v1/internal/scale/': planted,
  'GET /v1/internal/members': nothing,
  'GET /v1/internal/acl/resolve': nothing,
  'POST /v1/internal/acl/authorize': [
    () => '',
    [{ Resource: 'key', Access: 'read', Segment: 'planted/key' }],
  ],
  'GET /v1/status/leader': nothing,
  'GET /v1/status/peers': nothing,
  'GET /v1/operator/raft/configuration': nothing,
  'GET /v1/operator/autopilot/configuration': nothing,
  'GET /v1/operator/autopilot/health': nothing,
  'GET /v1/operator/autopilot/state': nothing,
  'GET /v1/operator/kv-revisions': nothing,
  'GET /v1/operator/usage': nothing,
  'GET /v1/operator/log': nothing,
  'GET /v1/operator/keyring': nothing,
  'GET /v1/peerings': nothing,
  'GET /v1/peering/': [() => 'x'],
  'GET /v1/snapshot': nothing,
  'GET /v1/acl/replication': nothing,
  'GET /v1/acl/tokens': nothing,
  'GET /v1/acl/token/': [({ token }) => token],
  'GET /v1/acl/token/self': nothing,
  'GET /v1/acl/policies': nothing,
  'GET /v1/acl/policy/': [({ policy }) => policy],
  'GET /v1/acl/policy/name/': planted,
  'GET /v1/acl/roles': nothing,
  'GET /v1/acl/role/': [({ role }) => role],
  'GET /v1/acl/role/name/': planted,
  'GET /v1/acl/rules/translate/': [({ secret }) => secret],
  'GET /v1/acl/templated-policies': nothing,
  'GET /v1/acl/templated-policy/name/': [() => 'builtin/service'],
  'GET /v1/acl/auth-methods': nothing,
  'GET /v1/acl/auth-method/': planted,
  'GET /v1/acl/binding-rules': nothing,
  'GET /v1/acl/binding-rule/': [({ rule }) => rule],
  'GET /v1/acl/list': nothing,
  'GET /v1/acl/info/': [() => '99999999-9999-4999-8999-999999999999'],
  'PUT /v1/snapshot': [() => '', 'x'],
  'PUT /v1/connect/ca/configuration': [() => '', { Provider: 'consul', Config: {} }],
  'PUT /v1/internal/connect/sign': [() => '', ({ csr }) => ({ CSR: csr })],
  'PUT /v1/operator/autopilot/configuration': [() => '', {}],
  'PUT /v1/operator/kv-revisions': [() => '', {}],
  'PUT /v1/operator/keyring': [() => '', { Key: 'x' }],
  'POST /v1/operator/keyring': [() => '', { Key: 'x' }],
  'DELETE /v1/operator/keyring': [() => '', { Key: 'x' }],
  'DELETE /v1/operator/raft/peer': [() => '?id=x'],
  'POST /v1/operator/raft/transfer-leader': nothing,
  'DELETE /v1/peering/': [() => 'x'],
  'POST /v1/peering/token': [() => '', {}],
  'POST /v1/peering/establish': [() => '', {}],
  'PUT /v1/acl/bootstrap': nothing,
  'PUT /v1/acl/token': [() => '', { Description: 'x' }],
  'PUT /v1/acl/token/': [({ token }) => token, { Description: 'x' }],
  'PUT /v1/acl/token/self': [() => '', { Description: 'x' }],
  'PUT /v1/acl/policy': [() => '', { Name: 'new' }],
  'PUT /v1/acl/policy/': [({ policy }) => policy, { Name: 'new' }],
  'PUT /v1/acl/role': [() => '', { Name: 'new' }],
  'PUT /v1/acl/role/': [({ role }) => role, { Name: 'new' }],
  'PUT /v1/acl/auth-method': [() => '', { Name: 'planted', Type: 'jwt' }],
  'PUT /v1/acl/auth-method/': [() => 'planted', { Type: 'jwt' }],
  'PUT /v1/acl/binding-rule': [() => '', { AuthMethod: 'planted' }],
  'PUT /v1/acl/binding-rule/': [({ rule }) => rule, { AuthMethod: 'planted' }],
  'PUT /v1/acl/create': [() => '', { Name: 'x' }],
  'PUT /v1/acl/update': [({ secret: _ }) => '', { ID: 'x', Name: 'x' }],
  'PUT /v1/acl/clone/': [({ secret }) => secret],
  'PUT /v1/acl/destroy/': [({ secret }) => secret],
  'POST /v1/acl/rules/translate': [() => '', 'key "x" { policy = "read" }'],
  'POST /v1/acl/templated-policy/preview/': [() => 'builtin/service', { Name: 'x' }],
  'POST /v1/acl/login': [() => '', { AuthMethod: 'planted', BearerToken: 'x' }],
  'POST /v1/acl/logout': nothing,
  'POST /v1/acl/oidc/auth-url': [() => '', { AuthMethod: 'planted', RedirectURI: 'http://x/' }],
  'POST /v1/acl/oidc/callback': [() => '', { AuthMethod: 'planted', State: 'x', Code: 'x' }],
  'DELETE /v1/acl/token/': [({ token }) => token],
  'DELETE /v1/acl/token/self': nothing,
  'DELETE /v1/acl/policy/': [({ policy }) => policy],
  'DELETE /v1/acl/role/': [({ role }) => role],
  'DELETE /v1/acl/auth-method/': planted,
  'DELETE /v1/acl/binding-rule/': [({ rule }) => rule],
  'POST /v1/connect/intentions': [
    () => '',
    { SourceName: 'x', DestinationName: 'planted', Action: 'deny' },
  ],
  'PUT /v1/connect/intentions/': [
    ({ intention }) => intention,
    { SourceName: 'planted', DestinationName: 'planted', Action: 'deny' },
  ],
  'PUT /v1/connect/intentions/exact': [
    () => '?source=planted&destination=planted',
    { Action: 'deny' },
  ],
  'DELETE /v1/connect/intentions/': [({ intention }) => intention],
  'DELETE /v1/connect/intentions/exact': [() => '?source=planted&destination=planted'],
  'PUT /v1/config': [
    () => '',
    { Kind: 'service-defaults', Name: 'planted', Protocol: 'http', ExternalSNI: 'changed' },
  ],
  'DELETE /v1/config/': [() => 'service-defaults/planted'],
  'PUT /v1/txn': [() => '', [{ KV: { Verb: 'set', Key: 'planted/key', Value: '' } }]],
  'PUT /v1/kv/': [() => 'planted/key', 'changed'],
  'PUT /v1/catalog/register': [() => '', { Node: 'planted', Address: '10.1.1.1' }],
  'PUT /v1/coordinate/update': [
    () => '',
    { Node: 'planted', Coord: { Vec: [1, 0, 0, 0, 0, 0, 0, 0] } },
  ],
  'PUT /v1/event/fire/': [() => 'planted-event'],
  'POST /v1/query': [() => '', { Name: 'planted-2', Service: { Service: 'planted' } }],
  'PUT /v1/query/': [({ query }) => query, { Name: 'planted-query', Service: { Service: 'x' } }],
  'DELETE /v1/query/': [({ query }) => query],
  'PUT /v1/session/create': [() => '', { Node: 'planted', NodeChecks: [] }],
  'PUT /v1/session/renew/': [({ session }) => session],
  'PUT /v1/session/destroy/': [({ session }) => session],
  'DELETE /v1/kv/': [() => 'planted/key'],
  'PUT /v1/internal/agent/beat': [
    () => '',
    { ID: 'x', Node: 'planted', Address: '10.1.1.1', Datacenter: 'dc1', LanPort: 1 },
  ],
  'PUT /v1/internal/agent/load': [() => '', { ID: 'x', Node: 'planted', Instances: [] }],
  'PUT /v1/internal/agent/leave': [() => '', { ID: 'x', Node: 'planted' }],
  'PUT /v1/internal/agent/force-leave': [() => '', { Node: 'planted' }],
  'PUT /v1/catalog/deregister': [() => '', { Node: 'planted' }],
};

export const keyOf = ({ method, path }: Route) => `${method} ${path}`;

export interface MatrixRequest {
  readonly method: string;
  readonly target: string;
  readonly body: NonNullable<Sent['body']>;
}

/** Of what is there, by the ids that it has. */
export function requestOf(row: Route, ids: Ids): MatrixRequest {
  const [suffix, said = ''] = ASKED[keyOf(row)] ?? assert.fail(`nothing is asked of ${keyOf(row)}`);
  const body = typeof said === 'function' ? said(ids) : said;
  return { method: row.method, target: row.path + suffix(ids), body };
}

const ABSENT = '12345678-1234-4234-8234-123456789abc';
const NO_IDS: Ids = {
  session: ABSENT,
  query: ABSENT,
  token: ABSENT,
  secret: ABSENT,
  policy: ABSENT,
  role: ABSENT,
  rule: ABSENT,
  csr: ABSENT,
  intention: ABSENT,
};

/** The same, of what is not there. */
export function absentRequestOf(row: Route): MatrixRequest {
  const { method, target, body } = requestOf(row, NO_IDS);
  const without = (text: string) =>
    text.replaceAll('planted', 'missing').replaceAll('10.9.9.9', '10.9.9.8');
  if (typeof body === 'string') return { method, target: without(target), body: without(body) };
  return { method, target: without(target), body: JSON.parse(without(JSON.stringify(body))) };
}

export interface Matrix {
  readonly server: AclServer;
  readonly rows: readonly Route[];
  readonly ids: Ids;
  readonly tokens: Readonly<Record<Kind, string>>;
  /** Takes away what was to be revoked, and lets pass what was to expire. */
  readonly end: () => Promise<void>;
}

const LIFE_MS = 60_000;

/** A server on which all of it is planted, and everybody has a token. */
export async function startMatrix(): Promise<Matrix> {
  const server = await startAclServer({}, undefined, { provider: 'consul', config: {} });
  const csr = await requestFor(server, 'planted');
  const make = async (method: string, path: string, body: object | string = '') => {
    const { status, text } = await server.as(MASTER, method, `/v1/${path}`, body);
    assert.equal(status, 200, `${path}: ${text}`);
    return text;
  };
  const made = async (...request: Parameters<typeof make>) =>
    /"(?:ID|AccessorID)":"([^"]+)"/.exec(await make(...request))?.[1] ?? '';
  await plant(make);
  const token = await server.master('PUT', '/v1/acl/token', { Description: 'planted' });
  const named = { Name: 'planted', Description: 'planted' };
  const policy = await made('PUT', 'acl/policy', named);
  const role = await made('PUT', 'acl/role', { ...named, Policies: [{ ID: policy }] });
  const Config = { JWKSURL: '', JWTValidationPubKeys: [await publicKey()] };
  await make('PUT', 'acl/auth-method', { ...named, Type: 'jwt', Config });
  const ids: Ids = {
    session: await made('PUT', 'session/create', { Node: 'planted', NodeChecks: [], TTL: '1h' }),
    query: await made('POST', 'query', { Name: 'planted-query', Service: { Service: 'x' } }),
    token: token['AccessorID'] ?? '',
    secret: token['SecretID'] ?? '',
    policy,
    role,
    intention: await made('POST', 'connect/intentions', {
      SourceName: 'planted',
      DestinationName: 'planted',
      Action: 'allow',
    }),
    rule: await made('PUT', 'acl/binding-rule', {
      Description: 'planted',
      AuthMethod: 'planted',
      BindType: 'service',
      BindName: 'x',
    }),
    csr,
  };
  const { tokens, end } = await tokensOn(server);
  return { server, rows: server.server.routes(), ids, tokens, end };
}

const CALLS = { Upstreams: [{ DestinationName: 'planted', LocalBindPort: 1 }] };

async function plant(
  make: (method: string, path: string, body?: object | string) => Promise<string>,
) {
  await make('PUT', 'catalog/register', {
    Node: 'planted',
    Address: '10.9.9.9',
    Service: { ID: 'planted', Service: 'planted', Connect: { Native: true }, Proxy: CALLS },
    Check: { CheckID: 'c', Name: 'c', ServiceID: 'planted' },
  });
  await make('PUT', 'config', { Kind: 'service-defaults', Name: 'planted', Protocol: 'http' });
  const Services = [{ Name: 'planted' }];
  await make('PUT', 'config', { Kind: 'terminating-gateway', Name: 'planted', Services });
  await make('PUT', 'config', { Kind: 'service-scaling', Name: 'planted', Max: 2, CPUPercent: 50 });
  await make('PUT', 'kv/planted/key', 'value');
  await make('PUT', 'event/fire/planted-event');
  const Coord = { Vec: [0, 0, 0, 0, 0, 0, 0, 0] };
  await make('PUT', 'coordinate/update', { Node: 'planted', Coord });
  const member = { ID: 'x', Node: 'planted', Address: '10.9.9.9', Datacenter: 'dc1', LanPort: 1 };
  await make('PUT', 'internal/agent/beat', member);
}

async function requestFor({ get }: AclServer, service: string): Promise<string> {
  const roots = async () => (await get('/v1/connect/ca/roots')).json as CaRoots;
  await until(async () => (await roots()).ActiveRootID !== '');
  const { TrustDomain: trustDomain } = await roots();
  const uri = serviceUri({ trustDomain, namespace: 'default', datacenter: 'dc1', service });
  return makeRequest(await generatePair({ type: 'ec', bits: 256 }), uri);
}

async function publicKey(): Promise<string> {
  const { generateKeyPairSync } = await import('node:crypto');
  const { publicKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

async function tokensOn(server: AclServer) {
  const tokenOf = async (kind: keyof typeof RULES, more: object = {}) => {
    const Policies = [{ Name: `of-${kind}` }];
    const made = await server.master('PUT', '/v1/acl/token', { Policies, ...more });
    return { secret: made['SecretID'] ?? '', accessor: made['AccessorID'] ?? '' };
  };
  const tokens = { none: '', wrong: '99999999-9999-4999-8999-999999999999' } as Record<
    Kind,
    string
  >;
  for (const [kind, Rules] of Object.entries(RULES) as [keyof typeof RULES, string][]) {
    await server.master('PUT', '/v1/acl/policy', { Name: `of-${kind}`, Rules });
    tokens[kind] = (await tokenOf(kind)).secret;
  }
  const revoked = await tokenOf('write');
  tokens.revoked = revoked.secret;
  tokens.expired = (await tokenOf('write', { ExpirationTTL: `${LIFE_MS}ms` })).secret;
  const end = async () => {
    await server.as(MASTER, 'DELETE', `/v1/acl/token/${revoked.accessor}`);
    await server.clock.advance(LIFE_MS);
  };
  return { tokens, end };
}

/** What whoever may read it is told by. */
export const isRead = ({ method, right }: Route) => method === 'GET' || right.by === 'reader';
/** Whatever token comes. */
export const isForAll = ({ right }: Route) => right.by === 'nobody';
/** Whoever has this right may do anything. */
export const isManagers = ({ right }: Route) => right.by === 'row' && right.need.startsWith('acl:');

export const said = (row: Route, kind: Kind, { status, text }: Answer) =>
  `${keyOf(row)} with ${kind}: ${status} ${text}`;
