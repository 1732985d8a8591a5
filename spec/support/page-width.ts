/** Whether a page is as wide as its screen. */
import type { Page } from 'playwright-core';
import { until } from './until.ts';

const LONG_MS = 60_000;

/** What is drawn anew for another screen is awaited. */
export async function fits(page: Page, where: string): Promise<void> {
  let out: readonly string[] = [];
  await until(
    async () => {
      out = await overflowing(page);
      return out.length === 0;
    },
    () => `${where}: ${out.join('\n')}`,
    LONG_MS,
  );
}

/** What leads out of the screen at its right, but within what scrolls by itself. */
export function overflowing(page: Page): Promise<readonly string[]> {
  return page.evaluate(`(() => {
    const scrolls = (element) => {
      for (let each = element; each !== null; each = each.parentElement)
        if (/auto|scroll|hidden|clip/.test(getComputedStyle(each).overflowX)) return true;
      return false;
    };
    const isSeen = (element) => element.checkVisibility() && element.getClientRects().length > 0;
    const out = [...document.body.querySelectorAll('*')].filter(
      (each) => each.getBoundingClientRect().right > innerWidth + 1 && !scrolls(each) && isSeen(each)
        && !each.matches('.unseen, .unseen *, svg *, [popover]:not(:popover-open) *'),
    );
    const wide = document.documentElement.scrollWidth > innerWidth ? ['the page itself'] : [];
    return [...wide, ...out.map((each) => each.outerHTML.slice(0, 200))];
  })()`);
}
