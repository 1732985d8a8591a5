import assert from 'node:assert/strict';
import { MASTER, startAclServer } from '../../../support/servers/acl-server.ts';
import { until } from '../../../support/until.ts';

const TOKEN = '/v1/acl/token';
const MINUTE_MS = 60_000;

describe('PUT /v1/acl/token', () => {
  it('makes a token with ids of its own, or with those that are sent', async () => {
    const { master } = await startAclServer();
    const made = await master('PUT', TOKEN, {});
    assert.match(made['AccessorID'] ?? '', /^[0-9a-f-]{36}$/);
    assert.match(made['SecretID'] ?? '', /^[0-9a-f-]{36}$/);
    assert.notEqual(made['AccessorID'], made['SecretID']);
    const ids = {
      AccessorID: 'aaaaaaaa-0000-4000-8000-000000000001',
      SecretID: 'aaaaaaaa-0000-4000-8000-000000000002',
    };
    const own = await master('PUT', TOKEN, ids);
    assert.deepEqual([own['AccessorID'], own['SecretID']], [ids.AccessorID, ids.SecretID]);
  });

  it('takes no id that another token has, whichever of the two it is', async () => {
    const { master, as } = await startAclServer();
    const made = await master('PUT', TOKEN, {});
    for (const [field, id] of [
      ['AccessorID', made['AccessorID']],
      ['AccessorID', made['SecretID']],
      ['SecretID', made['AccessorID']],
      ['SecretID', MASTER],
    ]) {
      const answer = await as(MASTER, 'PUT', TOKEN, { [field as string]: id });
      assert.equal(answer.text, `Invalid Token: ${field} is already in use`);
    }
  });

  it('refuses what is no name of a service, which would say more in a rule', async () => {
    const { as } = await startAclServer();
    const evil = 'web" { policy = "write" } acl = "write" service "x';
    for (const body of [
      { ServiceIdentities: [{ ServiceName: evil }] },
      { NodeIdentities: [{ NodeName: evil, Datacenter: 'dc1' }] },
      {
        TemplatedPolicies: [{ TemplateName: 'builtin/service', TemplateVariables: { Name: evil } }],
      },
    ]) {
      const { status, text } = await as(MASTER, 'PUT', TOKEN, body);
      assert.equal(status, 500);
      assert.match(text, /invalid name/);
    }
  });

  it('wakes nobody who waits for other tokens by what changes nothing', async () => {
    const { master, server } = await startAclServer();
    const made = await master('PUT', TOKEN, { Description: 'x' });
    const before = server.state.topics.indexOf('rights');
    await master('PUT', `${TOKEN}/${made['AccessorID']}`, { Description: 'x' });
    assert.equal(server.state.topics.indexOf('rights'), before);
    await master('PUT', `${TOKEN}/${made['AccessorID']}`, { Description: 'y' });
    assert.notEqual(server.state.topics.indexOf('rights'), before);
  });
});

describe('a token that expires', () => {
  it('opens nothing from that moment on, and is forgotten by the leader', async () => {
    const { master, as, clock, server } = await startAclServer();
    const body = { ExpirationTTL: '60s', Policies: [{ Name: 'global-management' }] };
    const { SecretID = '', AccessorID = '' } = await master('PUT', TOKEN, body);
    assert.equal((await as(SecretID, 'GET', '/v1/acl/tokens')).status, 200);
    await clock.advance(MINUTE_MS - 1);
    assert.equal((await as(SecretID, 'GET', '/v1/acl/tokens')).status, 200);
    await clock.advance(1);
    const { status, text } = await as(SecretID, 'GET', '/v1/acl/tokens');
    assert.deepEqual([status, text], [403, 'ACL not found']);
    await clock.advance(2000);
    await until(() => server.state.acl.tokenBy(AccessorID) === undefined);
  });

  it('is neither changed nor copied any more, though it is still there', async () => {
    const { master, as, clock } = await startAclServer();
    const { AccessorID } = await master('PUT', TOKEN, { ExpirationTTL: '60s' });
    await clock.advance(MINUTE_MS);
    const changed = await as(MASTER, 'PUT', `${TOKEN}/${AccessorID}`, { Description: 'back' });
    assert.equal(changed.text, `Cannot find token "${AccessorID}"`);
    const copied = await as(MASTER, 'PUT', `${TOKEN}/${AccessorID}/clone`, {});
    assert.equal(copied.text, 'ACL not found');
  });

  it('gives its end to its copies', async () => {
    const { master } = await startAclServer();
    const made = await master('PUT', TOKEN, { ExpirationTTL: '1h' });
    const copy = await master('PUT', `${TOKEN}/${made['AccessorID']}/clone`, {});
    assert.equal(copy['ExpirationTime'], made['ExpirationTime']);
  });
});

