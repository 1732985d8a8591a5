import assert from 'node:assert/strict';
import { OidcState } from '../../../server/acl/methods/oidc-state.ts';
import { type AclServer, MASTER, startAclServer } from '../../support/servers/acl-server.ts';
import { CLIENT, REDIRECT, startProvider } from '../../support/servers/oidc-provider.ts';

const AUTH_URL = '/v1/acl/oidc/auth-url';
const CALLBACK = '/v1/acl/oidc/callback';

async function start(over: object = {}, lines: string[] = []) {
  const provider = await startProvider({ team: 'ops', groups: ['a', 'b'] });
  const keep = (line: string) => void lines.push(line);
  const server = await startAclServer({}, { error: keep, warn: keep, info: keep, debug: keep });
  const Config = {
    OIDCDiscoveryURL: provider.url,
    OIDCClientID: CLIENT.id,
    OIDCClientSecret: CLIENT.secret,
    OIDCScopes: ['profile'],
    AllowedRedirectURIs: [REDIRECT],
    ClaimMappings: { team: 'team' },
    ListClaimMappings: { groups: 'groups' },
    ...over,
  };
  const method = { Name: 'sso', Type: 'oidc', MaxTokenTTL: '1h', Config };
  const set = await server.as(MASTER, 'PUT', '/v1/acl/auth-method', method);
  assert.equal(set.status, 200, set.text);
  await server.master('PUT', '/v1/acl/binding-rule', {
    AuthMethod: 'sso',
    BindType: 'service',
    BindName: `svc-$${'{value.team}'}`,
    Selector: 'a in list.groups',
  });
  return { ...server, provider };
}

const begin = (server: AclServer, over: object = {}) =>
  server.as('', 'POST', AUTH_URL, { AuthMethod: 'sso', RedirectURI: REDIRECT, ...over });

const urlIn = ({ json }: { readonly json: unknown }) => (json as { AuthURL: string }).AuthURL;

function end(server: AclServer, came: URL, over: object = {}) {
  const { searchParams } = came;
  const [State, Code] = ['state', 'code'].map((name) => searchParams.get(name));
  return server.as('', 'POST', CALLBACK, { AuthMethod: 'sso', State, Code, ...over });
}

describe('a login by a browser', () => {
  it('binds whom the provider knows, by what it tells of them', async () => {
    const server = await start();
    const asked = await begin(server, { Meta: { from: 'laptop' }, ClientNonce: 'n' });
    assert.equal(asked.status, 200, asked.text);
    const went = new URL(urlIn(asked)).searchParams;
    assert.equal(went.get('code_challenge_method'), 'S256');
    assert.equal(went.get('scope'), 'openid profile');
    const came = await server.provider.visit(urlIn(asked));
    const given = await end(server, came, { ClientNonce: 'n' });
    assert.equal(given.status, 200, given.text);
    const token = given.json as Record<string, unknown>;
    assert.deepEqual(token['ServiceIdentities'], [{ ServiceName: 'svc-ops' }]);
    assert.equal(token['Description'], 'token created via login: {"from":"laptop"}');
    assert.ok(token['ExpirationTime'] !== undefined);
    // The provider gives nothing twice for one code.
    assert.equal((await end(server, came, { ClientNonce: 'n' })).status, 500);
  });

  it('ends only for whoever began it, in time, with what was begun', async () => {
    const server = await start();
    const came = await server.provider.visit(urlIn(await begin(server, { ClientNonce: 'n' })));
    const gone = [500, 'Expired or missing OAuth state.'];
    for (const over of [{ ClientNonce: 'm' }, { ClientNonce: '' }, { State: 'x' }, { State: '' }]) {
      const { status, text } = await end(server, came, { ClientNonce: 'n', ...over });
      assert.deepEqual([status, text], gone);
    }
    await server.clock.advance(5 * 60_000 + 1);
    const { status, text } = await end(server, came, { ClientNonce: 'n' });
    assert.deepEqual([status, text], gone);
  });

  it('takes no code that came for another beginning', async () => {
    const server = await start();
    const [mine, theirs] = [urlIn(await begin(server)), urlIn(await begin(server))];
    const came = await server.provider.visit(theirs);
    const State = new URL(mine).searchParams.get('state');
    const { status, text } = await end(server, came, { State });
    assert.equal(status, 500);
    assert.match(text, /^Error exchanging oidc code/);
  });

  it('leads nowhere else than it may', async () => {
    const server = await start();
    for (const RedirectURI of ['https://evil/', `${REDIRECT}/../x`, '', `${REDIRECT}?x`]) {
      const { status, text } = await begin(server, { RedirectURI });
      assert.equal(status, 500);
      assert.match(text, /^unauthorized redirect_uri/);
    }
    // Programs on one's own machine take whichever port is free.
    const RedirectURI = REDIRECT.replace('8550', '9999');
    assert.equal((await begin(server, { RedirectURI })).status, 200);
  });

  it('gives nothing to an audience that the method does not name', async () => {
    const server = await start({ BoundAudiences: ['others'] });
    const came = await server.provider.visit(urlIn(await begin(server)));
    assert.match((await end(server, came)).text, /does not match any bound audience$/);
  });

  it('says the secret of the client neither in the way to go, nor in errors, nor in the log', async () => {
    const lines: string[] = [];
    const server = await start({}, lines);
    const asked = await begin(server);
    const came = await server.provider.visit(urlIn(asked));
    const wrong = await end(server, came, { Code: 'wrong' });
    assert.match(wrong.text, /^Error exchanging oidc code: invalid_grant$/);
    const told = [asked.text, wrong.text, ...lines].join('\n');
    assert.equal(told.includes(CLIENT.secret), false);
  });

  it('is another way in than that of a bearer token', async () => {
    const server = await start();
    const body = { AuthMethod: 'sso', BearerToken: 'a.b.c' };
    assert.match((await server.as('', 'POST', '/v1/acl/login', body)).text, /by a browser/);
    const none = await server.as('', 'POST', AUTH_URL, { AuthMethod: 'none' });
    assert.deepEqual([none.status, none.text], [403, 'ACL not found']);
  });
});

describe('OidcState', () => {
  const remembered = { redirectUri: 'r', clientNonce: 'n', meta: {}, endsAt: 9, randomId: 'i' };
  const at = { clientNonce: 'n', now: 9 };

  it('is opened by the same secret alone, and only as it was sealed', () => {
    const state = new OidcState('s', 'c').seal(remembered);
    assert.deepEqual(new OidcState('s', 'c').open(state, at), remembered);
    assert.equal(new OidcState('t', 'c').open(state, at), undefined);
    assert.equal(new OidcState('s', 'd').open(state, at), undefined);
    const bytes = Buffer.from(state, 'base64url');
    for (let n = 0; n < bytes.length; n++) {
      const changed = Buffer.from(bytes);
      changed[n] = (changed[n] ?? 0) ^ 1;
      assert.equal(new OidcState('s', 'c').open(changed.toString('base64url'), at), undefined);
    }
  });
});
