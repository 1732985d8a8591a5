import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { startWebServer, type WebServer } from '../support/web-server.ts';

const part = (page: Page, name: string) => page.locator('.chain .part').filter({ hasText: name });

async function withChain(server: WebServer): Promise<void> {
  const entry = (Kind: string, Name: string, more: object) =>
    server.put('/v1/config', { Kind, Name, ...more });
  await server.register('m1', 'web', 'passing');
  await entry('service-defaults', 'web', { Protocol: 'http' });
  await entry('service-defaults', 'admin', { Protocol: 'http' });
  await entry('service-resolver', 'web', {
    Subsets: { v1: { Filter: 'Service.Meta.version == 1' }, v2: {} },
    Failover: { v1: { Service: 'admin' } },
  });
  await entry('service-splitter', 'web', {
    Splits: [
      { Weight: 90, ServiceSubset: 'v1' },
      { Weight: 10, ServiceSubset: 'v2' },
    ],
  });
  const HTTP = { PathPrefix: '/admin', Methods: ['GET'] };
  await entry('service-router', 'web', {
    Routes: [{ Match: { HTTP }, Destination: { Service: 'admin' } }],
  });
}

describePage('the routing of a service', () => {
  it('is plain where nothing is said, and drawn as entries say, at once', async () => {
    const server = await startWebServer();
    await server.register('m1', 'web', 'passing');
    const page = await server.open('services/web?show=routing');
    await page.getByText('No config entry says anything of it').waitFor();
    await part(page, 'instances').waitFor();
    await withChain(server);
    await part(page, 'router').waitFor();
    await part(page, 'splitter').waitFor();
    await part(page, 'web · v2').first().waitFor();
    await page.getByText('In words').click();
    await page.getByText('router web → resolver admin: /admin…, GET').waitFor();
    await page.getByText('splitter web → resolver web · v1: 90 %').waitFor();
    await page.getByText('resolver web · v1 → instances admin: failover 1').waitFor();
    await part(page, 'splitter').focus();
    await page.keyboard.press('Enter');
    await page.getByText('"Weight": 90').waitFor();
  });

  it('goes with what is said of its calls, from either side', async () => {
    const server = await startWebServer();
    await server.register('m1', 'web', 'passing');
    const say = (from: string, to: string, Action: string) =>
      server.put(`/v1/connect/intentions/exact?source=${from}&destination=${to}`, { Action });
    const page = await server.open('services/web?show=intentions');
    await page.getByText('Nothing is said: the default decides.').first().waitFor();
    await say('shop', 'web', 'allow');
    await say('*', 'web', 'deny');
    await say('web', 'db', 'deny');
    await say('cart', 'db', 'allow');
    await page.getByRole('link', { name: 'web → db' }).waitFor();
    const links = await page.locator('.two-sides a:not(.button)').allInnerTexts();
    assert.deepEqual(links, ['shop → web', 'any service → web', 'web → db']);
    await page.locator('.two-sides .button').first().click();
    await page.getByRole('heading', { name: 'New intention' }).waitFor();
    assert.equal(await page.getByLabel('Who is called').inputValue(), 'web');
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const server = await startWebServer();
      await withChain(server);
      const page = await server.open('services/web?show=routing', screen);
      await part(page, 'router').waitFor();
      assert.deepEqual(await barriersOn(page), []);
      await page.getByRole('tab', { name: 'Intentions' }).click();
      await page.getByText('Who may call it').waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});
