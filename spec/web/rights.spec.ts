import assert from 'node:assert/strict';
import type { Route } from 'playwright-core';
import { describePage } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { ACCESS_CONTROL, ROOT, startGuardedServer, startWebServer } from '../support/web-server.ts';

describePage('what a token may do', () => {
  it('is asked again where another token came before it was answered', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const reader = '22222222-2222-4222-8222-222222222222';
    await server.put('/v1/acl/token', { SecretID: reader, Description: 'reader' }, ROOT);
    const page = await server.openAs(ROOT, 'services');
    const unanswered: Route[] = [];
    const asks = (token: string) =>
      unanswered.some((route) => {
        const rights = route.request().postDataJSON() as readonly { Resource: string }[];
        const isOfAccess = rights.some((each) => each.Resource === 'acl');
        return route.request().headers()['x-consul-token'] === token && isOfAccess;
      });
    await page.route('**/v1/internal/acl/authorize', (route) => void unanswered.push(route));
    await page.goto(page.url().replace(/services.*/, 'access'));
    await page.getByText('Log in as somebody else').click();
    await until(() => asks(ROOT));
    await page.getByLabel('Secret', { exact: true }).fill(reader);
    await page.getByRole('form', { name: 'With a token' }).getByRole('button').click();
    await page.getByRole('heading', { name: 'reader' }).waitFor();
    await until(() => asks(reader));
    for (const route of unanswered) await route.abort();
  });

  it('is asked again where its rules change, and something is shown by it or no more', async () => {
    const server = await startGuardedServer();
    const rules = (policy: string) => `mesh = "read" service_prefix "" { policy = "${policy}" }`;
    const page = await server.openWith(rules('read'), 'config');
    await page.getByText('There are no config entries').waitFor();
    const entry = page.getByRole('link', { name: 'New entry' });
    assert.equal(await entry.count(), 0);
    const { ID } = await server.get<{ ID: string }>('/v1/acl/policy/name/rules-1', 'root');
    const allow = (policy: string) =>
      server.put(`/v1/acl/policy/${ID}`, { ID, Name: 'rules-1', Rules: rules(policy) }, 'root');
    await allow('write');
    await entry.waitFor();
    await allow('read');
    await entry.waitFor({ state: 'detached' });
  });
});
