import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { CLIENT, startProvider } from '../support/servers/oidc-provider.ts';
import { takeBack, told } from '../support/told.ts';
import { until } from '../support/until.ts';
import { ACCESS_CONTROL, ROOT, startWebServer, type WebServer } from '../support/web-server.ts';

const RULES = 'service_prefix "" { policy = "read" }';

const startControlled = () => startWebServer([ACCESS_CONTROL]);
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const confirm = (page: Page, name: string) =>
  page.getByRole('dialog').getByRole('button', { name, exact: true }).click();

/** Its secret, and by what it is named. */
async function makeToken({ put }: WebServer, rules: string, Description: string) {
  await put('/v1/acl/policy', { Name: `may-${Description}`, Rules: rules }, ROOT);
  const body = { Description, Policies: [{ Name: `may-${Description}` }] };
  return JSON.parse(await put('/v1/acl/token', body, ROOT)) as {
    readonly SecretID: string;
    readonly AccessorID: string;
  };
}

describePage('the page of who one is', () => {
  it('says how access control is turned on, where it is off', async () => {
    const { open } = await startWebServer();
    const page = await open('access');
    await page.getByText('Access control is off').waitFor();
    await page.getByText('acl { enabled = true default_policy = "deny" }').waitFor();
    await page.getByRole('tab', { name: 'Policies' }).click();
    await page.getByText('Access control is off').waitFor();
  });

  it('logs in with a token, back to where somebody was refused, and out again', async () => {
    const server = await startControlled();
    const { SecretID } = await makeToken(server, RULES, 'reader');
    const page = await server.open('access/tokens/00000000-0000-0000-0000-000000000002');
    await page.getByText('You may not see this').waitFor();
    await page.getByRole('link', { name: 'Use another token' }).click();
    await page.getByText('You have no token').waitFor();
    await page.getByLabel('Secret', { exact: true }).fill('22222222-2222-4222-8222-222222222222');
    await page.getByRole('form', { name: 'With a token' }).getByRole('button').click();
    await page.getByText('ACL not found').waitFor();
    await page.getByLabel('Secret', { exact: true }).fill(ROOT);
    await page.getByRole('form', { name: 'With a token' }).getByRole('button').click();
    await page.getByRole('heading', { name: 'Anonymous Token' }).waitFor();
    await page.goto(page.url().replace(/access.*/, 'access'));
    await page.getByText('Log in as somebody else').click();
    await page.getByLabel('Secret', { exact: true }).fill(SecretID);
    await page.getByRole('form', { name: 'With a token' }).getByRole('button').click();
    await page.getByRole('heading', { name: 'reader' }).waitFor();
    await page.getByText('Rules of may-reader').click();
    await page.getByText(RULES).waitFor();
    await page.getByRole('row', { name: 'service ✓ yes ✗ no' }).waitFor();
    assert.equal(await page.getByText(SecretID).count(), 0);
    await button(page, 'Log out').click();
    await confirm(page, 'Log out');
    await page.getByText('You have no token').waitFor();
  });

  it('answers what one may', async () => {
    const server = await startControlled();
    const { SecretID } = await makeToken(server, 'key_prefix "app/" { policy = "list" }', 'keys');
    const page = await server.openAs(SecretID, 'access');
    const asks = page.getByRole('form', { name: 'May I…' });
    await asks.getByLabel('Resource').selectOption('key');
    await asks.getByLabel('Right').selectOption('list');
    await asks.getByText('No, your token may not do that.').waitFor();
    await asks.getByLabel('Name').fill('app/web');
    await asks.getByText('Yes, your token may do that.').waitFor();
  });

  it('says that a token is not known any more, once it is removed', async () => {
    const server = await startControlled();
    const { SecretID, AccessorID } = await makeToken(server, RULES, 'reader');
    const page = await server.openAs(SecretID, 'access');
    await page.getByRole('heading', { name: 'reader' }).waitFor();
    await server.delete(`/v1/acl/token/${AccessorID}`, ROOT);
    await page.getByText('Nobody knows your token').waitFor();
    await button(page, 'Forget the token here').click();
    await page.getByText('You have no token').waitFor();
  });

  it('makes the first token, and keeps it hidden until it is asked for', async () => {
    const { open, get } = await startWebServer([
      '-hcl=acl { enabled = true default_policy = "deny" }',
    ]);
    const page = await open('access');
    await button(page, 'Make the first token').click();
    await page.getByRole('dialog').getByText('The same as a command').click();
    await page.getByRole('dialog').getByText('proconsul acl bootstrap').waitFor();
    await confirm(page, 'Make the first token');
    await page.getByRole('heading', { name: 'Bootstrap Token (Global Management)' }).waitFor();
    await button(page, 'Show Secret').click();
    const secret = await page.locator('.secret code').innerText();
    const self = await get<{ SecretID: string }>('/v1/acl/token/self', secret);
    assert.equal(self.SecretID, secret);
    const again = await open('access');
    await button(again, 'Make the first token').click();
    await confirm(again, 'Make the first token');
    await again.getByText('ACL bootstrap no longer allowed').waitFor();
  });

  it('logs in by a browser at a provider, and ends that token when it logs out', async () => {
    const server = await startControlled();
    const callback = `http://127.0.0.1:${server.process.port}/ui/oidc/callback`;
    const provider = await startProvider({ team: 'ops' }, callback);
    const Config = {
      OIDCDiscoveryURL: provider.url,
      OIDCClientID: CLIENT.id,
      OIDCClientSecret: CLIENT.secret,
      OIDCScopes: ['profile'],
      AllowedRedirectURIs: [callback],
      ClaimMappings: { team: 'team' },
    };
    await server.put('/v1/acl/auth-method', { Name: 'sso', Type: 'oidc', Config }, ROOT);
    const rule = { AuthMethod: 'sso', BindType: 'service', BindName: 'web' };
    await server.put('/v1/acl/binding-rule', rule, ROOT);
    const page = await server.open('access?method=sso', { leadsTo: provider.url });
    await page.getByText(`The browser comes back to ${callback}`).waitFor();
    await button(page, 'Go there').click();
    await page.getByRole('heading', { name: 'token created via login' }).waitFor();
    assert.match(page.url(), /\/ui\/dc1\/access\?method=sso$/);
    await page.getByText('Being the service web').waitFor();
    await button(page, 'Log out').click();
    await confirm(page, 'Log out');
    await page.getByText('You have no token').waitFor();
    const left = await server.get<object[]>('/v1/acl/tokens?authmethod=sso', ROOT);
    assert.deepEqual(left, []);
  });

  it('takes back no login that it has not begun', async () => {
    const server = await startControlled();
    const page = await server.open('../oidc/callback?state=s&code=c');
    await page.getByText('This login was not begun in this tab').waitFor();
    assert.match(page.url(), /\/ui\/dc1\/access$/);
    const said = '../oidc/callback?error=x&error_description=Call+us';
    for (const sent of [await server.open(said), await server.openAs(ROOT, said)]) {
      await sent.getByText('This login was not begun in this tab').waitFor();
      assert.equal(await sent.getByText('Call us').count(), 0);
    }
  });

  it('says why a provider refused a login that it has begun', async () => {
    const server = await startControlled();
    const page = await server.open('access');
    const begun = { nonce: 'n', method: 'sso', from: '/ui/dc1/access', remembers: false };
    await page.evaluate(`sessionStorage.setItem('proconsul.login', '${JSON.stringify(begun)}')`);
    await page.goto(page.url().replace(/dc1.*/, 'oidc/callback?error=access_denied'));
    await page.getByText('access_denied').waitFor();
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const { openAs } = await startControlled();
      const page = await openAs(ROOT, 'access', screen);
      await page.getByText('What that comes to').waitFor();
      await page.getByText('✓ yes').first().waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});

describePage('the pages of tokens, policies and roles', () => {
  it('makes a policy, a role and a token with them, and shows the secret when it is asked for', async () => {
    const server = await startControlled();
    const page = await server.openAs(ROOT, 'access?show=policies');
    await page.getByRole('link', { name: 'New policy' }).click();
    await page.getByLabel('Name').fill('readers');
    await page.getByLabel('Rules').fill('service "" { policy = "wrote" }');
    await button(page, 'Make').click();
    await page.getByText('Invalid service policy').waitFor();
    await page.getByLabel('Rules').fill(RULES);
    await page.getByText('The same as a command').click();
    await page.getByText('proconsul acl policy create -name=readers').waitFor();
    await button(page, 'Make').click();
    await page.getByRole('heading', { name: 'readers' }).waitFor();
    await page.getByText('Nobody has it.').waitFor();

    await page.goto(page.url().replace(/access.*/, 'access/new/roles'));
    await page.getByLabel('Name', { exact: true }).fill('ops');
    await page.getByLabel('Policies', { exact: true }).fill('readers');
    await page.keyboard.press('Enter');
    await button(page, 'Make').click();
    await page.getByRole('heading', { name: 'ops' }).waitFor();

    await page.goto(page.url().replace(/access.*/, 'access/new/tokens'));
    await page.getByLabel('Description').fill('for ann');
    await page.getByLabel('Roles').fill('ops');
    await page.getByLabel('Service identities').fill('web');
    await page.getByLabel('Lives for').fill('1h');
    await button(page, 'Make').click();
    await page.getByRole('heading', { name: 'for ann' }).waitFor();
    await page.getByRole('link', { name: 'ops' }).waitFor();
    await page.getByText('service web', { exact: true }).waitFor();
    await page.getByText('in 59 minutes').or(page.getByText('in 1 hour')).waitFor();
    await page.getByText('Rules of readers').waitFor();
    await button(page, 'Show Secret').click();
    const secret = await page.locator('.secret code').innerText();
    const self = await server.get<{ Description: string }>('/v1/acl/token/self', secret);
    assert.equal(self.Description, 'for ann');
  });

  it('shows what is changed elsewhere, and saves over that only when it is told to', async () => {
    const server = await startControlled();
    const { ID } = JSON.parse(
      await server.put('/v1/acl/policy', { Name: 'readers', Rules: RULES }, ROOT),
    );
    const change = (Description: string) =>
      server.put(`/v1/acl/policy/${ID}`, { ID, Name: 'readers', Rules: RULES, Description }, ROOT);
    const page = await server.openAs(ROOT, `access/policies/${ID}`);
    await page.getByRole('heading', { name: 'readers' }).waitFor();
    await change('first');
    await page.getByText('first').waitFor();
    await button(page, 'Edit').click();
    await page.getByLabel('Description').fill('mine');
    await change('second');
    await page.getByText('Somebody else has changed this meanwhile').waitFor();
    assert.equal(await button(page, 'Save').isEnabled(), false);
    await button(page, 'Keep mine, to save it over that').click();
    await button(page, 'Save').click();
    await told(page, 'readers is saved.');
    await page.getByText('mine', { exact: true }).waitFor();
    await takeBack(page, 'readers is saved.');
    await page.getByText('second').waitFor();
  });

  it('deletes, and takes it back: a token with both of its ids', async () => {
    const server = await startControlled();
    const { AccessorID, SecretID } = await makeToken(server, RULES, 'reader');
    const page = await server.openAs(ROOT, 'access?show=tokens');
    await page.getByRole('link', { name: 'reader', exact: true }).click();
    await button(page, 'Delete').click();
    await confirm(page, 'Delete the token');
    await told(page, 'reader is deleted.');
    await page.getByRole('tab', { name: 'Tokens', selected: true }).waitFor();
    await takeBack(page, 'reader is deleted.');
    await page.getByRole('link', { name: 'reader', exact: true }).waitFor();
    const self = await server.get<{ AccessorID: string }>('/v1/acl/token/self', SecretID);
    assert.equal(self.AccessorID, AccessorID);
  });

  it('says of a policy who loses what when it is deleted', async () => {
    const server = await startControlled();
    await makeToken(server, RULES, 'reader');
    const page = await server.openAs(ROOT, 'access?show=policies');
    await page.getByRole('link', { name: 'may-reader' }).click();
    await page.getByRole('link', { name: 'reader', exact: true }).waitFor();
    await button(page, 'Delete').click();
    await page.getByText('at once: 1 token.').waitFor();
    await confirm(page, 'Delete the policy');
    await page.getByRole('link', { name: 'may-reader' }).waitFor({ state: 'detached' });
    await page.goto(page.url().replace(/access.*/, 'access/policies/no-uuid'));
    await page.getByText('There is none').waitFor();
  });

  it('filters by words, and looks no expression up', async () => {
    const server = await startControlled();
    await makeToken(server, RULES, 'reader');
    await makeToken(server, RULES, 'writer-is');
    const page = await server.openAs(ROOT, 'access?show=tokens');
    await page.getByRole('link', { name: 'reader', exact: true }).waitFor();
    await page.getByRole('combobox', { name: 'Filter' }).fill('writer is may-');
    await page.getByRole('link', { name: 'reader', exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'writer-is', exact: true }).waitFor();
  });

  it('says that there is none, which is not that one may not see it', async () => {
    const server = await startControlled();
    const { SecretID } = await makeToken(server, 'acl = "read"', 'auditor');
    const none = '33333333-3333-4333-8333-333333333333';
    const page = await server.openAs(SecretID, `access/tokens/${none}`);
    await page.getByText('There is none').waitFor();
    await page.goto(page.url().replace(/access.*/, 'access?show=tokens'));
    await page.getByRole('link', { name: 'auditor', exact: true }).click();
    await page.getByText('You may not see it').waitFor();
    assert.equal(await button(page, 'Edit').count(), 0);
    assert.equal(await button(page, 'Delete').count(), 0);
    const stranger = await server.open(`access/tokens/${none}`);
    await stranger.getByText('You may not see this').waitFor();
  });

  it('is reached by keys', async () => {
    const { openAs } = await startControlled();
    const page = await openAs(ROOT, 'services');
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('a');
    await page.getByRole('heading', { name: 'Access' }).waitFor();
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const server = await startControlled();
      const { AccessorID } = await makeToken(server, RULES, 'reader');
      const page = await server.openAs(ROOT, 'access?show=tokens', screen);
      const at = (address: string) => page.goto(page.url().replace(/access.*/, address));
      await page.getByRole('link', { name: 'reader', exact: true }).waitFor();
      assert.deepEqual(await barriersOn(page), []);
      await at(`access/tokens/${AccessorID}?edit=yes`);
      await button(page, 'Save').waitFor();
      assert.deepEqual(await barriersOn(page), []);
      await at('access?show=policies');
      await page.getByRole('link', { name: 'may-reader' }).click();
      await page.getByText('Who has it').waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});

describePage('the pages of auth methods', () => {
  const config = (issuer: string) => ({
    BoundIssuer: issuer,
    JWTValidationPubKeys: [
      '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZBhBm4zm2Ef085tXMVlDGyM7IzRl\noLy5Qlyo1cKX0B3YP7QP5CmaO1LOKv7V+9Lr0O3Z5ZNMnsIPnYU7o8U2rg==\n-----END PUBLIC KEY-----',
    ],
    JWTSupportedAlgs: ['ES256'],
    ClaimMappings: { team: 'team' },
  });

  it('makes one with a rule, changes them, and removes them', async () => {
    const server = await startControlled();
    const page = await server.openAs(ROOT, 'access?show=methods');
    await page.getByText('There are no auth methods yet').waitFor();
    await page.getByRole('link', { name: 'New auth method' }).click();
    await page.getByLabel('Name', { exact: true }).fill('ci');
    await page.getByLabel('Type').selectOption('jwt');
    await page.getByLabel('Configuration').fill('{"a"');
    await page.getByText('This is no JSON object.').waitFor();
    await page.getByLabel('Configuration').fill(JSON.stringify(config('https://ci')));
    await button(page, 'Make').click();
    await page.getByRole('heading', { name: 'ci' }).waitFor();
    await page.getByText('Whoever logs in by it gets nothing yet').waitFor();
    await button(page, 'New binding rule').click();
    await page.getByLabel('Who').fill('value.team == ops');
    await page.getByLabel('Gets').selectOption('service');
    await page.getByLabel('Called').fill('web');
    await button(page, 'Make').click();
    await told(page, 'web is made.');
    await page.getByText('service web').waitFor();
    await page.getByText('value.team == ops').waitFor();
    const rules = () => server.get<object[]>('/v1/acl/binding-rules', ROOT);
    assert.equal((await rules()).length, 1);
    await page.locator('.binding-rule').getByRole('button', { name: 'Delete' }).click();
    await confirm(page, 'Delete the binding rule');
    await told(page, 'web is deleted.');
    assert.deepEqual(await rules(), []);
    await takeBack(page, 'web is deleted.');
    await page.getByText('service web').waitFor();
    await button(page, 'Edit').first().click();
    await page.getByLabel('Name for people').fill('The builds');
    await button(page, 'Save').click();
    await page.getByRole('heading', { name: 'The builds' }).waitFor();
    await page.locator('.heading').getByRole('button', { name: 'Delete' }).click();
    await confirm(page, 'Delete the auth method');
    await page.getByText('There are no auth methods yet').waitFor();
  });

  it('keeps a secret that it does not show', async () => {
    const server = await startControlled();
    const provider = await startProvider({});
    const Config = {
      OIDCDiscoveryURL: provider.url,
      OIDCClientID: CLIENT.id,
      OIDCClientSecret: CLIENT.secret,
      AllowedRedirectURIs: ['http://127.0.0.1:8550/oidc/callback'],
    };
    await server.put('/v1/acl/auth-method', { Name: 'sso', Type: 'oidc', Config }, ROOT);
    const page = await server.openAs(ROOT, 'access/methods/sso');
    await page.getByText('"OIDCClientSecret": "<hidden>"').waitFor();
    await button(page, 'Edit').click();
    await page.getByLabel('Description').fill('for people');
    await button(page, 'Save').click();
    const kept = () =>
      server.get<{ Description: string; Config: typeof Config }>('/v1/acl/auth-method/sso', ROOT);
    await until(async () => (await kept()).Description === 'for people');
    assert.equal((await kept()).Config.OIDCClientSecret, CLIENT.secret);
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const server = await startControlled();
      const method = { Name: 'ci', Type: 'jwt', Config: config('https://ci') };
      await server.put('/v1/acl/auth-method', method, ROOT);
      const rule = { AuthMethod: 'ci', BindType: 'service', BindName: 'web' };
      await server.put('/v1/acl/binding-rule', rule, ROOT);
      const page = await server.openAs(ROOT, 'access/methods/ci', screen);
      await page.getByText('service web').waitFor();
      assert.deepEqual(await barriersOn(page), []);
      await button(page, 'New binding rule').click();
      await page.getByLabel('Called').waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});
