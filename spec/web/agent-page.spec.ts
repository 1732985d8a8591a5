/** The page as an agent serves it that has no server: all that it asks goes on to one. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describePage } from '../support/browser.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { told } from '../support/told.ts';
import { until } from '../support/until.ts';
import { ACCESS_CONTROL, startWebServer } from '../support/web-server.ts';
import { eachPart, openAsRoot, patterns, shown, startWebWorld } from '../support/web-world.ts';

/** Of all pages, one after the other, on a machine that may be busy. */
const TIMEOUT_MS = 600_000;

describePage('the page at an agent', () => {
  let folder: string;
  let places: { readonly server: readonly string[]; readonly agent: string };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'proconsul-page-'));
    const [rpc, lan] = await freePorts(2);
    places = {
      server: [`-server-port=${rpc}`, `-serf-lan-port=${lan}`],
      agent: `-retry-join=127.0.0.1:${lan}`,
    };
  });

  afterEach(async () => {
    await killProconsuls();
    await rm(folder, { recursive: true, force: true });
  });

  const startAgent = (...args: readonly string[]): Promise<Proconsul> =>
    startProconsul([`-data-dir=${folder}`, '-node=a1', places.agent, ...args]);

  it('shows each page, at the path that ui_config says', async () => {
    const { examples } = await startWebWorld(places.server);
    const { port } = await startAgent(
      ACCESS_CONTROL,
      '-hcl=ui_config { enabled = true content_path = "/at/" }',
    );
    for (const pattern of patterns()) {
      const page = await openAsRoot(port, examples[pattern] ?? '', { base: '/at/' });
      await shown(page);
      await eachPart(page, async (part) => {
        const lost = await page.locator('main > [role=status]').first().innerText();
        assert.equal(lost, '', `${pattern} ${part}`);
      });
      assert.equal(new URL(page.url()).pathname.startsWith('/at/dc1/'), true);
      await page.context().close();
    }
    const root = await send(port, 'GET', '/', {});
    assert.equal(root.headers.location, '/at/');
    assert.notEqual((await send(port, 'GET', '/ui/', {})).status, 200);
  }).timeout(TIMEOUT_MS);

  it('says which server it was told by of the log, and how its own node differs', async () => {
    await startWebWorld([...places.server, '-node=s1']);
    const { port } = await startAgent(ACCESS_CONTROL, '-ui');
    const page = await openAsRoot(port, 'cluster');
    await page.getByText('As s1 sees it').waitFor();
    await page.getByText('Differed at the last comparison').waitFor();
  });

  it('is where an agent that was killed is taken out', async () => {
    const server = await startWebServer([...places.server, '-node=s1']);
    const agent = await startAgent();
    const page = await server.open('nodes/a1');
    await page.getByRole('button', { name: 'Put into maintenance' }).waitFor();
    await agent.kill();
    await page.getByRole('button', { name: 'Force leave' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('proconsul force-leave a1').waitFor({ state: 'attached' });
    await dialog.getByRole('button', { name: 'Force leave' }).click();
    await told(page, 'a1 has left.');
    await page.getByText('No node is called a1').waitFor();
    const nodes = await server.get<readonly { Node: string }[]>('/v1/catalog/nodes');
    assert.deepEqual(
      nodes.map(({ Node }) => Node),
      ['s1'],
    );
  });

  it('is not there where ui_config says so', async () => {
    await startWebServer(places.server);
    const { port } = await startAgent('-hcl=ui_config { enabled = false }');
    for (const path of ['/ui', '/ui/', '/ui/dc1/services'])
      assert.equal((await send(port, 'GET', path, {})).status, 404, path);
  });

  it('says that no server can be reached, keeps what it has shown, and comes back by itself', async () => {
    const first = await startWebServer(places.server);
    await first.register('m1', 'pay', 'passing');
    const { port } = await startAgent('-ui');
    const page = await openAsRoot(port, 'services');
    const row = (name: string) => page.getByRole('row').filter({ hasText: name });
    await row('pay').waitFor();
    await first.process.kill();
    await page.getByText('It is tried again by itself').waitFor();
    await row('pay').waitFor();
    const next = await startWebServer(places.server);
    await next.register('m1', 'shop', 'passing');
    await row('shop').waitFor();
    await until(async () => (await page.locator('main > [role=status]').innerText()) === '');
    await next.register('m1', 'cart', 'passing');
    await row('cart').waitFor();
  });
});
