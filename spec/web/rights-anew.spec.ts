import type { Route } from 'playwright-core';
import { describePage } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { ACCESS_CONTROL, ROOT, startWebServer } from '../support/web-server.ts';

describePage('what one may, on the page', () => {
  it('is asked again where another token came before it was answered', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const Rules = 'service_prefix "" { policy = "read" }';
    await server.put('/v1/acl/policy', { Name: 'reads', Rules }, ROOT);
    const body = { Description: 'reader', Policies: [{ Name: 'reads' }] };
    const made = JSON.parse(await server.put('/v1/acl/token', body, ROOT));
    const { SecretID } = made as { readonly SecretID: string };
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
    await page.getByLabel('Secret', { exact: true }).fill(SecretID);
    await page.getByRole('form', { name: 'With a token' }).getByRole('button').click();
    await page.getByRole('heading', { name: 'reader' }).waitFor();
    await until(() => asks(SecretID));
    for (const route of unanswered) await route.abort();
  });
});
