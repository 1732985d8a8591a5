import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { takeBack, told } from '../support/told.ts';
import { ACCESS_CONTROL, ROOT, startWebServer, type WebServer } from '../support/web-server.ts';

const EXACT = '/v1/connect/intentions/exact';
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });
const confirm = (page: Page, name: string) =>
  page.getByRole('dialog').getByRole('button', { name, exact: true }).click();

const say = ({ put }: WebServer, from: string, to: string, body: object, token = '') =>
  put(`${EXACT}?source=${from}&destination=${to}`, body, token);

const actionOf = async ({ get }: WebServer, from: string, to: string) =>
  (await get<{ Action?: string }>(`${EXACT}?source=${from}&destination=${to}`))?.Action;

describePage('the page of intentions', () => {
  it('says what to do where there is none, and shows one once there is', async () => {
    const server = await startWebServer();
    const page = await server.open('intentions');
    await page.getByText('There are no intentions yet').waitFor();
    await page.getByText("proconsul intention create -deny '*' db").waitFor();
    await say(server, 'web', 'db', { Action: 'deny' });
    await rowOf(page, 'web → db').getByText('denied').waitFor();
    await rowOf(page, 'web → db').getByText('first: it names both').waitFor();
  });

  it('says whether one may call another, which intention decides, and when that changes', async () => {
    const server = await startWebServer();
    await say(server, '*', 'db', { Action: 'deny' });
    const page = await server.open('intentions?from=web&to=db');
    await page.getByText('web may not call db.').waitFor();
    await page.getByRole('link', { name: 'any service → db' }).first().waitFor();
    await say(server, 'web', 'db', { Action: 'allow' });

    await page.getByText('web may call db.').waitFor();
    await page.getByText('This one decides: web → db').waitFor();
    await page.getByLabel('calls this one').fill('cart');
    await page.getByText('No intention is about it: the default decides.').waitFor();
    assert.equal(new URL(page.url()).searchParams.get('to'), 'cart');
  });

  it("filters by Consul's language", async () => {
    const server = await startWebServer();
    await say(server, 'web', 'db', { Action: 'deny' });
    await say(server, 'web', 'cart', { Action: 'allow' });
    const page = await server.open('intentions');
    await rowOf(page, 'web → cart').waitFor();
    await page.getByRole('combobox', { name: 'Filter' }).fill('DestinationName == "db"');
    await rowOf(page, 'web → cart').waitFor({ state: 'detached' });
    await rowOf(page, 'web → db').waitFor();
  });

  it('makes one, overwrites none that is there, and takes it back', async () => {
    const server = await startWebServer();
    await say(server, 'web', 'db', { Action: 'deny' });
    const page = await server.open('intentions/new?source=web&destination=db');
    await page.getByText('The same as a command').click();
    await page.getByText('proconsul intention create -file -').waitFor();
    await button(page, 'Save').click();
    await page.getByText('duplicate intention found').waitFor();
    assert.equal(await actionOf(server, 'web', 'db'), 'deny');
    await page.getByLabel('Who is called').fill('cart');
    await button(page, 'Save').click();
    await page.getByRole('heading', { name: 'web → cart' }).waitFor();
    assert.equal(await actionOf(server, 'web', 'cart'), 'allow');
    await takeBack(page, 'What is said of web and cart is saved.');
    await page.getByText('There is no such intention').waitFor();
  });

  it('is changed to requests, said in words, and deleted with a way back', async () => {
    const server = await startWebServer();
    await server.put('/v1/config', { Kind: 'service-defaults', Name: 'db', Protocol: 'http' });
    await say(server, 'web', 'db', { Action: 'deny', Description: 'for now', Meta: { by: 'ann' } });
    const page = await server.open('intentions/web/db');
    await page.getByText('for now').waitFor();
    await button(page, 'Edit').click();
    await page.getByLabel('Decision').selectOption('by request');
    await page.getByLabel('Requests').fill('[]');
    await page.getByText('This is no JSON list with something in it.').waitFor();
    const header = { Name: 'x-user', Exact: 'ann', Invert: true };
    const HTTP = { PathPrefix: '/admin', Methods: ['GET', 'PUT'], Header: [header] };
    await page.getByLabel('Requests').fill(JSON.stringify([{ Action: 'deny', HTTP }]));
    await button(page, 'Save').click();
    await told(page, 'What is said of web and db is saved.');
    await page
      .getByText(
        'paths that begin with /admin, by GET, PUT, not with the header x-user (Exact: ann)',
      )
      .waitFor();
    await page.getByText('by', { exact: true }).waitFor();
    await button(page, 'Delete').click();
    await confirm(page, 'Delete the intention');
    await page.getByText('There are no intentions yet').waitFor();
    await takeBack(page, 'What was said of web and db is deleted.');
    await rowOf(page, 'web → db').getByText('by request').waitFor();
  });

  it('offers nothing to whoever may not, and says whose intentions he may not write', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const rules = 'service_prefix "" { policy = "read" intentions = "read" }';
    await server.put('/v1/acl/policy', { Name: 'see', Rules: rules }, ROOT);
    const body = { Policies: [{ Name: 'see' }] };
    const { SecretID } = JSON.parse(await server.put('/v1/acl/token', body, ROOT));
    await say(server, 'web', 'db', { Action: 'deny' }, ROOT);
    const page = await server.openAs(SecretID, 'intentions');
    await page.getByRole('link', { name: 'web → db' }).click();
    await page.getByText('denied').waitFor();
    assert.equal(await button(page, 'Edit').count(), 0);
    assert.equal(await button(page, 'Delete').count(), 0);
    await page.goto(page.url().replace('web/db', 'new?source=web&destination=cart'));
    await page.getByText('Your token may not write intentions of cart.').waitFor();
    assert.equal(await button(page, 'Save').isEnabled(), false);
  });

  it('says that one may not see, which is not that there is none', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const rules = 'service_prefix "" { policy = "read" intentions = "deny" }';
    await server.put('/v1/acl/policy', { Name: 'blind', Rules: rules }, ROOT);
    const body = { Policies: [{ Name: 'blind' }] };
    const { SecretID } = JSON.parse(await server.put('/v1/acl/token', body, ROOT));
    await say(server, 'web', 'db', { Action: 'deny' }, ROOT);
    const page = await server.openAs(SecretID, 'intentions/web/db');
    await page.getByText('You may not see this').waitFor();
    await page.goto(page.url().replace('/web/db', '?from=web&to=db'));
    await page.getByText('You may not see all intentions').waitFor();
  });

  it('is reached by keys', async () => {
    const { open } = await startWebServer();
    const page = await open('services');
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('i');
    await page.getByRole('heading', { name: 'Intentions', exact: true }).waitFor();
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const server = await startWebServer();
      await say(server, 'web', 'db', { Action: 'deny' });
      await say(server, '*', 'db', { Action: 'allow' });
      const page = await server.open('intentions?from=web&to=db', screen);
      await page.getByText('web may not call db.').waitFor();
      await rowOf(page, 'web → db').waitFor();
      assert.deepEqual(await barriersOn(page), []);
      await page.goto(page.url().replace(/intentions.*/, 'intentions/web/db?edit=yes'));
      await button(page, 'Save').waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});
