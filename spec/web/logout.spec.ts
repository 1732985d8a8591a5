import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { describePage } from '../support/browser.ts';
import { toldWithUndo } from '../support/told.ts';
import { until } from '../support/until.ts';
import { ACCESS_CONTROL, ROOT, startWebServer } from '../support/web-server.ts';

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const confirm = (page: Page, name: string) =>
  page.getByRole('dialog').getByRole('button', { name, exact: true }).click();

/** All that a browser keeps, and what the page has for whoever sits there next. */
const leftIn = (page: Page) =>
  page.evaluate<string>(
    `JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, document.cookie, document.documentElement.outerHTML])`,
  );

describePage('who logs out', () => {
  it('leaves neither the token nor a way back to it, nor what he wrote', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    await server.put('/v1/kv/tint', 'blue', ROOT);
    const page = await server.openAs(ROOT, 'kv?key=tint');
    await page.evaluate(`localStorage.setItem('proconsul.token', ${JSON.stringify(ROOT)})`);
    await page.getByRole('textbox', { name: 'Value' }).fill('not saved');
    await page.keyboard.press('Escape');
    await page.getByLabel('Read as').selectOption('json');
    await page.getByRole('link', { name: 'Access' }).click();
    await button(page, 'Show Secret').click();
    await page.getByText(ROOT).waitFor();
    await page.evaluate('window.isStill = true');
    await button(page, 'Log out').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('What you have written and not saved is lost.').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText(ROOT).waitFor();
    await button(page, 'Log out').click();
    await confirm(page, 'Log out');
    await page.getByText('You have no token').waitFor();
    // It was loaded anew: nothing of before is in its memory.
    assert.equal(await page.evaluate('window.isStill'), undefined);
    for (const each of [ROOT, 'tint']) assert.equal((await leftIn(page)).includes(each), false);
    assert.equal(await button(page, 'Undo').count(), 0);
    await page.keyboard.press('u');
    await page.goBack();
    await page.getByText('You may not see this').first().waitFor();
    assert.equal((await leftIn(page)).includes(ROOT), false);
    assert.equal(await page.getByText('not saved', { exact: true }).count(), 0);
  });

  it('is logged out in the other tabs of his browser too', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const page = await server.openAs(ROOT, 'access');
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.evaluate(`sessionStorage.setItem('proconsul.token', ${JSON.stringify(ROOT)})`);
    await other.reload();
    await button(other, 'Log out').waitFor();
    await button(page, 'Log out').click();
    await confirm(page, 'Log out');
    await other.getByText('You have no token').waitFor();
    assert.equal((await leftIn(other)).includes(ROOT), false);
  });

  it('is logged out in a tab that is elsewhere just then, and nobody is who hears of it', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const made = JSON.parse(await server.put('/v1/acl/token', { Description: 'other' }, ROOT));
    const page = await server.openAs(ROOT, 'access');
    const openBeside = async (secret: string) => {
      const tab = await page.context().newPage();
      await tab.goto(page.url());
      await tab.evaluate(`sessionStorage.setItem('proconsul.token', ${JSON.stringify(secret)})`);
      await tab.reload();
      await button(tab, 'Log out').waitFor();
      return tab;
    };
    const away = await openBeside(ROOT);
    const other = await openBeside(made.SecretID);
    await away.goto('about:blank');
    await button(page, 'Log out').click();
    await confirm(page, 'Log out');
    await page.getByText('You have no token').waitFor();
    await away.goBack();
    await away.getByText('You have no token').waitFor();
    assert.equal((await leftIn(away)).includes(ROOT), false);
    const HAS_HEARD = "sessionStorage['proconsul.left'] === localStorage['proconsul.left']";
    await until(() => other.evaluate<boolean>(HAS_HEARD));
    await other.reload();
    await other.getByRole('heading', { name: 'other' }).waitFor();
    // Who logs in again stays so.
    await away.getByLabel('Secret', { exact: true }).fill(ROOT);
    await away.getByRole('form', { name: 'With a token' }).getByRole('button').click();
    await button(away, 'Log out').waitFor();
    await away.reload();
    await button(away, 'Log out').waitFor();
  });

  it('is logged out with windows of the version before, and they with him', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const page = await server.openAs(ROOT, 'access');
    const before = await page.context().newPage();
    await before.goto(page.url());
    await before.evaluate(
      "window.heard = []; (window.old = new BroadcastChannel('proconsul.logout')).onmessage = ({ data }) => heard.push(data)",
    );
    await before.evaluate("old.postMessage('somebody else')");
    await before.evaluate(`old.postMessage(${JSON.stringify(ROOT)})`);
    await page.getByText('You have no token').waitFor();
    const other = await server.openAs(ROOT, 'access');
    const beside = await other.context().newPage();
    await beside.goto(other.url());
    await beside.evaluate(
      "window.heard = []; new BroadcastChannel('proconsul.logout').onmessage = ({ data }) => heard.push(data)",
    );
    await button(other, 'Log out').click();
    await confirm(other, 'Log out');
    await until(() => beside.evaluate<boolean>(`heard.includes(${JSON.stringify(ROOT)})`));
  });

  it('cannot be taken back by whoever comes next', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const made = JSON.parse(await server.put('/v1/acl/token', { Description: 'one' }, ROOT));
    const page = await server.openAs(ROOT, `access/tokens/${made.AccessorID}`);
    await button(page, 'Delete').click();
    await confirm(page, 'Delete the token');
    await toldWithUndo(page, 'one is deleted.');
    await page.getByRole('tab', { name: 'You' }).click();
    await page.getByText('Log in as somebody else').click();
    await server.put('/v1/acl/token', { SecretID: made.AccessorID, Description: 'two' }, ROOT);
    await page.getByLabel('Secret', { exact: true }).fill(made.AccessorID);
    await page.getByRole('form', { name: 'With a token' }).getByRole('button').click();
    await page.getByRole('heading', { name: 'two' }).waitFor();
    assert.equal(await button(page, 'Undo').count(), 0);
  });
});

