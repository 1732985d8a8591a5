import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { overflowing } from '../support/page-width.ts';
import { until } from '../support/until.ts';
import { startWebServer } from '../support/web-server.ts';

const figures = (rate: number | null) => ({
  Instances: rate === null ? 0 : 2,
  RequestsPerSecond: rate,
  ErrorShare: rate === null ? null : 0.02,
  LatencyMs: rate === null ? null : { P50: 1.5, P90: 12, P99: 340 },
});
/** Of half an hour, of which five minutes are not known. */
const STEPS = Array.from({ length: 60 }, (_, i) => ({
  Time: new Date(Date.UTC(2026, 0, 1, 12, 0, i * 30)).toISOString(),
  ...figures(i > 20 && i < 30 ? null : 100.125 + i),
}));

describePage('how a service answers', () => {
  async function open(screen: object = {}, steps: readonly object[] = STEPS): Promise<Page> {
    const server = await startWebServer();
    await server.register('m1', 'web', 'passing');
    const page = await server.open('services', { timezoneId: 'UTC', ...screen });
    // To be told of half an hour takes half an hour.
    await page.route('**/v1/internal/performance/service/web?steps&stream=yes', (route) =>
      route.fulfill({
        json: {
          Service: 'web',
          Time: new Date().toISOString(),
          Windows: ['1m', '5m', '30m'].map((Window) => ({ Window, ...figures(123) })),
          Steps: steps,
        },
      }),
    );
    await page.goto(`${new URL(page.url()).origin}/ui/dc1/services/web?show=traffic`);
    // All that stands above: a pointer goes to where the chart stays.
    await page.locator('.strip strong').nth(2).waitFor();
    await page.getByRole('link', { name: 'blue' }).waitFor();
    return page;
  }
  const chart = (page: Page) => page.getByRole('slider', { name: 'Requests a second' });
  /** Of a moment, by its clock. */
  const says = async (page: Page, at: string, value: string) => {
    let said = '';
    await until(
      async () => {
        said = (await chart(page).getAttribute('aria-valuetext')) ?? '';
        return said.includes(at) && said.endsWith(`Requests a second ${value}`);
      },
      () => said,
    );
  };

  it('is told in figures and drawn over time, as its sidecars tell', async () => {
    const page = await open();
    const row = page.getByRole('row').filter({ hasText: 'The last minute' });
    for (const text of ['123', '2 %', '1.5 ms', '340 ms', '2 instances'])
      await row.getByText(text, { exact: true }).waitFor();
    assert.deepEqual(await barriersOn(page), []);
  });

  it('says exactly what it was at a moment, by keys, which zoom too', async () => {
    const page = await open();
    await chart(page).locator('path.line-0').first().waitFor();
    await says(page, '12:29:30', '159.125');
    await chart(page).focus();
    await page.keyboard.press('Home');
    await says(page, '12:00:00', '100.125');
    await page.keyboard.press('ArrowRight');
    await says(page, '12:00:30', '101.125');
    const whole = page.getByRole('button', { name: 'All of it' });
    assert.equal(await whole.count(), 0);
    await page.keyboard.press('+');
    await whole.waitFor();
    await page.keyboard.press('End');
    await says(page, '12:29:30', '159.125');
    await page.keyboard.press('Escape');
    await whole.waitFor({ state: 'detached' });
    // What was not told is a gap.
    for (let i = 0; i < 30; i++) await page.keyboard.press('ArrowLeft');
    await says(page, '12:14:30', '–');
  });

  it('says the newest that is known, where the last step is not told yet', async () => {
    const page = await open({}, [...STEPS.slice(0, -1), { ...STEPS.at(-1), ...figures(null) }]);
    await says(page, '12:29:00', '158.125');
    await chart(page).focus();
    await page.keyboard.press('End');
    await says(page, '12:29:30', '–');
  });

  it('says the same where the pointer is, and shows the part over which it is drawn', async () => {
    const page = await open();
    await chart(page).locator('path.line-0').first().waitFor();
    // Where it stands by now: what is above it may come later.
    await chart(page).hover({ position: { x: 1, y: 20 } });
    await says(page, '12:00:00', '100.125');
    await chart(page).hover({ position: { x: 1, y: 20 } });
    const { x = 0, y = 0, width = 0 } = (await chart(page).boundingBox()) ?? {};
    await page.mouse.down();
    await page.mouse.move(x + width / 4, y + 20, { steps: 4 });
    await page.mouse.up();
    await page.getByRole('button', { name: 'All of it' }).click();
    await page.getByRole('button', { name: 'All of it' }).waitFor({ state: 'detached' });
    await page.mouse.move(0, 0);
    await says(page, '12:29:30', '159.125');
  });

  it('leaves to the browser its own keys and buttons', async () => {
    const page = await open();
    await chart(page).locator('path.line-0').first().waitFor();
    await chart(page).focus();
    // Whether the page takes it: the browser does nothing with a key of its own that a page takes.
    const isTaken = (key: string, held: string) => {
      const init = { key, bubbles: true, cancelable: true, [held]: true };
      const event = `new KeyboardEvent('keydown', ${JSON.stringify(init)})`;
      return page.evaluate(`!document.activeElement.dispatchEvent(${event})`);
    };
    for (const held of ['ctrlKey', 'altKey', 'metaKey', 'none'])
      for (const key of ['+', '-', 'ArrowLeft'])
        assert.equal(await isTaken(key, held), held === 'none', `${held} ${key}`);
    await page.keyboard.press('Escape');
    await chart(page).hover({ position: { x: 10, y: 20 } });
    const { x = 0, y = 0, width = 0 } = (await chart(page).boundingBox()) ?? {};
    await page.mouse.down({ button: 'right' });
    await page.mouse.move(x + width / 2, y + 20, { steps: 4 });
    assert.equal(await chart(page).locator('path.over').count(), 0);
    await page.mouse.up({ button: 'right' });
    // One that ends without a word is none.
    await page.mouse.down();
    await page.mouse.move(x + width / 4, y + 20, { steps: 4 });
    await chart(page).locator('path.over').waitFor({ state: 'attached' });
    await chart(page).dispatchEvent('lostpointercapture');
    await chart(page).locator('path.over').waitFor({ state: 'detached' });
    await page.mouse.move(x + 1, y + 20);
    await page.mouse.up();
    await says(page, '12:00:00', '100.125');
    assert.equal(await page.getByRole('button', { name: 'All of it' }).count(), 0);
  });

  for (const [name, screen] of Object.entries(SCREENS)) {
    it(`is drawn without a barrier: ${name}`, async () => {
      const page = await open(screen);
      await chart(page).locator('path.line-0').first().waitFor();
      assert.deepEqual(await barriersOn(page), []);
      assert.deepEqual(await overflowing(page), []);
    });
  }

  it('says where nobody tells, on each screen without a barrier', async () => {
    const server = await startWebServer();
    await server.register('m1', 'web', 'passing');
    for (const screen of Object.values(SCREENS)) {
      const page = await server.open('services/web?show=traffic', screen);
      await page.getByText('Nobody tells how web answers').waitFor();
      assert.deepEqual(await barriersOn(page), []);
    }
  });
});
