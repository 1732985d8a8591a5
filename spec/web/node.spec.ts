import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { barriersOn, describePage, openPage, SCREENS } from '../support/browser.ts';
import { TcpProxy } from '../support/servers/tcp-proxy.ts';
import { takeBack, told } from '../support/told.ts';
import { until } from '../support/until.ts';
import { startGuardedServer, startWebServer, type WebServer } from '../support/web-server.ts';

describePage('the page of nodes', () => {
  it('shows how each stands, with what is on it, and is live', async () => {
    const { open, register } = await startWebServer();
    await register('m1', 'pay', 'critical');
    const page = await open('nodes');
    const row = page.getByRole('row').filter({ hasText: 'm1' });
    await row.getByText('1 failing').waitFor();
    await row.getByText('no checks').waitFor();
    await page.getByText('leads').waitFor();
    await register('m1', 'pay', 'passing');
    await row.getByText('1 passing').waitFor();
  });

  it('is reached by keys, which are told', async () => {
    const { open } = await startWebServer();
    const page = await open('services');
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('n');
    await page.getByRole('heading', { name: 'Nodes' }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Go to Services').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.goBack();
    await page.getByRole('heading', { name: 'Services' }).waitFor();
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const { open, register } = await startWebServer();
      await register('m1', 'pay', 'critical');
      const page = await open('nodes', screen);
      await page.getByRole('row').filter({ hasText: 'm1' }).waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});

describePage('the page of a node', () => {
  it('shows its services, checks, sessions, metadata and history', async () => {
    const { open, register, put } = await startWebServer();
    await register('m1', 'pay', 'passing');
    await put('/v1/catalog/register', {
      Node: 'm1',
      Address: '10.0.0.1',
      NodeMeta: { rack: 'r7' },
      Check: { CheckID: 'disk', Name: 'Disk', Status: 'warning', Output: 'nearly full' },
    });
    const page = await open('nodes/m1');
    await page.getByRole('row').filter({ hasText: 'pay' }).getByText('warning').waitFor();
    await page.getByRole('tab', { name: 'Checks' }).click();
    await page.getByText('nearly full').waitFor();
    await page.getByRole('tab', { name: 'Metadata' }).click();
    await page.getByText('r7').waitFor();
    await page.getByRole('tab', { name: 'History' }).click();
    await page.getByText('disk').waitFor();
    await page.getByRole('tab', { name: 'Sessions' }).click();
    await page.getByText('No session rests on this node').waitFor();
  });

  it('says how far other nodes are, the nearest first, and how that is told where nobody knows', async () => {
    const { open, put, register } = await startWebServer();
    const place = (Node: string, x: number) =>
      put('/v1/coordinate/update', {
        Node,
        Coord: { Vec: [x, 0, 0, 0, 0, 0, 0, 0], Error: 0.5, Adjustment: 0, Height: 0.001 },
      });
    for (const name of ['m1', 'm2', 'm3', 'm4']) await register(name, 'pay', 'passing');
    const page = await open('nodes/m1?show=distances');
    await page.getByText('Nobody knows how far it is').waitFor();
    await page.getByText('/v1/coordinate/update').waitFor();
    await place('m2', 0.03);
    await place('m3', 0.01);
    await place('m1', 0);
    await page.getByText('The nearest node is 12 ms away').waitFor();
    const rows = page.getByRole('table', { name: 'Round trips' }).getByRole('row');
    assert.deepEqual(await rows.getByRole('link').allInnerTexts(), ['m3', 'm2']);
    const far = rows.filter({ hasText: 'm2' });
    await far.getByText('32 ms').waitFor();
    await far.getByRole('link').click();
    await page.getByRole('heading', { name: 'm2' }).waitFor();
  });

  it('has the part that is shown in sight among its tabs, on a small screen too', async () => {
    const { open } = await startWebServer();
    const page = await open('nodes/n1?show=distances', SCREENS.phone);
    const tab = page.getByRole('tab', { name: 'Round trips' });
    await tab.waitFor();
    await until(async () => {
      const { x, width } = (await tab.boundingBox()) ?? { x: -1, width: 0 };
      return x >= 0 && x + width <= SCREENS.phone.viewport.width;
    });
  });

  it('says what a node would have checks and metadata by, where it has none', async () => {
    const { open, put } = await startWebServer();
    await put('/v1/catalog/register', {
      Node: 'm1',
      Address: '10.0.0.1',
      Service: { Service: 'a' },
    });
    const page = await open('nodes/m1?show=checks');
    await page.getByText('/v1/agent/check/register').waitFor();
    await page.getByRole('tab', { name: 'Metadata' }).click();
    await page.getByText('node_meta').waitFor();
    await page.goto(page.url().replace(/nodes.*/, 'services/a/m1/a?show=meta'));
    await page.getByText('What meta says where it is registered').waitFor();
  });

  it('says that there is none, until there is one', async () => {
    const { open, register } = await startWebServer();
    const page = await open('nodes/nobody');
    await page.getByText('No node is called nobody').waitFor();
    await register('nobody', 'pay', 'passing');
    await page.getByRole('row').filter({ hasText: 'pay' }).waitFor();
  });

  it('invalidates a session, of which it says in words when it ends', async () => {
    const { open, put, get } = await startWebServer();
    const session = { Name: 'deploy', TTL: '90s', LockDelay: '15s' };
    await put('/v1/session/create', session);
    const page = await open('nodes/n1?show=sessions');
    const row = page.getByRole('row').filter({ hasText: 'deploy' });
    await row.getByText('1 min 30 s after a renewal').waitFor();
    await row.getByText('15 s', { exact: true }).waitFor();
    await row.getByRole('button', { name: 'Invalidate' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Invalidate' }).click();
    await page.getByText('No session rests on this node').waitFor();
    assert.deepEqual(await get('/v1/session/list'), []);
  });

  it('is put into maintenance, and out of it', async () => {
    const { open } = await startWebServer();
    const page = await open('nodes/n1');
    await page.getByRole('button', { name: 'Put into maintenance' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Put into maintenance' }).click();
    await told(page, 'n1 is in maintenance.');
    await page.getByRole('button', { name: 'End maintenance' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End maintenance' }).click();
    await told(page, 'The maintenance of n1 has ended.');
  });

  it('is put back there with the reason that somebody had given', async () => {
    const { open, put, get } = await startWebServer();
    await put('/v1/agent/maintenance?enable=true&reason=disk');
    const page = await open('nodes/n1');
    await page.getByRole('button', { name: 'End maintenance' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End maintenance' }).click();
    await takeBack(page, 'The maintenance of n1 has ended.');
    const maintained = async () => {
      const checks = await get<readonly { CheckID: string; Notes: string }[]>('/v1/health/node/n1');
      return checks.find(({ CheckID }) => CheckID === '_node_maintenance')?.Notes;
    };
    await until(async () => (await maintained()) === 'disk');
  });

  it('is put there alone, wherever a balancer leads what is asked next', async () => {
    const [one, two] = [await startWebServer(), await startWebServer(['-node=n2'])];
    const at = ({ process }: WebServer) => ({ host: '127.0.0.1', port: process.port });
    const balancer = await TcpProxy.start(at(one));
    const page = await openPage(`http://127.0.0.1:${balancer.address.port}/ui/dc1/nodes/n1`);
    await page.getByRole('button', { name: 'Put into maintenance' }).click();
    const dialog = page.getByRole('dialog');
    const confirmed = dialog.getByRole('button', { name: 'Put into maintenance' });
    await confirmed.waitFor();
    balancer.target = at(two);
    balancer.cutAll();
    await confirmed.click();
    await dialog.getByText('this agent speaks for node "n2" alone').waitFor();
    const checks = await two.get<readonly { CheckID: string }[]>('/v1/health/node/n2');
    assert.deepEqual(
      checks.map(({ CheckID }) => CheckID),
      ['serfHealth'],
    );
  });

  it('is taken out where no agent keeps it, and put back with all that was on it', async () => {
    const { open, register, put, get } = await startWebServer();
    const nodes = async () => {
      const all = await get<readonly { Node: string }[]>('/v1/catalog/nodes');
      return all.map(({ Node }) => Node);
    };
    const plain = async () => {
      const text = JSON.stringify(await get('/v1/internal/ui/node/m1'));
      return JSON.parse(text.replaceAll(/"(Create|Modify)Index":\d+/g, '"Index":0'));
    };
    await register('m1', 'pay', 'passing', { Meta: { version: '7' }, Port: 80 });
    await register('m1', 'shop', 'warning');
    await put('/v1/catalog/register', {
      Node: 'm1',
      Address: '10.0.0.1',
      ID: '11111111-1111-4111-8111-111111111111',
      NodeMeta: { rack: 'r7' },
      TaggedAddresses: { lan: '10.0.0.2' },
      Check: {
        CheckID: 'disk',
        Name: 'Disk',
        Status: 'warning',
        Output: 'full',
        Type: 'own',
        Definition: { HTTP: 'http://127.0.0.1:1/', Interval: '10s' },
      },
    });
    const before = await plain();
    const page = await open('nodes/m1');
    await page.getByRole('button', { name: 'Deregister' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Deregister' }).click();
    await page.getByText('No node is called m1').waitFor();
    assert.deepEqual(await nodes(), ['n1']);
    await takeBack(page, 'm1 is deregistered.');
    await page.getByRole('row').filter({ hasText: 'shop' }).waitFor();
    assert.deepEqual(await plain(), before);
  });

  it('is put back by nobody who does not see all that was on it, or where that is too much', async () => {
    const server = await startGuardedServer();
    const add = (Node: string, Service: string) => {
      const body = { Node, Address: '10.0.0.1', Service: { Service } };
      return server.put('/v1/catalog/register', body, 'root');
    };
    await add('m1', 'pay');
    for (let n = 0; n < 65; n++) await add('m2', `s-${n}`);
    const takesOut = async (page: Page, node: string) => {
      await page.getByRole('button', { name: 'Deregister' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Deregister' }).click();
      await told(page, `${node} is deregistered.`);
      assert.equal(await page.getByRole('button', { name: 'Undo' }).count(), 0);
    };
    const writes = 'node_prefix "" { policy = "write" }';
    await takesOut(await server.openWith(writes, 'nodes/m1'), 'm1');
    await takesOut(await server.openAs('root', 'nodes/m2'), 'm2');
  });

  it('is left as it is by whoever may only look at it, who is told so', async () => {
    const { openWith, put } = await startGuardedServer();
    const serf = { CheckID: 'serfHealth', Name: 'Serf', Status: 'critical' };
    for (const more of [{ Node: 'bare' }, { Node: 'dead', Check: serf }])
      await put('/v1/catalog/register', { Address: '10.0.0.1', ...more }, 'root');
    const page = await openWith('node_prefix "" { policy = "read" }', 'nodes');
    const writes = 'node_prefix "" { policy = "write" } operator = "write"';
    const writer = await openWith(writes, 'nodes');
    const can = { n1: 'Put into maintenance', dead: 'Force leave', bare: 'Deregister' };
    for (const [name, action] of Object.entries(can)) {
      await page.goto(page.url().replace(/nodes.*/, `nodes/${name}`));
      await page.getByText('Your token may only look at this.').waitFor();
      for (const each of Object.values(can))
        assert.equal(await page.getByRole('button', { name: each }).count(), 0, `${name}: ${each}`);
      await writer.goto(page.url());
      await writer.getByRole('button', { name: action }).waitFor();
    }
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const { open, put } = await startWebServer();
      // At the agent itself, which takes out what the catalog alone was told of its node.
      await put('/v1/agent/service/register', { Name: 'pay', Check: { TTL: '1h' } });
      await put('/v1/session/create', { Name: 'deploy' });
      const page = await open('nodes/n1', screen);
      await page.getByRole('row').filter({ hasText: 'pay' }).waitFor();
      assert.deepEqual(await barriersOn(page), []);
      await page.getByRole('tab', { name: 'Sessions' }).click();
      await page.getByRole('button', { name: 'Invalidate' }).waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});
