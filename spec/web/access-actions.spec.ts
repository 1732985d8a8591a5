import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { describePage } from '../support/browser.ts';
import { takeBack, told } from '../support/told.ts';
import { ACCESS_CONTROL, ROOT, startWebServer, type WebServer } from '../support/web-server.ts';

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const confirm = (page: Page, name: string) =>
  page.getByRole('dialog').getByRole('button', { name, exact: true }).click();

async function make<T>({ put }: WebServer, path: string, body: object): Promise<T> {
  return JSON.parse(await put(`/v1/acl/${path}`, body, ROOT)) as T;
}

describePage('what is done with access', () => {
  const JWT = {
    Type: 'jwt',
    Config: {
      BoundIssuer: 'https://ci',
      JWTValidationPubKeys: [
        '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZBhBm4zm2Ef085tXMVlDGyM7IzRl\noLy5Qlyo1cKX0B3YP7QP5CmaO1LOKv7V+9Lr0O3Z5ZNMnsIPnYU7o8U2rg==\n-----END PUBLIC KEY-----',
      ],
      JWTSupportedAlgs: ['ES256'],
      ClaimMappings: { team: 'team' },
    },
  };

  it('makes another token like one, with a secret of its own', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    interface Token {
      readonly AccessorID: string;
      readonly SecretID: string;
      readonly ServiceIdentities: readonly object[];
    }
    const body = { Description: 'deploys', ServiceIdentities: [{ ServiceName: 'web' }] };
    const first = await make<Token>(server, 'token', body);
    const page = await server.openAs(ROOT, `access/tokens/${first.AccessorID}`);
    await button(page, 'Make another like it').click();
    await confirm(page, 'Make another like it');
    await told(page, 'deploys is made.');
    await page.waitForURL((url) => !url.pathname.endsWith(first.AccessorID));
    const id = new URL(page.url()).pathname.split('/').at(-1);
    const made = await server.get<Token>(`/v1/acl/token/${id}`, ROOT);
    assert.deepEqual(made.ServiceIdentities, first.ServiceIdentities);
    assert.notEqual(made.SecretID, first.SecretID);
  });

  it('deletes a role of which it says who loses it, and takes that back', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const role = { Name: 'ops', ServiceIdentities: [{ ServiceName: 'web' }] };
    const { ID } = await make<{ ID: string }>(server, 'role', role);
    await make(server, 'token', { Description: 'ann', Roles: [{ ID }] });
    const named = () => server.get<typeof role | undefined>('/v1/acl/role/name/ops', ROOT);
    const page = await server.openAs(ROOT, `access/roles/${ID}`);
    await page.getByRole('link', { name: 'ann', exact: true }).waitFor();
    await button(page, 'Delete').click();
    await page.getByText('at once: 1 token.').waitFor();
    await confirm(page, 'Delete the role');
    await told(page, 'ops is deleted.');
    assert.deepEqual(await server.get('/v1/acl/roles', ROOT), []);
    await takeBack(page, 'ops is deleted.');
    assert.deepEqual((await named())?.ServiceIdentities, role.ServiceIdentities);
  });

  it('saves a binding rule that is changed, and takes that back', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    await make(server, 'auth-method', { Name: 'ci', ...JWT });
    const before = {
      AuthMethod: 'ci',
      BindType: 'service',
      BindName: 'web',
      Description: 'builds',
    };
    const { ID } = await make<{ ID: string }>(server, 'binding-rule', before);
    const rule = async () => {
      const all = await server.get<(typeof before & { ID: string; Selector: string })[]>(
        '/v1/acl/binding-rules',
        ROOT,
      );
      return all.map((each) => [each.ID, each.BindName, each.Selector, each.Description]);
    };
    const page = await server.openAs(ROOT, 'access/methods/ci');
    await page.locator('.binding-rule').getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Who').fill('value.team == ops');
    await page.getByLabel('Called').fill('db');
    await button(page, 'Save').click();
    await told(page, 'db is saved.');
    assert.deepEqual(await rule(), [[ID, 'db', 'value.team == ops', 'builds']]);
    await takeBack(page, 'db is saved.');
    assert.deepEqual(await rule(), [[ID, 'web', '', 'builds']]);
  });

  it('is nothing to whoever may only look, who is told so', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const Rules = 'acl = "read"';
    const policy = await make<{ ID: string }>(server, 'policy', { Name: 'auditors', Rules });
    const role = await make<{ ID: string }>(server, 'role', {
      Name: 'ops',
      Policies: [{ ID: policy.ID }],
    });
    await make(server, 'auth-method', { Name: 'ci', ...JWT });
    await make(server, 'binding-rule', { AuthMethod: 'ci', BindType: 'role', BindName: 'ops' });
    const { SecretID } = await make<{ SecretID: string }>(server, 'token', {
      Roles: [{ ID: role.ID }],
    });
    const page = await server.openAs(SecretID, 'access');
    const at = { policies: policy.ID, roles: role.ID, methods: 'ci' };
    for (const [kind, id] of Object.entries(at)) {
      await page.goto(page.url().replace(/access.*/, `access/${kind}/${id}?edit=yes&rule=new`));
      await page.getByText('Your token may only look at this.').waitFor();
      for (const name of ['Edit', 'Delete', 'Save', 'Make', 'New binding rule'])
        assert.equal(await button(page, name).count(), 0, `${kind}: ${name}`);
      await page.goto(page.url().replace(/access.*/, `access/new/${kind}`));
      await page.getByText('Your token may not do that.').waitFor();
      await page.getByText('ask somebody who has one').waitFor();
      assert.equal(await button(page, 'Make').count(), 0, kind);
    }
    await page.goto(page.url().replace(/access.*/, 'access/methods/ci'));
    await page.getByText('role ops').waitFor();
  });
});
