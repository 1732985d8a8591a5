import { describePage } from '../support/browser.ts';
import { startWebServer } from '../support/web-server.ts';

describePage('a page that throws', () => {
  it('says so in its place, lets all others go on, and is there again once it can be', async () => {
    const { open } = await startWebServer();
    const page = await open('services', { fails: /TypeError/ });
    const overview = '**/v1/internal/overview/nodes*';
    await page.route(overview, (route) => route.fulfill({ json: [null] }));
    await page.getByRole('link', { name: 'Nodes' }).click();
    await page.getByText('This page has failed').waitFor();
    await page.getByText('TypeError: ').waitFor();
    await page.getByRole('link', { name: 'Services' }).click();
    await page.getByRole('link', { name: 'consul', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Nodes' }).click();
    await page.getByText('This page has failed').waitFor();
    await page.unroute(overview);
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('link', { name: 'n1', exact: true }).waitFor();
  });
});
