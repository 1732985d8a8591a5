import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { send } from '../support/servers/start-server.ts';
import { takeBack, told } from '../support/told.ts';
import { until } from '../support/until.ts';
import { ACCESS_CONTROL, ROOT, startWebServer } from '../support/web-server.ts';

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });
const text = (page: Page) => page.getByLabel('The entry, as JSON');
const RESOLVER = { Kind: 'service-resolver', Name: 'web', Redirect: { Service: 'shop' } };

describePage('the page of config entries', () => {
  it('says what to do where there is none, and shows one once there is', async () => {
    const { open, put } = await startWebServer();
    const page = await open('config');
    await page.getByText('There are no config entries yet').waitFor();
    await put('/v1/config', RESOLVER);
    await rowOf(page, 'web').getByText('which instances of it are meant').waitFor();
    await rowOf(page, 'web').getByText('shop').waitFor();
    await put('/v1/config', { Kind: 'proxy-defaults', Name: 'global' });
    await rowOf(page, 'global').waitFor();
    await page.getByLabel('Kind').selectOption('proxy-defaults');
    await rowOf(page, 'web').waitFor({ state: 'detached' });
    assert.equal(new URL(page.url()).searchParams.get('kind'), 'proxy-defaults');
  });

  it('makes one that the server has checked, and overwrites none', async () => {
    const { open, put, get } = await startWebServer();
    const page = await open('config/new?kind=service-splitter&name=web');
    await text(page).fill('{"Kind": ');
    await page.getByText('This is no JSON object with a Kind and a Name.').waitFor();
    assert.equal(await button(page, 'Make').isEnabled(), false);
    const splits = (Protocol: string) => ({ Kind: 'service-defaults', Name: 'web', Protocol });
    const splitter = { Kind: 'service-splitter', Name: 'web', Splits: [{ Weight: 100 }] };
    await text(page).fill(JSON.stringify(splitter));
    await button(page, 'Make').click();
    await page
      .getByText('discovery chain "web" uses inconsistent protocols')
      .or(page.getByText('does not permit advanced routing'))
      .first()
      .waitFor();
    await put('/v1/config', splits('http'));
    await page.getByText('The same as a command').click();
    await page.getByText('proconsul config write -cas -modify-index=0 -').waitFor();
    await button(page, 'Make').click();
    await page.getByRole('heading', { name: 'web', exact: true }).waitFor();
    await page.getByRole('link', { name: 'service-defaults web' }).waitFor();
    await page.goto(page.url().replace(/config.*/, 'config/new?kind=service-defaults&name=web'));
    await button(page, 'Make').click();
    await page.getByText('Somebody else has changed it meanwhile: nothing was done.').waitFor();
    const kept = await get<{ Protocol: string }>('/v1/config/service-defaults/web');
    assert.equal(kept.Protocol, 'http');
  });

  it('keeps what is written where another kind is chosen, which it says then', async () => {
    const page = await (await startWebServer()).open('config/new?name=web');
    const kind = page.getByLabel('Kind');
    await kind.selectOption('service-resolver');
    await until(async () => (await text(page).inputValue()).includes('service-resolver'));
    const written = '{"Name": "web", "Kind": "service-resolver", "ConnectTimeout": "5s"}';
    await text(page).fill(written);
    await kind.selectOption('service-router');
    const said = written.replace('resolver', 'router');
    await until(async () => (await text(page).inputValue()) === said);
  });

  it('changes one upon what was seen, and takes that back', async () => {
    const { open, put, get } = await startWebServer();
    const of = (Protocol: string) => ({ Kind: 'service-defaults', Name: 'web', Protocol });
    const protocol = async () =>
      (await get<{ Protocol: string }>('/v1/config/service-defaults/web')).Protocol;
    await put('/v1/config', of('tcp'));
    const page = await open('config/service-defaults/web');
    await page.getByText('"Protocol": "tcp"').waitFor();
    await put('/v1/config', of('http'));
    await page.getByText('"Protocol": "http"').waitFor();
    await button(page, 'Edit').click();
    await text(page).fill(JSON.stringify({ ...of('grpc'), Name: 'other' }));
    await page.getByText('Its kind and its name stay').waitFor();
    await text(page).fill((await text(page).inputValue()).replace('other', 'web'));
    await put('/v1/config', of('http2'));
    await page.getByText('Somebody else has changed this meanwhile').waitFor();
    await button(page, 'Keep mine, to save it over that').click();
    await button(page, 'Save').click();
    await told(page, 'service-defaults web is saved.');
    assert.equal(await protocol(), 'grpc');
    await takeBack(page, 'service-defaults web is saved.');
    await page.getByText('"Protocol": "http2"').waitFor();
  });

  it('deletes one, and takes it back', async () => {
    const { open, put } = await startWebServer();
    await put('/v1/config', RESOLVER);
    const page = await open('config/service-resolver/web');
    await button(page, 'Delete').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the entry' }).click();
    await page.getByText('There are no config entries yet').waitFor();
    await takeBack(page, 'service-resolver web is deleted.');
    await rowOf(page, 'web').waitFor();
    await page.goto(page.url().replace(/config.*/, 'config/service-router/none'));
    await page.getByText('There is no such entry').waitFor();
  });

  it('keeps numbers that nobody has touched, where one is changed and where it is put back', async () => {
    const { open, put, process } = await startWebServer();
    const said = async () => {
      const { text: there } = await send(process.port, 'GET', ENTRY, {});
      return /"n": ?(\d+)/.exec(there)?.[1];
    };
    const ENTRY = '/v1/config/proxy-defaults/global';
    const LARGE = '9007199254740993';
    await put(
      '/v1/config',
      `{"Kind": "proxy-defaults", "Name": "global", "Config": {"n": ${LARGE}, "protocol": "http"}}`,
    );
    const page = await open('config/proxy-defaults/global');
    await page.getByText(`"n": ${LARGE}`).waitFor();
    await button(page, 'Edit').click();
    await text(page).fill((await text(page).inputValue()).replace('"http"', '"grpc"'));
    await button(page, 'Save').click();
    await told(page, 'proxy-defaults global is saved.');
    assert.equal(await said(), LARGE);
    await button(page, 'Delete').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the entry' }).click();
    await page.getByText('There are no config entries yet').waitFor();
    await takeBack(page, 'proxy-defaults global is deleted.');
    await rowOf(page, 'global').waitFor();
    assert.equal(await said(), LARGE);
  });

  it('leads from one to what it names, and to what names it', async () => {
    const { open, put } = await startWebServer();
    await put('/v1/config', { Kind: 'service-defaults', Name: 'shop', Protocol: 'http' });
    await put('/v1/config', { Kind: 'service-defaults', Name: 'web', Protocol: 'http' });
    await put('/v1/config', RESOLVER);
    const page = await open('config/service-defaults/shop');
    await page.getByText('leads to it').waitFor();
    await page.getByRole('link', { name: 'service-resolver web' }).click();
    await page.getByRole('link', { name: 'shop', exact: true }).waitFor();
    await page.getByRole('link', { name: 'service-defaults web' }).waitFor();
  });

  it('offers nothing to whoever may not', async () => {
    const { openAs, put } = await startWebServer([ACCESS_CONTROL]);
    await put('/v1/config', RESOLVER, ROOT);
    const rules = 'service_prefix "" { policy = "read" }';
    await put('/v1/acl/policy', { Name: 'see', Rules: rules }, ROOT);
    const made = await put('/v1/acl/token', { Policies: [{ Name: 'see' }] }, ROOT);
    const page = await openAs(JSON.parse(made).SecretID, 'config');
    await page.getByRole('link', { name: 'web' }).click();
    await page.getByText('"Service": "shop"').waitFor();
    assert.equal(await button(page, 'Edit').count(), 0);
    await page.goto(page.url().replace(/config.*/, 'config/new'));
    await page.getByText('Your token may not write this entry.').waitFor();
  });

  it('is reached by keys', async () => {
    const { open } = await startWebServer();
    const page = await open('services');
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('f');
    await page.getByRole('heading', { name: 'Config entries', exact: true }).waitFor();
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`puts up no barrier: ${name}`, async () => {
      const { open, put } = await startWebServer();
      await put('/v1/config', RESOLVER);
      await put('/v1/config', { Kind: 'proxy-defaults', Name: 'global' });
      const page = await open('config', screen);
      await rowOf(page, 'global').waitFor();
      assert.deepEqual(await barriersOn(page), []);
      await page.goto(page.url().replace(/config.*/, 'config/service-resolver/web'));
      await page.getByText('"Service": "shop"').waitFor();
      assert.deepEqual(await barriersOn(page), []);
      await button(page, 'Edit').click();
      await text(page).waitFor();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});
