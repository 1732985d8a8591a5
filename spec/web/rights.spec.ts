import type { Route } from 'playwright-core';
import { describePage } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { ACCESS_CONTROL, ROOT, startWebServer } from '../support/web-server.ts';

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
});
