import assert from 'node:assert/strict';
import { TestAuthority } from '../../support/certificates.ts';
import { type AclServer, MASTER, startAclServer } from '../../support/servers/acl-server.ts';
import { type People, startPeople } from '../../support/servers/https-people.ts';
import { until } from '../../support/until.ts';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const OWN = `${part({ alg: 'RS256' })}.${part({ sub: 'own' })}.b3du`;
const BEARER = `${part({ alg: 'RS256' })}.${part({ sub: 'web' })}.d2Vi`;
const REVIEW = '/apis/authentication.k8s.io/v1/tokenreviews';
const ACCOUNT = '/api/v1/namespaces/default/serviceaccounts/web';
const METHOD = '/v1/acl/auth-method';
const RULE = '/v1/acl/binding-rule';

const reviewed = (username = 'system:serviceaccount:default:web', over: object = {}) => ({
  status: 201,
  json: { status: { authenticated: true, user: { username, uid: 'u-1' }, ...over } },
});

interface Started extends AclServer {
  readonly kube: People;
  readonly login: (bearer?: string) => ReturnType<AclServer['as']>;
}

async function start(over: object = {}, lines: string[] = []): Promise<Started> {
  const kube = await startPeople();
  kube.says.set(REVIEW, reviewed());
  kube.says.set(ACCOUNT, { json: { metadata: { name: 'web' } } });
  const keep = (line: string) => void lines.push(line);
  const logger = { error: keep, warn: keep, info: keep, debug: keep };
  const server = await startAclServer({}, logger);
  const Config = { Host: kube.url, CACert: kube.ca, ServiceAccountJWT: OWN };
  await server.master('PUT', METHOD, { Name: 'k8s', Type: 'kubernetes', Config, ...over });
  const login = (BearerToken = BEARER) =>
    server.as('', 'POST', '/v1/acl/login', { AuthMethod: 'k8s', BearerToken });
  return { ...server, kube, login };
}

async function bound(server: AclServer, over: object = {}) {
  const BindName = '$' + '{serviceaccount.name}';
  const rule = { AuthMethod: 'k8s', BindType: 'service', BindName, ...over };
  return await server.master('PUT', RULE, rule);
}

