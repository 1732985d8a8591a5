import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { describePage } from '../support/browser.ts';
import { takeBack, takesNothingBack, told, toldWithUndo } from '../support/told.ts';
import { until } from '../support/until.ts';
import { startGuardedServer, startWebServer, type WebServer } from '../support/web-server.ts';

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function does(page: Page, verb: string): Promise<void> {
  await button(page, verb).click();
  await page.getByRole('dialog').getByRole('button', { name: verb, exact: true }).click();
}

async function maintainedOn(server: WebServer, node: string): Promise<readonly string[]> {
  const checks = await server.get<readonly { CheckID: string; Notes: string }[]>(
    `/v1/health/node/${node}?filter=${encodeURIComponent('CheckID matches "maintenance"')}`,
  );
  return checks.map(({ CheckID, Notes }) => `${CheckID} ${Notes}`);
}

describePage('what no agent keeps', () => {
  it('is put into maintenance in the catalog, and out of it: a node', async () => {
    const server = await startWebServer();
    await server.register('m1', 'pay', 'passing');
    const page = await server.open('nodes/m1');
    await does(page, 'Put into maintenance');
    await told(page, 'm1 is in maintenance.');
    await page.locator('.on-node').getByText('in maintenance').waitFor();
    assert.deepEqual(await maintainedOn(server, 'm1'), ['_node_maintenance from the web page']);
    assert.deepEqual(await server.get('/v1/health/service/pay?passing'), []);
    await takeBack(page, 'm1 is in maintenance.');
    await until(async () => (await maintainedOn(server, 'm1')).length === 0);
    await does(page, 'Put into maintenance');
    await button(page, 'End maintenance').waitFor();
    await does(page, 'End maintenance');
    await takeBack(page, 'The maintenance of m1 has ended.');
    assert.deepEqual(await maintainedOn(server, 'm1'), ['_node_maintenance from the web page']);
  });

  it('is put into maintenance in the catalog, and out of it: an instance', async () => {
    const server = await startWebServer();
    await server.register('m1', 'pay', 'passing');
    await server.register('m1', 'shop', 'passing');
    const page = await server.open('services/pay/m1/pay');
    await does(page, 'Put into maintenance');
    await page.locator('.heading').getByText('in maintenance').waitFor();
    assert.deepEqual(await server.get('/v1/health/service/pay?passing'), []);
    const others = await server.get<readonly object[]>('/v1/health/service/shop?passing');
    assert.equal(others.length, 1);
    await takeBack(page, 'pay is in maintenance.');
    await button(page, 'Put into maintenance').waitFor();
    assert.deepEqual(await maintainedOn(server, 'm1'), []);
  });

  it('is in no maintenance that somebody else has begun since', async () => {
    const server = await startWebServer();
    await server.register('m1', 'pay', 'passing');
    const page = await server.open('nodes/m1');
    await does(page, 'Put into maintenance');
    await toldWithUndo(page, 'm1 is in maintenance.');
    const Check = { Node: 'm1', CheckID: '_node_maintenance', Status: 'critical', Notes: 'theirs' };
    await server.put('/v1/txn', [{ Check: { Verb: 'set', Check } }]);
    await takesNothingBack(page, 'm1 is in maintenance.');
    assert.deepEqual(await maintainedOn(server, 'm1'), ['_node_maintenance theirs']);
  });

  it('is not made anew by it once it is gone', async () => {
    const server = await startWebServer();
    await server.register('m1', 'pay', 'passing');
    const page = await server.open('nodes/m1');
    await button(page, 'Put into maintenance').click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await server.put('/v1/catalog/deregister', { Node: 'm1' });
    await dialog.getByRole('button', { name: 'Put into maintenance' }).click();
    await dialog.getByText('Missing node registration').waitFor();
    const nodes = await server.get<readonly { Node: string }[]>('/v1/catalog/nodes');
    assert.deepEqual(
      nodes.map(({ Node }) => Node),
      ['n1'],
    );
  });

  it('is in none where whoever brings it there says himself how it is', async () => {
    const server = await startWebServer();
    const Meta = { 'external-source': 'kubernetes' };
    await server.register('m1', 'pay', 'passing', { Meta });
    const page = await server.open('services/pay/m1/pay');
    await button(page, 'Deregister').waitFor();
    assert.equal(await button(page, 'Put into maintenance').count(), 0);
  });

  it('is taken out also where somebody has registered that its agent is gone, and there never was one', async () => {
    const server = await startGuardedServer();
    const Check = { CheckID: 'serfHealth', Name: 'Serf', Status: 'critical' };
    await server.put('/v1/catalog/register', { Node: 'm1', Address: '10.0.0.1', Check }, 'root');
    const writes = 'node_prefix "" { policy = "write" } service_prefix "" { policy = "write" }';
    const operator = await server.openWith(`${writes} operator = "write"`, 'nodes/m1');
    await button(operator, 'Force leave').waitFor();
    await button(operator, 'Deregister').waitFor();
    const page = await server.openWith(writes, 'nodes/m1');
    await button(page, 'Deregister').waitFor();
    assert.equal(await button(page, 'Force leave').count(), 0);
    assert.equal(await page.getByText('Your token may only look at this.').count(), 0);
    await does(page, 'Deregister');
    await takeBack(page, 'm1 is deregistered.');
    const checks = await server.get<readonly { Status: string }[]>('/v1/health/node/m1', 'root');
    assert.deepEqual(
      checks.map(({ Status }) => Status),
      ['critical'],
    );
  });
});