describePage('a token that no header carries', () => {
  it('is told beside its field, letter by letter, and sent to nobody', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    const page = await server.open('access');
    const field = page.getByLabel('Secret', { exact: true });
    const logIn = page.getByRole('form', { name: 'With a token' }).getByRole('button');
    for (const [secret, said] of [
      ['секрет', 'No token has the letter U+0441, the 1. of these'],
      ['abc\u200b', 'No token has the letter U+200B, the 4. of these'],
      ['ab\u0001', 'No token has the letter U+0001, the 3. of these'],
      ['😀', 'No token has the letter U+1F600, the 1. of these'],
    ] as const) {
      await field.fill(secret);
      await page.getByText(said).waitFor();
      assert.equal(await field.getAttribute('aria-invalid'), 'true');
      assert.equal(await logIn.isEnabled(), false);
    }
    await field.fill(` ${ROOT} `);
    await logIn.click();
    await button(page, 'Log out').waitFor();
  });

  it('is none where another program has left it to the page', async () => {
    const server = await startWebServer([ACCESS_CONTROL]);
    for (const secret of ['a\\nb', 'секрет']) {
      const page = await server.open('services');
      await page.evaluate(`localStorage.setItem('proconsul.token', "${secret}")`);
      await page.reload();
      await page.getByText('You may not see this').waitFor();
      assert.equal(await page.getByText('cannot be reached').count(), 0);
    }
  });

  it('is sent where it has the letters of a header', async () => {
    const secret = 'schlüssel mit ß';
    const server = await startWebServer([
      `-hcl=acl { enabled = true default_policy = "deny" tokens { master = "${secret}" } }`,
    ]);
    const page = await server.open('access');
    await page.getByLabel('Secret', { exact: true }).fill(secret);
    await page.getByRole('form', { name: 'With a token' }).getByRole('button').click();
    await until(async () => (await button(page, 'Log out').count()) === 1);
  });
});