describe('POST /v1/acl/login by a service account of Kubernetes', () => {
  it('asks the API server whose the token is, and binds the account', async () => {
    const server = await start({ MaxTokenTTL: '10m' });
    await bound(server, { Selector: 'serviceaccount.namespace==default' });
    const { status, json } = await server.login();
    assert.equal(status, 200);
    const token = json as Record<string, unknown>;
    assert.deepEqual(token['ServiceIdentities'], [{ ServiceName: 'web' }]);
    assert.deepEqual([token['Local'], token['AuthMethod']], [true, 'k8s']);
    assert.deepEqual(
      server.kube.asked.map(({ method, path, authorization }) => [method, path, authorization]),
      [
        ['POST', REVIEW, `Bearer ${OWN}`],
        ['GET', ACCOUNT, `Bearer ${OWN}`],
      ],
    );
    assert.equal(JSON.parse(server.kube.asked[0]?.body ?? '').spec.token, BEARER);
  });

  it('gives a token that ends with its time', async () => {
    const server = await start({ MaxTokenTTL: '1m' });
    await bound(server);
    const { SecretID } = (await server.login()).json as { SecretID: string };
    assert.equal((await server.as(SecretID, 'GET', '/v1/acl/token/self')).status, 200);
    await server.clock.advance(61_000);
    assert.equal((await server.as(SecretID, 'GET', '/v1/acl/token/self')).status, 403);
  });

  it('takes the name that the account says it has in the registry', async () => {
    const server = await start();
    const annotations = { 'consul.hashicorp.com/service-name': 'other' };
    server.kube.says.set(ACCOUNT, { json: { metadata: { annotations } } });
    await bound(server);
    const { json } = await server.login();
    assert.deepEqual((json as { ServiceIdentities: unknown }).ServiceIdentities, [
      { ServiceName: 'other' },
    ]);
  });

  it('gives nothing where no rule is for the account', async () => {
    const server = await start();
    await bound(server, { Selector: 'serviceaccount.namespace==other' });
    const { status, text } = await server.login();
    assert.deepEqual([status, text], [403, 'Permission denied']);
  });

  it('gives what each type of rule is for, each once', async () => {
    const server = await start();
    await server.master('PUT', '/v1/acl/role', { Name: 'R' });
    await server.master('PUT', '/v1/acl/policy', { Name: 'P' });
    for (const rule of [
      { BindType: 'service' },
      { BindType: 'service' },
      { BindType: 'node' },
      { BindType: 'role', BindName: 'R' },
      { BindType: 'role', BindName: 'not-there' },
      { BindType: 'policy', BindName: 'P' },
      {
        BindType: 'templated-policy',
        BindName: 'builtin/service',
        BindVars: { Name: '$' + '{serviceaccount.namespace}' },
      },
    ]) {
      await bound(server, rule);
    }
    const token = (await server.login()).json as Record<string, { Name?: string }[]>;
    assert.deepEqual(token['ServiceIdentities'], [{ ServiceName: 'web' }]);
    assert.deepEqual(token['NodeIdentities'], [{ NodeName: 'web', Datacenter: 'dc1' }]);
    assert.deepEqual(
      token['Roles']?.map(({ Name }) => Name),
      ['R'],
    );
    assert.deepEqual(
      token['Policies']?.map(({ Name }) => Name),
      ['P'],
    );
    assert.deepEqual(token['TemplatedPolicies'], [
      { TemplateName: 'builtin/service', TemplateVariables: { Name: 'default' } },
    ]);
  });

  it('refuses a name that would say more in a rule', async () => {
    const server = await start();
    server.kube.says.set(ACCOUNT, {
      json: { metadata: { annotations: { 'consul.hashicorp.com/service-name': 'a" {}' } } },
    });
    await bound(server);
    const { status, text } = await server.login();
    assert.equal(status, 500);
    assert.match(text, /^computed "service" bind name for bind target is invalid/);
  });

  for (const [said, text] of [
    [reviewed('', { authenticated: false }), 'lookup failed: service account jwt not valid'],
    [reviewed('', { error: 'expired' }), 'lookup failed: expired'],
    [reviewed('alice'), 'lookup failed: unexpected username format'],
    [reviewed('system:node:a:b'), 'lookup failed: username returned is not a service account'],
    [reviewed('system:serviceaccount:..:web'), 'annotation lookup failed: invalid namespace'],
    [reviewed('system:serviceaccount:default:a/b'), 'annotation lookup failed: invalid name'],
    [{ status: 403, json: { kind: 'Status', message: 'not you' } }, 'not you'],
    [
      { status: 403, json: { kind: 'Status', message: `${OWN} of ${BEARER}` } },
      '<hidden> of <hidden>',
    ],
  ] as const) {
    it(`refuses with "${text}"`, async () => {
      const server = await start();
      await bound(server);
      server.kube.says.set(REVIEW, said);
      const answer = await server.login();
      assert.deepEqual([answer.status, answer.text], [500, text]);
    });
  }

  it('trusts no other authority than the one that is named', async () => {
    const server = await start();
    await bound(server);
    const stranger = await TestAuthority.create();
    const Config = { Host: server.kube.url, CACert: stranger.pair.cert, ServiceAccountJWT: OWN };
    await server.master('PUT', METHOD, { Name: 'k8s', Type: 'kubernetes', Config });
    const { status } = await server.login();
    assert.equal(status, 500);
    assert.deepEqual(server.kube.asked, []);
  });

  it('follows no redirect, reads no body without end and waits for no one for ever', async () => {
    const server = await start();
    await bound(server);
    const headers = { Location: `${server.kube.url}/elsewhere` };
    server.kube.says.set(REVIEW, { status: 307, headers });
    assert.match((await server.login()).text, /redirects are not followed$/);
    assert.deepEqual(
      server.kube.asked.map(({ path }) => path),
      [REVIEW],
    );
    server.kube.says.set(REVIEW, { json: 'x'.repeat(2 * 1024 * 1024) });
    assert.match((await server.login()).text, /body beyond \d+ bytes$/);
    server.kube.says.set(REVIEW, { silent: true });
    const waiting = server.login();
    await until(() => server.kube.asked.length === 3);
    await server.clock.advance(10_000);
    assert.match((await waiting).text, /context deadline exceeded$/);
  });

  it('says secrets neither to who logs in nor to the log', async () => {
    const lines: string[] = [];
    const server = await start({}, lines);
    await bound(server);
    const answers = [await server.login(), await server.login('a.b.c')];
    server.kube.says.set(REVIEW, { status: 500 });
    answers.push(await server.login());
    const told = [...lines, ...answers.slice(1).map(({ text }) => text)].join('\n');
    assert.equal(told.includes(OWN) || told.includes(BEARER), false);
  });
});

