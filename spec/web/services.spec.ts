import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { instanceOf } from '../server/eureka/instances.ts';
import { barriersOn, describePage, openPage, SCREENS } from '../support/browser.ts';
import { send } from '../support/servers/start-server.ts';
import { slashLeadsTo } from '../support/slash.ts';
import { until } from '../support/until.ts';
import { startWebServer } from '../support/web-server.ts';

/** Its clients are answered where everybody is. */
const EUREKA = ['-eureka', '-hcl=ports { eureka = -1 }'];
/** As web/ui/filter-box.tsx has it. */
const CALM_MS = 200;
const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });

describePage('the page of services', () => {
  it('says how many instances fail, and is live', async () => {
    const { process, register } = await startWebServer();
    await register('m1', 'pay', 'passing');
    await register('m2', 'pay', 'critical');
    const page = await openPage(`http://127.0.0.1:${process.port}/`);
    await rowOf(page, 'pay').getByText('1 of 2 failing').waitFor();
    await rowOf(page, 'pay').getByRole('time').waitFor();
    assert.equal(new URL(page.url()).pathname, '/ui/dc1/services');
    assert.equal(await page.title(), 'Services · dc1 · Proconsul');
    await register('m2', 'pay', 'passing');
    await rowOf(page, 'pay').getByText('all 2 passing').waitFor();
    await register('m3', 'shop', 'warning');
    await rowOf(page, 'shop').getByText('1 warning').waitFor();
  });

  it('says of what kind a service is, and where it comes from', async () => {
    const { open, process, register } = await startWebServer(EUREKA);
    const headers = { 'Content-Type': 'application/json' };
    const sent = { body: instanceOf('SHOP'), headers };
    await send(process.port, 'POST', '/eureka/apps/SHOP', sent);
    await register('m1', 'pay', 'passing', { Meta: { 'external-source': 'kubernetes' } });
    await register('m1', 'pay-proxy', 'passing', {
      ...{ Kind: 'connect-proxy', Port: 1 },
      Proxy: { DestinationServiceName: 'pay' },
    });
    await register('m1', 'door', 'passing', { Kind: 'ingress-gateway', Port: 2 });
    await register('m1', 'box', 'passing', { Meta: { 'proconsul-source': 'docker' } });
    const page = await open('services');
    const said = {
      shop: ['eureka'],
      box: ['docker'],
      door: ['ingress gateway'],
      'pay-proxy': ['sidecar proxy'],
    };
    for (const [name, texts] of Object.entries(said))
      for (const text of texts) await rowOf(page, name).getByText(text, { exact: true }).waitFor();
    const pay = page
      .getByRole('row')
      .filter({ has: page.getByRole('link', { name: 'pay', exact: true }) });
    for (const text of ['kubernetes', 'in the mesh'])
      await pay.getByText(text, { exact: true }).waitFor();
    await page.getByRole('combobox', { name: 'Filter' }).fill('eureka');
    await rowOf(page, 'box').waitFor({ state: 'detached' });
    await rowOf(page, 'shop').waitFor();
  });

  it('says a time in words, and exactly where the pointer rests', async () => {
    const { open, register } = await startWebServer();
    await register('m1', 'pay', 'critical');
    const page = await open('services');
    const since = rowOf(page, 'pay').getByRole('time');
    await since.waitFor();
    const at = Date.parse((await since.getAttribute('datetime')) ?? '');
    const exact = await page.evaluate(
      `new Date(${at}).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'long' })`,
    );
    assert.equal(await since.getAttribute('title'), exact);
    assert.notEqual(await since.innerText(), exact);
  });

  it('shows a name with half a character, which a server of before may have', async () => {
    const { process, register } = await startWebServer();
    await register('m1', 'pay', 'passing');
    const page = await openPage(`http://127.0.0.1:${process.port}/ui/dc1/nodes`);
    await page.route('**/v1/internal/overview/services*', async (route) => {
      const answer = await route.fetch();
      const body = (await answer.text()).replaceAll('pay', 'pay\\ud800');
      await route.fulfill({ response: answer, body });
    });
    await page.getByRole('link', { name: 'Services' }).first().click();
    await rowOf(page, 'pay\ufffd').waitFor();
  });

  it('is found without its data centre in the address, filter and all', async () => {
    const { process, register } = await startWebServer();
    await register('m1', 'pay', 'passing');
    const page = await openPage(`http://127.0.0.1:${process.port}/ui/services?filter=pa`);
    await rowOf(page, 'pay').waitFor();
    assert.equal(new URL(page.url()).pathname, '/ui/dc1/services');
    assert.equal(await page.getByRole('combobox', { name: 'Filter' }).inputValue(), 'pa');
  });

  it('stands whatever number of tags a stranger has given to one', async () => {
    const { open, register } = await startWebServer();
    await register('m1', 'pay', 'passing');
    for (const [i, node] of ['m1', 'm2', 'm3'].entries()) {
      const Tags = Array.from({ length: 60_000 }, (_, n) => `${i}-${n}`);
      await register(node, 'tagged', 'passing', { Tags });
    }
    const page = await open('services');
    await rowOf(page, 'pay').waitFor();
    await page.getByRole('combobox', { name: 'Filter' }).fill('2-59999');
    await rowOf(page, 'pay').waitFor({ state: 'detached' });
    await rowOf(page, 'tagged').getByRole('link', { name: 'tagged' }).click();
    await page.getByRole('heading', { name: 'tagged' }).waitFor();
    await page.getByText('and 179,940 more').waitFor();
    assert.ok((await page.locator('main a').count()) < 200);
  });

  it('shows in the elements of rows that have gone what comes, but never in one that has the focus', async () => {
    const { open, put } = await startWebServer();
    const services = Array.from({ length: 600 }, (_, i) => ({
      Service: { Verb: 'set', Node: 'm1', Service: { Service: `s-${1000 + i}`, ID: `s-${i}` } },
    }));
    await put('/v1/catalog/register', { Node: 'm1', Address: '10.0.0.1' });
    while (services.length > 0) await put('/v1/txn', services.splice(0, 60));
    const page = await open('services?sort=name');
    const first = page.getByRole('link', { name: 's-1000' });
    await first.focus();
    await page.evaluate(
      'window.kept = document.activeElement; window.row = document.querySelector("[aria-rowindex=\\"4\\"]")',
    );
    await page.evaluate('scrollTo(0, 1_000_000)');
    await page.getByRole('link', { name: 's-1599' }).waitFor();
    assert.equal(await page.evaluate('window.kept.isConnected'), false);
    assert.equal(await page.evaluate('window.row.isConnected'), true);
    const shown = await page.locator('.rows a').allTextContents();
    assert.deepEqual(shown, shown.toSorted());
    assert.equal(new Set(shown).size, shown.length);
    assert.equal(await page.evaluate('document.activeElement.id'), 'content');
  });

  it('keeps each letter of whoever pauses after each for as long as its address does', async () => {
    const { open, register } = await startWebServer();
    await register('m1', 'pay', 'passing');
    const page = await open('services');
    await page.clock.install();
    await page.reload();
    await rowOf(page, 'pay').waitFor();
    const box = page.getByRole('combobox', { name: 'Filter' });
    await box.focus();
    await page.clock.pauseAt(new Date(Date.now() + 3_600_000));
    for (const letter of 'letters') {
      await page.keyboard.press(letter);
      await page.clock.runFor(CALM_MS);
    }
    await page.clock.resume();
    await rowOf(page, 'pay').waitFor({ state: 'detached' });
    assert.equal(await box.inputValue(), 'letters');
  });

  it('filters by words and by expressions, which it completes and keeps in its address', async () => {
    const { open, register } = await startWebServer();
    await register('m1', 'pay', 'passing');
    await register('m2', 'shop', 'critical');
    const page = await open('services');
    await rowOf(page, 'shop').waitFor();
    const box = page.getByRole('combobox', { name: 'Filter' });
    await slashLeadsTo(page, box);
    await page.keyboard.type('pa');
    await rowOf(page, 'shop').waitFor({ state: 'detached' });
    // Each key is pressed upon what the one before has come to.
    const take = async (offer: string) => {
      await page.getByRole('option', { name: offer, exact: true }).waitFor();
      await page.keyboard.press('ArrowDown');
      await page.getByRole('option', { name: offer, exact: true, selected: true }).waitFor();
      await page.keyboard.press('Enter');
      await until(async () => (await box.inputValue()).endsWith(`${offer} `));
    };
    await box.fill('status');
    await take('Checks.Status');
    await page.keyboard.type('== crit');
    await take('"critical"');
    await rowOf(page, 'pay').waitFor({ state: 'detached' });
    await rowOf(page, 'shop').waitFor();
    assert.equal(
      new URL(page.url()).searchParams.get('filter')?.trim(),
      'Checks.Status == "critical"',
    );
    const again = await openPage(page.url());
    await rowOf(again, 'shop').waitFor();
    assert.equal(await rowOf(again, 'pay').count(), 0);
  });

  it('says what is wrong with an expression, in the words of the server', async () => {
    const { open } = await startWebServer();
    const page = await open('services?filter=Colour+%3D%3D+blue');
    await page.getByText('Selector "Colour" is not valid').waitFor();
  });

  it('says what to do where there is nothing, and that there is more than may be seen', async () => {
    const { open } = await startWebServer([
      '-hcl=acl { enabled = true default_policy = "deny" tokens { master = "root" } }',
    ]);
    const page = await open('services');
    await page.getByText('You see what anyone may see').waitFor();
    await page.evaluate("sessionStorage.setItem('proconsul.token', 'root')");
    await page.reload();
    await rowOf(page, 'consul').waitFor();
    assert.equal(await page.getByText('You see what anyone may see').count(), 0);
  });

  it('shows that a server is lost, and comes back by itself', async () => {
    const { open, register, process } = await startWebServer();
    await register('m1', 'pay', 'passing');
    const page = await open('services');
    await rowOf(page, 'pay').waitFor();
    await process.kill();
    await page.getByText('The server cannot be reached').waitFor();
    await rowOf(page, 'pay').waitFor();
    const next = await startWebServer([], process.port);
    await next.register('m1', 'shop', 'passing');
    await rowOf(page, 'shop').waitFor();
    await page.getByText('The server cannot be reached').waitFor({ state: 'detached' });
  });

  it('asks nothing while nobody sees it, and shows what is once somebody does', async () => {
    const { open, register } = await startWebServer();
    await register('m1', 'pay', 'passing');
    const page = await open('services');
    await rowOf(page, 'pay').getByText('1 passing').waitFor();
    const see = (hidden: boolean) =>
      page.evaluate(`
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} });
        document.dispatchEvent(new Event('visibilitychange'))`);
    await see(true);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await register('m1', 'pay', 'critical');
    await register('m1', 'pay', 'warning');
    assert.deepEqual(asked, []);
    await see(false);
    await rowOf(page, 'pay').getByText('1 warning').waitFor();
  });

  it('speaks Chinese to whoever does, and as is chosen', async () => {
    const { open } = await startWebServer();
    const page = await open('services', { locale: 'zh-CN' });
    await page.getByRole('heading', { name: '服务' }).waitFor();
    await page.getByLabel('语言').selectOption('English');
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Services' }).waitFor();
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const { open, register } = await startWebServer();
      await register('m1', 'pay', 'passing');
      await register('m2', 'pay', 'critical');
      await register('m3', 'shop', 'warning');
      const page = await open('services', screen);
      await rowOf(page, 'shop').waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});