describe('GET /v1/acl/token', () => {
  it('shows the secret to those who may write, and to whoever brings it', async () => {
    const { master, as } = await startAclServer();
    await master('PUT', '/v1/acl/policy', { Name: 'reader', Rules: 'acl = "read"' });
    const reader = await master('PUT', TOKEN, { Policies: [{ Name: 'reader' }] });
    const secret = reader['SecretID'] ?? '';
    const path = `${TOKEN}/${reader['AccessorID']}`;
    const secretIn = async (token: string, at: string) =>
      ((await as(token, 'GET', at)).json as Record<string, string>)['SecretID'];
    assert.equal(await secretIn(MASTER, path), secret);
    assert.equal(await secretIn(secret, path), '<hidden>');
    assert.equal(await secretIn(secret, `${TOKEN}/self`), secret);
    assert.doesNotMatch((await as(secret, 'GET', '/v1/acl/tokens')).text, new RegExp(secret));
  });

  it('shows the policies and roles behind it with ?expanded', async () => {
    const { master } = await startAclServer();
    await master('PUT', '/v1/acl/policy', { Name: 'p', Rules: 'acl = "read"' });
    await master('PUT', '/v1/acl/role', { Name: 'r', Policies: [{ Name: 'p' }] });
    const made = await master('PUT', TOKEN, { Roles: [{ Name: 'r' }] });
    const shown = (await master('GET', `${TOKEN}/${made['AccessorID']}?expanded`)) as object;
    const { ExpandedPolicies, ExpandedRoles } = shown as Record<string, { Name: string }[]>;
    assert.deepEqual(
      ExpandedPolicies?.map(({ Name }) => Name),
      ['p'],
    );
    assert.deepEqual(
      ExpandedRoles?.map(({ Name }) => Name),
      ['r'],
    );
  });

  it('names policies as they are called today, and leaves out those that are gone', async () => {
    const { master } = await startAclServer();
    const policy = await master('PUT', '/v1/acl/policy', { Name: 'old' });
    const made = await master('PUT', TOKEN, { Policies: [{ Name: 'old' }] });
    const shown = async () => (await master('GET', `${TOKEN}/${made['AccessorID']}`))['Policies'];
    await master('PUT', `/v1/acl/policy/${policy['ID']}`, { Name: 'new' });
    assert.deepEqual(await shown(), [{ ID: policy['ID'], Name: 'new' }]);
    await master('DELETE', `/v1/acl/policy/${policy['ID']}`);
    assert.equal(await shown(), undefined);
  });
});

