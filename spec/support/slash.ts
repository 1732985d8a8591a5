/** The key that leads to where a list is searched. */
import type { Locator, Page } from 'playwright-core';
import { until } from './until.ts';

/** What is shown may be there before what hears the key. */
export async function slashLeadsTo(page: Page, box: Locator): Promise<void> {
  await until(async () => {
    if (await box.evaluate((own) => own === own.ownerDocument.activeElement)) return true;
    await page.keyboard.press('/');
    return false;
  });
}
