import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { describePage } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { type GuardedServer, startGuardedServer } from '../support/web-server.ts';

/** Of everything that there are pages of, something that is hidden and something that may be seen. */
async function fill({ put }: GuardedServer): Promise<void> {
  const root = (path: string, body?: object | string) => put(path, body, 'root');
  const Checks = [{ CheckID: 'node', Name: 'Disk', Status: 'passing' }];
  for (const [Node, Service] of [
    ['m1', 'web'],
    ['m1', 'pay'],
    ['m2', 'web'],
  ]) {
    const body = { Node, Address: '10.0.0.1', Service: { Service, ID: Service }, Checks };
    await root('/v1/catalog/register', body);
  }
  await root('/v1/kv/app/color', 'blue');
  await root('/v1/kv/secret/color', 'red');
  for (const Node of ['m1', 'm2']) {
    await root('/v1/session/create', { Node, Name: `of-${Node}`, NodeChecks: [] });
  }
  await root('/v1/event/fire/deploy');
  await root('/v1/event/fire/alarm');
  for (const name of ['web', 'pay']) {
    await root(`/v1/connect/intentions/exact?source=ann&destination=${name}`, { Action: 'deny' });
    await root('/v1/config', { Kind: 'service-defaults', Name: name, Protocol: 'http' });
  }
}

/** What each page says to whoever may see nothing of it. */
const NOTHING = [
  'services',
  'services/web',
  'services/web?show=intentions',
  'services/web?show=routing',
  'services/web?show=traffic',
  'services/web?show=history',
  'services/web/m1/web',
  'nodes',
  'nodes/m1',
  'kv',
  'kv?folder=app/',
  'kv?folder=app/&deep=yes',
  'kv?key=app/color',
  'sessions',
  'queries',
  'events',
  'intentions',
  'intentions/ann/web',
  'config',
  'config/service-defaults/web',
  'topology',
  'access?show=tokens',
  'access?show=policies',
  'access?show=roles',
  'access?show=methods',
  'access/policies/00000000-0000-0000-0000-000000000001',
  'access/tokens/00000000-0000-0000-0000-000000000002',
  'cluster',
] as const;

const PART = `
  service "web" { policy = "read" intentions = "read" }
  node "m1" { policy = "read" }
  key_prefix "app/" { policy = "read" }
  session "m1" { policy = "read" }
  event "deploy" { policy = "read" }
  query "web-query" { policy = "read" }`;

/** What may be seen of each, and what may not. */
const SOME = [
  ['services', 'web', 'pay'],
  ['services/web', 'm1', 'm2'],
  ['services/web?show=history', 'm1', 'm2'],
  ['nodes', 'm1', 'm2'],
  ['nodes/m1', 'web', 'pay'],
  ['nodes/m1?show=history', 'web', 'pay'],
  ['kv', 'app/', 'secret/'],
  ['kv?deep=yes', 'app/color', 'secret/color'],
  ['sessions', 'of-m1', 'of-m2'],
  ['events', 'deploy', 'alarm'],
  ['intentions', 'ann → web', 'ann → pay'],
  ['config', 'web', 'pay'],
] as const;

/** That there is none, however that is said. */
const NONE =
  /There (is|are) no |No (instance|service|node|key)s? |Nobody|is not there|not registered/;

const main = (page: Page) => page.locator('main');

describePage('what may not be seen', () => {
  it('is told from what is not there, on every page, to whoever may see nothing', async () => {
    const server = await startGuardedServer();
    await fill(server);
    const page = await server.openWith('', 'services');
    for (const address of NOTHING) {
      await page.goto(page.url().replace(/dc1\/.*/, `dc1/${address}`));
      await main(page)
        .getByText('You may not see')
        .first()
        .waitFor({ timeout: 20_000 })
        .catch(async () => assert.fail(`${address}: ${await main(page).innerText()}`));
      const said = await main(page).innerText();
      assert.doesNotMatch(said, NONE, address);
    }
  });

  it('is said to be kept back, on every page, to whoever may see a part', async () => {
    const server = await startGuardedServer();
    await fill(server);
    const page = await server.openWith(PART, 'services');
    for (const [address, seen, hidden] of SOME) {
      await page.goto(page.url().replace(/dc1\/.*/, `dc1/${address}`));
      await until(
        async () => (await main(page).innerText()).includes(seen),
        () => address,
      );
      await main(page)
        .getByText(/does not see everything|keeps something back/)
        .first()
        .waitFor({ timeout: 20_000 })
        .catch(async () => assert.fail(`${address}: ${await main(page).innerText()}`));
      const said = await main(page).innerText();
      assert.equal(said.split(/\s+/).includes(hidden), false, `${address}: ${said}`);
    }
  });

  it('is told from what is not there by whoever may see a thing, and nothing that is on it', async () => {
    const server = await startGuardedServer();
    await fill(server);
    const page = await server.openWith('node_prefix "" { policy = "read" }', 'nodes/m1');
    await main(page).getByRole('tab', { name: 'Checks' }).waitFor();
    await main(page).getByText('You may not see').waitFor();
    assert.doesNotMatch(await main(page).innerText(), NONE);
  });

  it('is not spoken of to whoever sees everything, and there is none of', async () => {
    const server = await startGuardedServer();
    const page = await server.openWith('', 'services');
    await page.evaluate(`localStorage.setItem('proconsul.token', 'root')`);
    for (const [address, said] of [
      ['kv', 'There are no keys yet'],
      ['sessions', 'There is no session'],
      ['intentions', 'There are no intentions yet'],
      ['nodes/none', 'none'],
    ] as const) {
      await page.goto(page.url().replace(/dc1\/.*/, `dc1/${address}`));
      await main(page).getByText(said).first().waitFor();
      assert.equal(await main(page).getByText('You may not see').count(), 0, address);
    }
  });
});
