import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { ACCESS_CONTROL, ROOT, startWebServer, type WebServer } from '../support/web-server.ts';

const rowOf = (page: Page, from: string, to: string) =>
  page.getByRole('row').filter({ hasText: from }).filter({ hasText: to });
const box = (page: Page, name: string) => page.locator('.graph .box').filter({ hasText: name });

const calls = ({ put }: WebServer, from: string, ...to: readonly string[]) =>
  put('/v1/catalog/register', {
    Node: 'm1',
    Address: '10.0.0.1',
    Service: {
      Kind: 'connect-proxy',
      Service: `${from}-proxy`,
      ID: `${from}-proxy`,
      Port: 21000,
      Proxy: {
        DestinationServiceName: from,
        Upstreams: to.map((name, i) => ({ DestinationName: name, LocalBindPort: 9000 + i })),
      },
    },
  });

const say = ({ put }: WebServer, from: string, to: string, Action: string, token = '') =>
  put(`/v1/connect/intentions/exact?source=${from}&destination=${to}`, { Action }, token);

describePage('the page of who calls whom', () => {
  it('says what to do where nobody calls anybody, and draws who does', async () => {
    const server = await startWebServer();
    const page = await server.open('topology');
    await page.getByText('Nobody calls anybody yet').waitFor();
    await calls(server, 'web', 'db');
    await rowOf(page, 'web', 'db').getByText('as the default says').waitFor();
    await rowOf(page, 'web', 'db').getByText('an upstream').waitFor();
    await box(page, 'web').waitFor();
    const left = async (name: string) => (await box(page, name).boundingBox())?.x ?? 0;
    assert.ok((await left('web')) < (await left('db')));
    await say(server, 'web', 'db', 'deny');
    await page.locator('.graph .line.deny').waitFor();
    await rowOf(page, 'web', 'db').getByText('denied').waitFor();
    await say(server, '*', 'cart', 'allow');
    await page.getByText('Besides, of any service:').waitFor();
    await page.getByRole('link', { name: 'any service → cart' }).waitFor();
  });

  it('leads by a line to the intention that decides, or to a new one', async () => {
    const server = await startWebServer();
    await calls(server, 'web', 'db', 'cart');
    await say(server, 'web', 'db', 'deny');
    const page = await server.open('topology');
    await rowOf(page, 'web', 'db').getByRole('link', { name: 'denied' }).click();
    await page.getByRole('heading', { name: 'web → db' }).waitFor();
    await page.goBack();
    await page.locator('.graph .line.default').first().dispatchEvent('click', { button: 0 });
    await page.getByRole('heading', { name: 'New intention' }).waitFor();
    assert.equal(await page.getByLabel('Who is called').inputValue(), 'cart');
  });

  it('shows one with those around it, by the keyboard too, at an address of its own', async () => {
    const server = await startWebServer();
    await calls(server, 'web', 'db');
    await calls(server, 'cart', 'pay');
    const page = await server.open('topology');
    await box(page, 'pay').waitFor();
    await box(page, 'web').focus();
    await page.keyboard.press('Enter');
    await box(page, 'pay').waitFor({ state: 'detached' });
    await box(page, 'db').waitFor();
    assert.equal(new URL(page.url()).searchParams.get('focus'), 'web');
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByRole('combobox', { name: 'Filter' }).fill('pay');
    await box(page, 'web').waitFor({ state: 'detached' });
    await box(page, 'cart').waitFor();
  });

  it('draws two hundred services', async () => {
    const server = await startWebServer();
    for (let i = 0; i < 40; i++) {
      const to = Array.from({ length: 4 }, (_, n) => `s${i}-${n}`);
      await calls(server, `s${i}`, ...to);
    }
    const page = await server.open('topology');
    await page.locator('.graph .box').nth(199).waitFor();
    assert.equal(await page.locator('.graph .box').count(), 200);
    await page.getByText('200 services, 160 calls').waitFor();
  });

  it('says that it is not known whether a call may be, to whoever sees no intentions', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const rules = 'service "web-proxy" { policy = "read" } node_prefix "" { policy = "read" }';
    await server.put('/v1/acl/policy', { Name: 'see', Rules: rules }, ROOT);
    const made = await server.put('/v1/acl/token', { Policies: [{ Name: 'see' }] }, ROOT);
    const page = await server.openAs(JSON.parse(made).SecretID, 'topology');
    await page
      .getByText(/may not see/)
      .first()
      .waitFor();
  });

  it('is reached by keys', async () => {
    const { open } = await startWebServer();
    const page = await open('services');
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await page.getByRole('heading', { name: 'Topology' }).waitFor();
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const server = await startWebServer();
      await server.register('m2', 'db', 'critical');
      await calls(server, 'web', 'db', 'cart');
      await say(server, 'web', 'db', 'deny');
      await say(server, 'web', 'cart', 'allow');
      await say(server, '*', '*', 'deny');
      const page = await server.open('topology?focus=web', screen);
      await rowOf(page, 'web', 'db').waitFor();
      await page.getByText('Besides, of any service:').waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});
