import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { startWebServer } from '../support/web-server.ts';

const button = (of: Page | Locator, name: string) => of.getByRole('button', { name, exact: true });
const heightOf = async (of: Locator) => (await of.boundingBox())?.height ?? 0;
const LONG = `start ${'word '.repeat(200)}end`;

describePage('a long text', () => {
  /** By the keyboard, as by a finger: all of it, and less again. */
  async function opens(page: Page, text: Locator, around: Locator): Promise<void> {
    await text.waitFor();
    const before = await heightOf(text);
    await button(around, 'Show all').focus();
    await page.keyboard.press('Enter');
    await until(async () => (await heightOf(text)) > before);
    await page.keyboard.press('Enter');
    await until(async () => (await heightOf(text)) === before);
    await button(around, 'Show all').waitFor();
  }

  for (const screen of [SCREENS.light, SCREENS.phone]) {
    const name = `${screen.viewport.width} wide`;

    it(`in a heading is shown as a whole for who asks: ${name}`, async () => {
      const { open, put } = await startWebServer();
      await put('/v1/config', { Kind: 'service-defaults', Name: LONG });
      const page = await open(`config/service-defaults/${encodeURIComponent(LONG)}`, screen);
      const heading = page.getByRole('heading', { level: 1 });
      await opens(page, heading, page.locator('main > .heading'));
      await page.goto(page.url().replace(/config.*/, `kv?key=${encodeURIComponent(LONG)}`));
      const key = page.getByRole('heading', { level: 2, name: LONG });
      await opens(page, key, page.getByRole('region', { name: LONG }));
      assert.deepEqual(await barriersOn(page), []);
      const other = await open('kv?key=short', screen);
      await other.getByRole('heading', { level: 2, name: 'short' }).waitFor();
      assert.equal(await button(other, 'Show all').count(), 0);
    });

    it(`in what is told too: ${name}`, async () => {
      const { open, put } = await startWebServer();
      await put(`/v1/kv/${encodeURIComponent(LONG)}`, 'x');
      const page = await open(`kv?key=${encodeURIComponent(LONG)}`, screen);
      await button(page, 'Delete').click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
      const toast = page.locator('.toast', { hasText: 'end' });
      await opens(page, toast.locator('span'), toast);
      await button(toast, 'Show all').click();
      assert.deepEqual(await barriersOn(page), []);
    });
  }
});