describe('DELETE /v1/acl/auth-method/', () => {
  it('takes away the tokens that it gave and its rules, and no others', async () => {
    const server = await start();
    await bound(server);
    const { SecretID } = (await server.login()).json as { SecretID: string };
    const other = await server.master('PUT', '/v1/acl/token', {});
    await server.master('DELETE', `${METHOD}/K8S`);
    assert.equal((await server.as(SecretID, 'GET', '/v1/acl/token/self')).status, 403);
    const kept = await server.as(other['SecretID'] ?? '', 'GET', '/v1/acl/token/self');
    assert.equal(kept.status, 200);
    assert.equal((await server.as(MASTER, 'GET', `${RULE}s`)).text, '[]');
    assert.equal((await server.login()).text, 'ACL not found');
  });
});

describe('POST /v1/acl/logout', () => {
  it('ends the token that a login gave, and no other', async () => {
    const server = await start();
    await bound(server);
    const { SecretID } = (await server.login()).json as { SecretID: string };
    const logout = (token: string) => server.as(token, 'POST', '/v1/acl/logout');
    assert.equal((await logout(SecretID)).text, 'true');
    assert.equal((await logout(SecretID)).text, 'ACL not found');
    assert.equal((await logout('')).text, 'ACL not found');
    assert.equal((await logout(MASTER)).text, 'Permission denied');
  });
});

describe('GET /v1/acl/auth-method/', () => {
  it('shows what is secret of it to those alone who may write', async () => {
    const server = await start();
    await server.master('PUT', '/v1/acl/policy', { Name: 'r', Rules: 'acl = "read"' });
    const made = await server.master('PUT', '/v1/acl/token', { Policies: [{ Name: 'r' }] });
    const of = async (token: string) => {
      const { json } = await server.as(token, 'GET', `${METHOD}/k8s`);
      return (json as { Config: { ServiceAccountJWT: string } }).Config.ServiceAccountJWT;
    };
    assert.equal(await of(made['SecretID'] ?? ''), '<hidden>');
    assert.equal(await of(MASTER), OWN);
  });
});

describe('a token of a login', () => {
  it('is not given where method or rules are not what it was decided by', async () => {
    const server = await start();
    const { ID = '' } = await bound(server);
    const { SecretID } = (await server.login()).json as { SecretID: string };
    const token = server.server.state.acl.tokens.get(SecretID);
    assert.ok(token !== undefined);
    const ids = { AccessorID: `${ID.slice(0, -1)}0`, SecretID: `${ID.slice(0, -1)}1` };
    const { ModifyIndex: at = 0 } = server.server.state.acl.authMethod('k8s') ?? {};
    const { ModifyIndex: ruleAt = 0 } = server.server.state.acl.bindingRules.get(ID) ?? {};
    const { index } = server.server.state;
    const propose = (methodAt: number, rulesAt: number, decidedAt = index) =>
      server.server.propose({
        type: 'login',
        token: { ...token, ...ids },
        expiry: { atMs: 0, ttlMs: 0 },
        decidedAt,
        method: { id: 'k8s', at: methodAt },
        rules: [{ id: ID, at: rulesAt }],
      });
    assert.equal((await propose(at - 1, ruleAt)).outdated, true);
    assert.equal((await propose(at, ruleAt - 1)).outdated, true);
    // As if a snapshot had been restored since.
    server.server.state.topics.load({ floor: index, indexes: [], gone: [] });
    assert.equal((await propose(at, ruleAt, index - 1)).outdated, true);
    assert.equal((await propose(at, ruleAt)).applied, true);
  });
});
