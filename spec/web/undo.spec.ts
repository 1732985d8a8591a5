import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { describePage } from '../support/browser.ts';
import { send } from '../support/servers/start-server.ts';
import { takeBack, takesNothingBack, toldWithUndo } from '../support/told.ts';
import { until } from '../support/until.ts';
import { ACCESS_CONTROL, ROOT, startWebServer, type WebServer } from '../support/web-server.ts';

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const confirm = (page: Page, name: string) =>
  page.getByRole('dialog').getByRole('button', { name, exact: true }).click();

/** As if somebody went there by a link, which loads nothing anew. */
async function goTo(page: Page, address: string): Promise<void> {
  await page.evaluate(
    `history.pushState(null, '', ${JSON.stringify(address)}); dispatchEvent(new PopStateEvent('popstate'))`,
  );
}

describePage('what is taken back', () => {
  const RULES = 'service_prefix "" { policy = "read" }';
  const says = async ({ process }: WebServer, key: string) =>
    (await send(process.port, 'GET', `/v1/kv/${key}?raw`, {})).text;
  const write = async (page: Page, text: string) => {
    await page.getByRole('textbox', { name: 'Value' }).fill(text);
    await button(page, 'Save').click();
    await toldWithUndo(page, 'is written.');
  };

  it('is what a key said, with all that is beside it, and a new key is none again', async () => {
    const server = await startWebServer();
    await server.put('/v1/kv/color?flags=7', 'blue\r\n');
    const page = await server.open('kv?key=color');
    await write(page, 'green\n');
    await takeBack(page, 'color is written.');
    assert.equal(await says(server, 'color'), 'blue\r\n');
    const [row] = await server.get<{ Flags: number }[]>('/v1/kv/color');
    assert.equal(row?.Flags, 7);
    await goTo(page, '/ui/dc1/kv?key=new');
    await page.getByRole('region', { name: 'new' }).waitFor();
    await write(page, 'x');
    await takeBack(page, 'new is written.');
    assert.equal(await says(server, 'new'), '');
  });

  it('is no key that somebody has written since', async () => {
    const server = await startWebServer();
    await server.put('/v1/kv/color', 'blue');
    const page = await server.open('kv?key=color');
    await write(page, 'green');
    await server.put('/v1/kv/color', 'theirs');
    await takesNothingBack(page, 'color is written.');
    await server.put('/v1/kv/gone', 'blue');
    await goTo(page, '/ui/dc1/kv?key=gone');
    await page.getByRole('region', { name: 'gone' }).waitFor();
    await button(page, 'Delete').click();
    await confirm(page, 'Delete');
    await toldWithUndo(page, 'gone is deleted.');
    await server.put('/v1/kv/gone', 'theirs');
    await takesNothingBack(page, 'gone is deleted.');
    assert.equal(await says(server, 'color'), 'theirs');
    assert.equal(await says(server, 'gone'), 'theirs');
  });

  it('is no revision of a key that somebody has written since', async () => {
    const server = await startWebServer();
    await server.put('/v1/operator/kv-revisions', { Prefixes: ['color'] });
    for (const value of ['one', 'two']) await server.put('/v1/kv/color', value);
    const page = await server.open('kv?key=color');
    await page.getByText('What it said before').click();
    await button(page, 'Roll back to this').first().click();
    await confirm(page, 'Roll back to this');
    await toldWithUndo(page, 'color says again what it said.');
    assert.equal(await says(server, 'color'), 'one');
    await server.put('/v1/kv/color', 'theirs');
    await takesNothingBack(page, 'color says again what it said.');
    assert.equal(await says(server, 'color'), 'theirs');
  });

  it('is a roll back to where there was no key, which is offered where there is one alone', async () => {
    const server = await startWebServer();
    await server.put('/v1/operator/kv-revisions', { Prefixes: ['color'] });
    await server.put('/v1/kv/color', 'one');
    await server.delete('/v1/kv/color');
    await server.put('/v1/kv/color?flags=7', 'two');
    const page = await server.open('kv?key=color');
    await page.getByText('What it said before').click();
    const deleted = page.getByRole('listitem').filter({ hasText: 'deleted' });
    await button(page, 'Roll back to this').first().waitFor();
    await deleted.getByRole('button', { name: 'Roll back to this' }).click();
    await confirm(page, 'Roll back to this');
    await toldWithUndo(page, 'color says again what it said.');
    assert.equal(await says(server, 'color'), '');
    await deleted.nth(1).waitFor();
    await until(
      async () => (await deleted.getByRole('button', { name: 'Roll back to this' }).count()) === 0,
    );
    await takeBack(page, 'color says again what it said.');
    const [row] = await server.get<{ Value: string; Flags: number }[]>('/v1/kv/color');
    assert.deepEqual([row?.Value, row?.Flags], [btoa('two'), 7]);
  });

  it('is no intention that somebody has written since, changed or deleted', async () => {
    const server = await startWebServer();
    const exact = '/v1/connect/intentions/exact?source=web&destination=db';
    const told = async () => (await server.get<{ Description: string }>(exact)).Description;
    await server.put(exact, { Action: 'deny', Description: 'first' });
    const page = await server.open('intentions/web/db?edit=yes');
    await page.getByLabel('Decision').selectOption('allowed');
    await button(page, 'Save').click();
    await toldWithUndo(page, 'What is said of web and db is saved.');
    await server.put(exact, { Action: 'allow', Description: 'theirs' });
    await takesNothingBack(page, 'What is said of web and db is saved.');
    assert.equal(await told(), 'theirs');
    await button(page, 'Delete').click();
    await confirm(page, 'Delete the intention');
    await toldWithUndo(page, 'What was said of web and db is deleted.');
    await server.put(exact, { Action: 'allow', Description: 'again' });
    await takesNothingBack(page, 'What was said of web and db is deleted.');
    assert.equal(await told(), 'again');
  });

  it('is no policy, role, token or method that somebody has written since', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const made = async (path: string, body: object) =>
      JSON.parse(await server.put(path, body, ROOT)) as { ID: string; AccessorID: string };
    const policy = await made('/v1/acl/policy', { Name: 'readers', Rules: RULES });
    const role = await made('/v1/acl/role', { Name: 'ops', Policies: [{ Name: 'readers' }] });
    const token = await made('/v1/acl/token', { Policies: [{ Name: 'readers' }] });
    const things = [
      ['policies', policy.ID, `/v1/acl/policy/${policy.ID}`, { ID: policy.ID, Name: 'readers' }],
      ['roles', role.ID, `/v1/acl/role/${role.ID}`, { ID: role.ID, Name: 'ops' }],
      ['tokens', token.AccessorID, `/v1/acl/token/${token.AccessorID}`, {}],
    ] as const;
    const page = await server.openAs(ROOT, 'access');
    for (const [kind, id, path, body] of things) {
      await page.goto(page.url().replace(/access.*/, `access/${kind}/${id}?edit=yes`));
      await page.getByLabel('Description').fill('mine');
      await button(page, 'Save').click();
      await toldWithUndo(page, 'is saved.');
      await server.put(path, { ...body, Description: 'theirs' }, ROOT);
      await takesNothingBack(page, 'is saved.');
      const { Description } = await server.get<{ Description: string }>(path, ROOT);
      assert.equal(Description, 'theirs', kind);
    }
  });

  it('is lost of nobody who wrote a moment before, where the API has no condition', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const policy = { Name: 'readers', Rules: RULES };
    const { ID } = JSON.parse(await server.put('/v1/acl/policy', policy, ROOT)) as { ID: string };
    const path = `/v1/acl/policy/${ID}`;
    const page = await server.openAs(ROOT, 'access');
    // What somebody else writes is not told to the page.
    await page.route(`**${path}?index=*`, () => undefined);
    await page.goto(page.url().replace(/access.*/, `access/policies/${ID}?edit=yes`));
    await page.getByLabel('Description').fill('mine');
    const theirs = { ID, ...policy, Description: 'theirs' };
    await server.put(path, theirs, ROOT);
    await button(page, 'Save').click();
    await page.getByText('Somebody else has changed it meanwhile: nothing was done.').waitFor();
    const told = async () => await server.get<{ Description: string }>(path, ROOT);
    assert.equal((await told()).Description, 'theirs');
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  it('is no maintenance that somebody has begun since', async () => {
    const server = await startWebServer();
    await server.put('/v1/agent/service/register', { Name: 'pay' });
    const page = await server.open('services/pay/n1/pay');
    await button(page, 'Put into maintenance').click();
    await confirm(page, 'Put into maintenance');
    await toldWithUndo(page, 'pay is in maintenance.');
    await server.put('/v1/agent/service/maintenance/pay?enable=false');
    await server.put('/v1/agent/service/maintenance/pay?enable=true&reason=theirs');
    await takesNothingBack(page, 'pay is in maintenance.');
    const checks = await server.get<Record<string, { Notes: string }>>('/v1/agent/checks');
    assert.deepEqual(
      Object.values(checks).map(({ Notes }) => Notes),
      ['theirs'],
    );
  });

  it('is no instance that somebody has registered again since', async () => {
    const server = await startWebServer();
    await server.register('m1', 'pay', 'passing', { Port: 80 });
    const page = await server.open('services/pay/m1/pay');
    await button(page, 'Deregister').click();
    await confirm(page, 'Deregister');
    await toldWithUndo(page, 'pay is deregistered.');
    await server.register('m1', 'pay', 'passing', { Port: 99 });
    await takesNothingBack(page, 'pay is deregistered.');
    const [entry] = await server.get<{ ServicePort: number }[]>('/v1/catalog/service/pay');
    assert.equal(entry?.ServicePort, 99);
  });

  it('is an instance with each number as it was', async () => {
    const server = await startWebServer();
    const LARGE = '9007199254740993';
    const proxy = `"Kind": "connect-proxy", "Proxy": {"DestinationServiceName": "pay", "Config": {"n": ${LARGE}}}`;
    await server.put(
      '/v1/catalog/register',
      `{"Node": "m1", "Address": "10.0.0.1", "Service": {"Service": "p", "Port": 80, ${proxy}}}`,
    );
    const said = async () => {
      const { text } = await send(server.process.port, 'GET', '/v1/catalog/service/p', {});
      return /"n": ?(\d+)/.exec(text)?.[1];
    };
    assert.equal(await said(), LARGE);
    const page = await server.open('services/p/m1/p');
    await button(page, 'Deregister').click();
    await confirm(page, 'Deregister');
    await toldWithUndo(page, 'p is deregistered.');
    assert.equal(await said(), undefined);
    await takeBack(page, 'p is deregistered.');
    assert.equal(await said(), LARGE);
  });

  it('is what was done in the data centre where it was done, wherever one is by then', async () => {
    const server = await startWebServer();
    await server.put('/v1/kv/color', 'blue');
    const page = await server.open('kv?key=color');
    await button(page, 'Delete').click();
    await confirm(page, 'Delete');
    await toldWithUndo(page, 'color is deleted.');
    await goTo(page, '/ui/dc2/kv');
    await page.getByText('No path to datacenter').first().waitFor();
    await takeBack(page, 'color is deleted.');
    assert.equal(await says(server, 'color'), 'blue');
  });

  it('is asked about no more once somebody has gone back', async () => {
    const server = await startWebServer();
    await server.register('m1', 'pay', 'passing');
    const page = await server.open('services');
    await page.getByRole('link', { name: 'pay' }).click();
    await page.getByRole('link', { name: 'pay', exact: true }).last().click();
    await button(page, 'Deregister').click();
    await page.getByRole('dialog').waitFor();
    await page.goBack();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });
});