describe('templated policies', () => {
  it('give what their text says, for the name that is sent', async () => {
    const { master, as } = await startAclServer();
    const TemplatedPolicies = [
      { TemplateName: 'builtin/service', TemplateVariables: { Name: 'web' } },
    ];
    const { SecretID = '' } = await master('PUT', TOKEN, { TemplatedPolicies });
    const questions = ['web', 'web-sidecar-proxy', 'db'].map((Segment) => ({
      Resource: 'service',
      Access: 'write',
      Segment,
    }));
    const { json } = await as(SecretID, 'POST', '/v1/internal/acl/authorize', questions);
    assert.deepEqual(
      (json as { Allow: boolean }[]).map(({ Allow }) => Allow),
      [true, true, false],
    );
  });

  it('may delete a folder who may write all that is in it, which is asked for by itself', async () => {
    const { master, as } = await startAclServer();
    const rules = 'key_prefix "app/" { policy = "write" } key "app/color" { policy = "read" }';
    await master('PUT', '/v1/acl/policy', { Name: 'some', Rules: rules });
    const { SecretID = '' } = await master('PUT', '/v1/acl/token', {
      Policies: [{ Name: 'some' }],
    });
    const questions = ['app/', 'app/d', 'b'].map((Segment) => ({
      Resource: 'key',
      Access: 'write-prefix',
      Segment,
    }));
    const { json } = await as(SecretID, 'POST', '/v1/internal/acl/authorize', questions);
    assert.deepEqual(
      (json as { Allow: boolean }[]).map(({ Allow }) => Allow),
      [false, true, false],
    );
    const other = [{ Resource: 'service', Access: 'list', Segment: '' }];
    assert.equal((await as(SecretID, 'POST', '/v1/internal/acl/authorize', other)).status, 400);
  });

  it('sees, or writes, all services who may each of them, which is asked for by itself', async () => {
    const { master, as } = await startAclServer();
    const rules = 'service_prefix "" { policy = "write" } service "pay" { policy = "deny" }';
    await master('PUT', '/v1/acl/policy', { Name: 'some', Rules: rules });
    const { SecretID = '' } = await master('PUT', '/v1/acl/token', {
      Policies: [{ Name: 'some' }],
    });
    for (const Access of ['read-prefix', 'write-prefix']) {
      const asked = ['', 'web', 'p'].map((Segment) => ({ Resource: 'service', Access, Segment }));
      const { json } = await as(SecretID, 'POST', '/v1/internal/acl/authorize', asked);
      assert.deepEqual(
        (json as { Allow: boolean }[]).map(({ Allow }) => Allow),
        [false, true, false],
      );
    }
  });

  it('may make something who may write anything at all, which is asked for by itself', async () => {
    const { master, as } = await startAclServer();
    await master('PUT', '/v1/acl/policy', {
      Name: 'some',
      Rules: 'service "web" { policy = "write" }',
    });
    const { SecretID = '' } = await master('PUT', '/v1/acl/token', {
      Policies: [{ Name: 'some' }],
    });
    const questions = ['service', 'key', 'node'].map((Resource) => ({
      Resource,
      Access: 'write-any',
    }));
    const { json } = await as(SecretID, 'POST', '/v1/internal/acl/authorize', questions);
    assert.deepEqual(
      (json as { Allow: boolean }[]).map(({ Allow }) => Allow),
      [true, false, false],
    );
  });

  it('are listed, shown and tried out', async () => {
    const { master, as } = await startAclServer();
    const all = await master('GET', '/v1/acl/templated-policies');
    assert.deepEqual(Object.keys(all), [
      'builtin/api-gateway',
      'builtin/dns',
      'builtin/node',
      'builtin/nomad-client',
      'builtin/nomad-server',
      'builtin/service',
    ]);
    const one = await master('GET', '/v1/acl/templated-policy/name/builtin/node');
    assert.match(one['Template'] ?? '', /node "\{\{\.Name\}\}"/);
    const tried = await master('POST', '/v1/acl/templated-policy/preview/builtin/node', {
      Name: 'n',
    });
    assert.match(tried['Rules'] ?? '', /node "n"/);
    const path = '/v1/acl/templated-policy/preview/builtin/node';
    assert.equal((await as(MASTER, 'POST', path, {})).status, 500);
    assert.equal((await as(MASTER, 'GET', '/v1/acl/templated-policy/name/x')).status, 400);
  });
});

describe('GET /v1/internal/acl/resolve', () => {
  it('tells whoever asks by which rules he may do what, once', async () => {
    const { master, as } = await startAclServer();
    await master('PUT', '/v1/acl/policy', { Name: 'p', Rules: 'acl = "read"' });
    const made = await master('PUT', TOKEN, { Policies: [{ Name: 'p' }], Description: 'd' });
    const ask = (query = '') =>
      as(made['SecretID'] ?? '', 'GET', `/v1/internal/acl/resolve${query}`);
    const { Digest, AccessorID, Description, Rules } = (await ask()).json as Record<string, string>;
    assert.equal(Description, 'd');
    assert.equal(AccessorID, made['AccessorID']);
    assert.match(JSON.stringify(Rules), /acl = /);
    const known = (await ask(`?known=${Digest}`)).json as object;
    assert.equal('Rules' in known, false);
    assert.equal((await as('x', 'GET', '/v1/internal/acl/resolve')).text, 'ACL not found');
  });
});
