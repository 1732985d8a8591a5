import assert from 'node:assert/strict';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { takeBack } from '../support/told.ts';
import { startGuardedServer, startWebServer, type WebServer } from '../support/web-server.ts';

describePage('the pages of prepared queries', () => {
  const WEB = {
    Name: 'web',
    Service: { Service: 'web', OnlyPassing: true, Tags: ['v2', '!old'], Failover: { NearestN: 2 } },
    DNS: { TTL: '10s' },
  };
  const ANY = {
    Name: '',
    Template: { Type: 'name_prefix_match' },
    Service: { Service: `\${name.full}`, Near: '_agent' },
  };
  async function make({ put, process }: WebServer, body: object, token = ''): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${process.port}/v1/query`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'X-Consul-Token': token },
    });
    assert.equal(response.status, 200);
    assert.ok(put);
    return ((await response.json()) as { ID: string }).ID;
  }

  it('show what each looks for, and are live', async () => {
    const server = await startWebServer();
    const page = await server.open('services');
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('q');
    await page.getByText('There is no prepared query').waitFor();
    const id = await make(server, WEB);
    const row = page.getByRole('row').filter({ hasText: 'web' });
    await row.getByText('only passing, with v2, without old').waitFor();
    await row.getByText('the 2 nearest data centers').waitFor();
    await server.put(`/v1/query/${id}`, { ...WEB, Service: { Service: 'web' } });
    await row.getByText('all of its instances').waitFor();
    await row.getByRole('link', { name: 'web' }).first().click();
    await page.getByText('Definition').waitFor();
  });

  it('try one out: what it finds by now, and of a template what it comes to', async () => {
    const server = await startWebServer();
    await server.register('m1', 'web', 'passing', { Tags: ['v2'], Port: 80 });
    await server.register('m2', 'web', 'critical', { Tags: ['v2'], Port: 80 });
    const page = await server.open(`queries/${await make(server, WEB)}`);
    await page.getByRole('button', { name: 'Run it' }).click();
    await page.getByText('1 instance of web').waitFor();
    await page.getByRole('row').filter({ hasText: 'm1' }).getByText('10.0.0.1:80').waitFor();
    await page.getByText('dig web.query.consul').waitFor({ state: 'attached' });
    await page.getByRole('row').filter({ hasText: 'm1' }).getByText('passing').waitFor();
    const any = await server.open(`queries/${await make(server, ANY)}`);
    await any.getByLabel('A name to try').fill('nobody');
    await any.getByRole('button', { name: 'Run it' }).click();
    await any.getByText('It finds no instance of nobody.').waitFor();
    await any.getByRole('link', { name: 'nobody' }).waitFor();
  });

  it('try one out that finds an instance without checks', async () => {
    const server = await startWebServer();
    const Service = { Service: 'web', Tags: ['v2'], Port: 80 };
    await server.put('/v1/catalog/register', { Node: 'm3', Address: '10.0.0.3', Service });
    const page = await server.open(`queries/${await make(server, WEB)}`);
    await page.getByRole('button', { name: 'Run it' }).click();
    await page.getByRole('row').filter({ hasText: 'm3' }).getByText('passing').waitFor();
  });

  it('delete one, and make it again', async () => {
    const server = await startWebServer();
    const page = await server.open(`queries/${await make(server, WEB)}`);
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByText('Undo makes it again').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('There is no such query').waitFor();
    await takeBack(page, 'web is deleted.');
    const [again] = await server.get<{ Name: string }[]>('/v1/query');
    assert.equal(again?.Name, 'web');
  });

  it('let only look who may not write, and say what may not be seen', async () => {
    const server = await startGuardedServer();
    const id = await make(server, WEB, 'root');
    const none = await server.openWith('service_prefix "" { policy = "read" }', 'queries');
    await none.getByText('You may not see this').waitFor();
    const refused = await server.openWith('service_prefix "" { policy = "read" }', `queries/${id}`);
    await refused.getByText('You may not see this').waitFor();
    const read = 'query "web" { policy = "read" }';
    const page = await server.openWith(read, `queries/${id}`);
    await page.getByText('Definition').waitFor();
    await page.getByRole('button', { name: 'Run it' }).click();
    await page.getByText('It finds no instance of web.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Delete' }).count(), 0);
    assert.equal(await page.getByText('-X PUT').count(), 0);
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`put up no barrier: ${name}`, async () => {
      const server = await startWebServer();
      await server.register('m1', 'web', 'passing', { Tags: ['v2'] });
      const id = await make(server, WEB);
      await make(server, ANY);
      const page = await server.open('queries', screen);
      await page.getByText('for every name').waitFor();
      assert.deepEqual(await barriersOn(page), []);
      const one = await server.open(`queries/${id}`, screen);
      await one.getByRole('button', { name: 'Run it' }).click();
      await one.getByText('1 instance of web').waitFor();
      assert.deepEqual(await barriersOn(one), []);
    });
  }
});
