import assert from 'node:assert/strict';
import type { Page, Route } from 'playwright-core';
import { describePage } from '../support/browser.ts';
import { takeBack, told, toldWithUndo, triesToTakeBack } from '../support/told.ts';
import { until } from '../support/until.ts';
import { ACCESS_CONTROL, ROOT, startWebServer } from '../support/web-server.ts';

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const NOT_DONE = 'Somebody else has changed it meanwhile: nothing was done.';

/** Holds what is asked for until the spec lets it go on. */
async function holding(page: Page, path: string, method = 'GET'): Promise<readonly Route[]> {
  const held: Route[] = [];
  await page.route(path, (route) =>
    route.request().method() === method ? void held.push(route) : route.continue(),
  );
  return held;
}

describePage('the page, where an answer is late', () => {
  it('writes over no intention of somebody else, and deletes none, of which it has not heard', async () => {
    const server = await startWebServer();
    const exact = '/v1/connect/intentions/exact?source=web&destination=db';
    await server.put(exact, { Action: 'allow', Description: 'first' });
    const page = await server.open('services');
    await holding(page, '**/v1/connect/intentions?*index=*');
    await page.goto(page.url().replace('services', 'intentions/web/db?edit=yes'));
    await page.getByLabel('Description').fill('mine');
    await server.put(exact, { Action: 'deny', Description: 'theirs' });
    await button(page, 'Save').click();
    await page.getByText(NOT_DONE).waitFor();
    await button(page, 'Cancel').click();
    await button(page, 'Delete').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the intention' }).click();
    await page.getByRole('dialog').getByText(NOT_DONE).waitFor();
    const { Action, Description } = await server.get<Record<string, string>>(exact);
    assert.deepEqual([Action, Description], ['deny', 'theirs']);
  });

  it('changes an intention beside which another for the same service was changed', async () => {
    const server = await startWebServer();
    const exact = (source: string) =>
      `/v1/connect/intentions/exact?source=${source}&destination=db`;
    for (const source of ['web', 'cart']) await server.put(exact(source), { Action: 'allow' });
    const page = await server.open('intentions/web/db');
    await button(page, 'Delete').click();
    await page.getByRole('dialog').waitFor();
    await server.put(exact('cart'), { Action: 'deny' });
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the intention' }).click();
    await takeBack(page, 'What was said of web and db is deleted.');
  });

  it('says of nobody else whether he may call what was asked about before', async () => {
    const server = await startWebServer();
    await server.put('/v1/connect/intentions/exact?source=web&destination=db', { Action: 'allow' });
    await server.put('/v1/connect/intentions/exact?source=*&destination=*', { Action: 'deny' });
    const page = await server.open('intentions?from=web&to=db');
    await page.getByText('web may call db.').waitFor();
    const held = await holding(page, '**/v1/connect/intentions/check?*');
    await page.getByLabel('calls this one').fill('pay');
    await until(() => held.length > 0);
    assert.equal(await page.getByText('web may call').count(), 0);
    await held.at(-1)?.continue();
    await page.getByText('web may not call pay.').waitFor();
  });

  it('sends a form once, whoever leaves it and comes back meanwhile', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const page = await server.openAs(ROOT, 'access/new/policies');
    await page.getByLabel('Name').fill('readers');
    const held = await holding(page, '**/v1/acl/policy', 'PUT');
    await button(page, 'Make').click();
    await until(() => held.length === 1);
    await page.getByRole('link', { name: 'Services' }).click();
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await page.goBack();
    await until(async () => (await page.getByLabel('Name').inputValue()) === 'readers');
    assert.equal(await button(page, 'Make').isDisabled(), true);
    await held[0]?.continue();
    await until(async () => (await page.getByLabel('Name').inputValue()) === '');
    assert.equal(held.length, 1);
  });

  it('saves a key once that is saved twice, and takes what stands there for what was written', async () => {
    const server = await startWebServer();
    await server.put('/v1/kv/color', 'blue');
    const page = await server.open('kv?key=color');
    const value = page.getByRole('textbox', { name: 'Value' });
    await value.fill('red');
    const held = await holding(page, '**/v1/kv/color?cas*', 'PUT');
    await button(page, 'Save').dblclick();
    await until(() => held.length === 1);
    assert.equal(await button(page, 'Save').isDisabled(), true);
    await held[0]?.continue();
    await toldWithUndo(page, 'color is written.');
    assert.equal(await page.getByText(NOT_DONE).count(), 0);
    // It was done, and whoever has done it has not heard so.
    await value.fill('green');
    await button(page, 'Save').click();
    await until(() => held.length === 2);
    await held[1]?.fetch();
    await held[1]?.abort();
    await page.getByText('The server cannot be reached.').first().waitFor();
    await button(page, 'Save').waitFor();
    await until(() => button(page, 'Save').isDisabled());
    assert.equal(await page.getByText('Somebody else has written it meanwhile').count(), 0);
    assert.equal(await page.getByText('not saved').count(), 0);
  });

  it('keeps a way back that nobody answered', async () => {
    const server = await startWebServer();
    for (const name of ['a', 'b', 'c']) await server.register('m1', name, 'passing');
    const page = await server.open('nodes/m1');
    await button(page, 'Deregister').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Deregister' }).click();
    await toldWithUndo(page, 'm1 is deregistered.');
    let lost = 'nobody';
    await page.route('**/v1/catalog/register', async (route) => {
      const { Service } = route.request().postDataJSON() as { Service?: { ID: string } };
      if (lost === 'all' || Service?.ID === lost) await route.abort();
      else await route.continue();
    });
    lost = 'all';
    await triesToTakeBack(page, 'm1 is deregistered.');
    await told(page, 'The server cannot be reached.');
    lost = 'b';
    await triesToTakeBack(page, 'm1 is deregistered.');
    await told(page, 'Taken back, but 2 of 4 parts could not be. The server cannot be reached.');
    lost = 'nobody';
    await takeBack(page, 'm1 is deregistered.');
    const { Services } = await server.get<{ Services: object }>('/v1/catalog/node/m1');
    assert.deepEqual(Object.keys(Services).sort(), ['a', 'b', 'c']);
  });

  it('leaves a page where it is to which somebody has come back from one that does not come', async () => {
    const server = await startWebServer();
    await server.put('/v1/kv/color', 'blue');
    const page = await server.open('kv?key=color', { fails: /it came late/ });
    await page.getByRole('textbox', { name: 'Value' }).fill('red');
    const held = await holding(page, '**/assets/cluster-*.js');
    await page.getByRole('link', { name: 'Cluster' }).click();
    await until(() => held.length > 0);
    await page.goBack();
    await page.getByRole('textbox', { name: 'Value' }).waitFor();
    const body = 'globalThis.cameLate = true; throw new Error("it came late")';
    await held[0]?.fulfill({ contentType: 'text/javascript', body });
    await page.waitForFunction('globalThis.cameLate');
    await page.getByRole('button', { name: 'Discard changes' }).click();
    assert.equal(await page.getByText('could not be loaded').count(), 0);
  });
});
