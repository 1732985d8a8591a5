import assert from 'node:assert/strict';
import type { Page, Route } from 'playwright-core';
import { describePage } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { ACCESS_CONTROL, ROOT, startWebServer } from '../support/web-server.ts';

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const RULES = 'service_prefix "" { policy = "read" }';

describePage('what is begun in a form', () => {
  async function start() {
    const server = await startWebServer([ACCESS_CONTROL]);
    const policy = { Name: 'readers', Rules: RULES };
    const { ID } = JSON.parse(await server.put('/v1/acl/policy', policy, ROOT)) as { ID: string };
    const path = `/v1/acl/policy/${ID}`;
    const page = await server.openAs(ROOT, `access/policies/${ID}`);
    await button(page, 'Edit').click();
    const description = page.getByLabel('Description');
    const says = (text: string) => until(async () => (await description.inputValue()) === text);
    return { server, page, path, policy, description, says };
  }

  it('is there again for whoever comes back, until he gives it up', async () => {
    const { page, description, says } = await start();
    await description.fill('mine');
    await page.getByRole('link', { name: 'Services' }).click();
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await page.goBack();
    await says('mine');
    await page.getByText('You began this earlier, and it is not saved.').waitFor();
    await button(page, 'Begin anew').click();
    await says('');
    await description.fill('again');
    await button(page, 'Cancel').click();
    await button(page, 'Edit').click();
    await says('');
  });

  it('stays where the thing is changed or deleted, the right is taken, or the server is lost', async () => {
    const { server, page, path, policy, description, says } = await start();
    await description.fill('mine');
    await server.put(path, { ...policy, Description: 'theirs' }, ROOT);
    await page.getByText('Somebody else has changed this meanwhile').waitFor();
    await says('mine');
    await server.delete(path, ROOT);
    await page.getByText('Somebody else has deleted this meanwhile. What you wrote').waitFor();
    await says('mine');
    await server.process.kill();
    await page.getByText('The server cannot be reached').waitFor();
    await says('mine');
  });

  it('shows what stands there by now, as long as nothing is begun', async () => {
    const { server, page, path, policy, says } = await start();
    await server.put(path, { ...policy, Description: 'theirs' }, ROOT);
    await says('theirs');
    assert.equal(await page.getByText('Somebody else has changed this').count(), 0);
  });

  it('is not written on while it is being sent, and takes nobody away from where he has gone', async () => {
    const { server, page, path, description } = await start();
    const sent: Route[] = [];
    await page.route(`**${path}`, (route) =>
      route.request().method() === 'PUT' ? void sent.push(route) : route.continue(),
    );
    await description.fill('mine');
    await button(page, 'Save').click();
    await until(() => sent.length > 0);
    assert.equal(await description.isDisabled(), true);
    await page.getByRole('link', { name: 'Services' }).click();
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await sent[0]?.continue();
    await page.getByText('Edit: done, from the page that you have left.').waitFor();
    assert.match(page.url(), /services$/);
    const { Description } = await server.get<{ Description: string }>(path, ROOT);
    assert.equal(Description, 'mine');
  });

  it('is sent with what is written in a list of names, and not added yet, by one click', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    await server.put('/v1/acl/policy', { Name: 'readers', Rules: RULES }, ROOT);
    const page = await server.openAs(ROOT, 'access/new/roles');
    await page.getByLabel('Name').fill('ops');
    await page.getByLabel('Policies', { exact: true }).fill('readers');
    await button(page, 'Make').click();
    await page.getByRole('heading', { name: 'ops' }).waitFor();
    type Role = { readonly Policies: readonly { Name: string }[] };
    const { Policies } = await server.get<Role>('/v1/acl/role/name/ops', ROOT);
    assert.deepEqual(
      Policies.map(({ Name }) => Name),
      ['readers'],
    );
  });

  it('keeps the browser from leaving unasked', async () => {
    const { page, description } = await start();
    await description.fill('mine');
    const asked = page.waitForEvent('dialog');
    const leaving = page.close({ runBeforeUnload: true });
    const dialog = await asked;
    assert.equal(dialog.type(), 'beforeunload');
    await dialog.accept();
    await leaving;
  });

  it('is there again in a dialog that Escape has closed, which gives the focus back', async () => {
    const { open } = await startWebServer();
    const page = await open('events');
    await button(page, 'Fire an event').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('deploy');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: 'Events' }).waitFor();
    assert.equal(
      await page.evaluate('document.activeElement.textContent'),
      await button(page, 'Fire an event').textContent(),
    );
    await page.keyboard.press('Enter');
    assert.equal(await dialog.getByLabel('Name').inputValue(), 'deploy');
    await page.getByText('You began this earlier').waitFor();
  });
});
