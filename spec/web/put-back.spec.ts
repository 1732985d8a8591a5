import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { instanceOf } from '../server/eureka/instances.ts';
import { describePage } from '../support/browser.ts';
import { send } from '../support/servers/start-server.ts';
import {
  takeBack,
  takesNothingBack,
  told,
  toldWithUndo,
  triesToTakeBack,
} from '../support/told.ts';
import { until } from '../support/until.ts';
import { startGuardedServer, startWebServer, type WebServer } from '../support/web-server.ts';

const ID = '11111111-1111-4111-8111-111111111111';
const REGISTER = '/v1/catalog/register';

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

/** Of a node or an instance that no agent keeps, at its page. */
async function takesOut(page: Page): Promise<void> {
  await button(page, 'Deregister').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Deregister' }).click();
}

async function hasNoWayBack(page: Page, name: string): Promise<void> {
  await told(page, `${name} is deregistered.`);
  assert.equal(await button(page, 'Undo').count(), 0);
}

async function servicesOn(
  { get }: WebServer,
  node: string,
  token = '',
): Promise<readonly string[]> {
  const path = `/v1/catalog/node/${node}`;
  const { Services } = await get<{ Services: object }>(path, token);
  return Object.keys(Services).sort();
}

describePage('a node that is put back', () => {
  it('is none whose machine has come again under another name', async () => {
    const server = await startWebServer();
    const comes = (Node: string) => server.put(REGISTER, { Node, ID, Address: '10.0.0.1' });
    await comes('m1');
    const page = await server.open('nodes/m1');
    await takesOut(page);
    await toldWithUndo(page, 'm1 is deregistered.');
    await comes('m2');
    await takesNothingBack(page, 'm1 is deregistered.');
    const nodes = await server.get<readonly { Node: string }[]>('/v1/catalog/nodes');
    assert.deepEqual(
      nodes.map(({ Node }) => Node),
      ['m2', 'n1'],
    );
  });

  it('is where it was, and has no address where it had none', async () => {
    const server = await startWebServer();
    const Locality = { Region: 'eu', Zone: 'eu-1' };
    const Service = { Service: 'pay', Locality };
    await server.put(REGISTER, { Node: 'm1', SkipNodeUpdate: true, Locality, Service });
    const page = await server.open('nodes/m1');
    await takesOut(page);
    await takeBack(page, 'm1 is deregistered.');
    await page.getByRole('row').filter({ hasText: 'pay' }).waitFor();
    const [node] = await server.get<readonly object[]>('/v1/catalog/nodes?filter=Node==m1');
    assert.deepEqual(node, { ...node, Address: '', Locality });
    const [instance] = await server.get<readonly object[]>('/v1/catalog/service/pay');
    assert.deepEqual(instance, { ...instance, ServiceLocality: Locality });
  });

  it('is as it was at last, however long somebody has thought about it', async () => {
    const server = await startWebServer();
    await server.register('m1', 'pay', 'passing');
    const page = await server.open('nodes/m1');
    await button(page, 'Deregister').click();
    await page.getByRole('dialog').waitFor();
    await server.register('m1', 'shop', 'critical');
    await server.put('/v1/catalog/deregister', { Node: 'm1', ServiceID: 'pay' });
    await page.locator('.on-node .row').filter({ hasText: 'shop' }).waitFor();
    await page.locator('.on-node .row').filter({ hasText: 'pay' }).waitFor({ state: 'detached' });
    await page.getByRole('dialog').getByRole('button', { name: 'Deregister' }).click();
    await takeBack(page, 'm1 is deregistered.');
    await page.getByRole('row').filter({ hasText: 'shop' }).waitFor();
    assert.deepEqual(await servicesOn(server, 'm1'), ['shop']);
  });

  it('has all that it had but what is refused, which is told', async () => {
    const server = await startWebServer();
    for (const name of ['a', 'b', 'c']) await server.register('m1', name, 'passing');
    const page = await server.open('nodes/m1');
    await page.route(`**${REGISTER}`, async (route) => {
      const { Service } = route.request().postDataJSON() as { Service?: { ID: string } };
      if (Service?.ID === 'b') await route.fulfill({ status: 403, body: 'Permission denied' });
      else await route.continue();
    });
    await takesOut(page);
    await toldWithUndo(page, 'm1 is deregistered.');
    await triesToTakeBack(page, 'm1 is deregistered.');
    await told(page, 'Taken back, but 1 of 4 parts could not be. Your token may not do that.');
    assert.deepEqual(await servicesOn(server, 'm1'), ['a', 'c']);
  });

  it('is none for whoever may not write all that was on it', async () => {
    const server = await startGuardedServer();
    const rules = (service: string) =>
      `node_prefix "" { policy = "write" } service_prefix "" { policy = "${service}" }`;
    const adds = () =>
      server.put(REGISTER, { Node: 'm1', Address: '10.0.0.1', Service: { Service: 'a' } }, 'root');
    await adds();
    const reader = await server.openWith(rules('read'), 'nodes/m1');
    await takesOut(reader);
    await hasNoWayBack(reader, 'm1');
    await adds();
    const writer = await server.openWith(rules('write'), 'nodes/m1');
    await takesOut(writer);
    await takeBack(writer, 'm1 is deregistered.');
    assert.deepEqual(await servicesOn(server, 'm1', 'root'), ['a']);
  });

  it('is none of a client of Eureka, which says itself that it is there; nor is its instance', async () => {
    const server = await startWebServer(['-eureka', '-hcl=ports { eureka = -1 }']);
    const comes = async () => {
      const headers = { 'Content-Type': 'application/json' };
      const sent = { body: instanceOf('SHOP'), headers };
      const { status } = await send(server.process.port, 'POST', '/eureka/apps/SHOP', sent);
      assert.equal(status, 204);
    };
    await comes();
    const page = await server.open('nodes/h1');
    await takesOut(page);
    await hasNoWayBack(page, 'h1');
    await comes();
    await page.goto(page.url().replace('nodes/h1', 'services/shop/h1/h1%3Ashop'));
    await takesOut(page);
    await hasNoWayBack(page, 'h1:shop');
  });
});

describePage('an instance that is put back', () => {
  it('is as it was at last, however long somebody has thought about it', async () => {
    const server = await startWebServer();
    await server.register('m1', 'pay', 'passing');
    const page = await server.open('services/pay/m1/pay');
    await button(page, 'Deregister').click();
    await page.getByRole('dialog').waitFor();
    await server.register('m1', 'pay', 'critical', { Port: 81 });
    await page.locator('.heading').getByText('failing').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Deregister' }).click();
    await takeBack(page, 'pay is deregistered.');
    const [row] = await server.get<readonly { ServicePort: number }[]>('/v1/catalog/service/pay');
    assert.equal(row?.ServicePort, 81);
  });
});

describePage('a query that is put back', () => {
  it('is none that somebody has changed while one thought: it is not deleted', async () => {
    const server = await startWebServer();
    const { port } = server.process;
    const body = { Name: 'near', Service: { Service: 'web' } };
    const made = (await send(port, 'POST', '/v1/query', { body })).json as { ID: string };
    const path = `/v1/query/${made.ID}`;
    const page = await server.open(`queries/${made.ID}`);
    await button(page, 'Delete').click();
    await page.getByRole('dialog').waitFor();
    await server.put(path, { ...body, Service: { Service: 'db' } });
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Delete' }).last().click();
    await dialog.getByText('Somebody else has changed it meanwhile: nothing was done.').waitFor();
    await until(async () => (await server.get<readonly object[]>(path)).length === 1);
  });
});
