import assert from 'node:assert/strict';
import { barriersOn, describePage, openPage, SCREENS } from '../support/browser.ts';
import { type Proconsul, startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';

describePage('the page of the cluster', () => {
  /** Once it says how it is: for its first five seconds nobody knows. */
  async function start(): Promise<Proconsul> {
    const server = await startProconsul(['-dev']);
    await until(async () => {
      const { json } = await send(server.port, 'GET', '/v1/operator/autopilot/state', {});
      return (json as { Leader: string }).Leader !== '';
    });
    return server;
  }

  const addressOf = ({ port }: Proconsul, query = '') =>
    `http://127.0.0.1:${port}/ui/dc1/cluster${query}`;

  it('shows each server, what part of the names it has, and the log', async () => {
    const page = await openPage(addressOf(await start()));
    await page.getByText('1 server, none may be lost').waitFor();
    const row = page.getByRole('row').filter({ hasText: 'n1' });
    for (const text of ['leads', 'well', '100 %']) await row.getByText(text).waitFor();
    await page.getByRole('img', { name: 'Shares of the lookups: n1 100 %' }).waitFor();
    await page.getByText('Takes writes').waitFor();
  });

  it('says where a name goes, which its address keeps', async () => {
    const server = await start();
    const page = await openPage(addressOf(server));
    await page.getByLabel('Where does a name go?').fill('web');
    await page.getByText('n1 is asked first').waitFor();
    assert.equal(page.url(), addressOf(server, '?name=web'));
  });

  it('says that nothing is known of a cluster that has just begun', async () => {
    const server = await startProconsul(['-dev']);
    const young = { Healthy: false, FailureTolerance: 0, Servers: {}, Leader: '' };
    const page = await openPage(`http://127.0.0.1:${server.port}/ui/`);
    await page.route('**/v1/operator/autopilot/state', (route) => route.fulfill({ json: young }));
    await page.goto(addressOf(server));
    await page.getByText('Nothing is known of the servers yet').waitFor();
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const page = await openPage(addressOf(await start(), '?name=web'), screen);
      await page.getByText('n1 is asked first').waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});
