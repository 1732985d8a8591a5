import assert from 'node:assert/strict';
import type { LogState } from '../../lib/answers.ts';
import { barriersOn, describePage, openPage, SCREENS } from '../support/browser.ts';
import { type Proconsul, startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { slashLeadsTo } from '../support/slash.ts';
import { until } from '../support/until.ts';

const find = { Time: '2026-01-01T00:00:00.000Z', Address: '10.0.0.9:6379' };
/** What no spec brings about: a real Redis is in cluster-redis.spec.ts. */
const OF_REDIS: LogState = {
  ...{ Node: 's1', Kind: 'redis', Sealed: true, Writable: true, LastContact: '3ms' },
  ...{ Index: 41, Epoch: 8, ServersInTouch: 3, ServersNeeded: 2 },
  Redis: {
    ...{ Address: '10.0.0.9:6379', Version: '7.0.15', Commit: 'quorum', AppendOnly: true },
    State: {
      ...{ Up: '1h0m1s', UsedBytes: 1500, MostBytes: 2_000_000, Saved: true },
      Replicas: [
        { Address: '10.0.0.8:6379', Online: true, BehindBytes: 7, LastContact: '1s' },
        { Address: '10.0.0.7:6379', Online: false, BehindBytes: 0, LastContact: '9s' },
      ],
    },
    Finds: [
      { ...find, Epoch: 8, EpochBefore: 7, Away: '1.2s', PutBack: 2, Lost: 1 },
      { ...find, Epoch: 7, EpochBefore: 7, Away: '12s', PutBack: 0, Lost: 0 },
    ],
  },
};

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
    await page.getByText('in memory: it is gone with the process').waitFor();
    await page.getByText('Differed at the last comparison').waitFor();
  });

  it('says where a name goes, which its address keeps', async () => {
    const server = await start();
    const page = await openPage(addressOf(server));
    const name = page.getByLabel('Where does a name go?');
    await name.waitFor();
    await slashLeadsTo(page, name);
    await page.keyboard.type('web');
    await page.getByText('n1 is asked first').waitFor();
    assert.equal(page.url(), addressOf(server, '?name=web'));
  });

  it('is reached by keys, as others are from it', async () => {
    const page = await openPage(addressOf(await start()).replace('cluster', 'services'));
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    const leads = { c: 'Cluster', k: 'Key/Value', s: 'Services' };
    for (const [key, name] of Object.entries(leads)) {
      await page.keyboard.press('g');
      await page.keyboard.press(key);
      await page.getByRole('heading', { name, exact: true }).waitFor();
    }
  });

  it('says what a Redis lacks, and that what was found came to a loss', async () => {
    const page = await openPage(`http://127.0.0.1:${(await start()).port}/ui/`);
    await page.route('**/v1/operator/log?*', (route) => route.fulfill({ json: OF_REDIS }));
    await page.goto(page.url().replace('services', 'cluster'));
    for (const text of ['3, of which a write needs 2', 'lacks 7 B', 'not in touch'])
      await page.getByText(text).waitFor();
    await page.getByText('once most servers have applied it').waitFor();
    const finds = page.getByRole('table', { name: 'What became of Redis' }).getByRole('row');
    const lost = finds.filter({ hasText: 'repaired, with a loss' });
    for (const text of ['2 entries', '1 entry', '7 → 8', '1 s'])
      await lost.getByText(text).waitFor();
    await finds.filter({ hasText: 'connection back, nothing lost' }).getByText('12 s').waitFor();
    assert.deepEqual(await barriersOn(page), []);
  });

  it('shows what the servers tell of themselves as it changes, and asks for nothing meanwhile', async () => {
    const server = await start();
    const page = await openPage(addressOf(server));
    await page.getByText('1 server, none may be lost').waitFor();
    await page.getByText('Takes writes').waitFor();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    const row = page.getByRole('row').filter({ hasText: 'n1' });
    let applied = await row.textContent();
    for (let i = 0; i < 3; i++) {
      await send(server.port, 'PUT', '/v1/kv/a', { body: `${i}` });
      await until(async () => (await row.textContent()) !== applied);
      applied = await row.textContent();
    }
    assert.deepEqual(asked, []);
  });

  it('says that nothing is known of a cluster that has just begun', async () => {
    const server = await startProconsul(['-dev']);
    const young = { Healthy: false, FailureTolerance: 0, Servers: {}, Leader: '' };
    const page = await openPage(`http://127.0.0.1:${server.port}/ui/`);
    await page.route('**/v1/operator/autopilot/state?*', (route) => route.fulfill({ json: young }));
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
