import assert from 'node:assert/strict';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { startWebServer } from '../support/web-server.ts';

describePage('how a service answers', () => {
  it('is told in figures and drawn over time, as its sidecars tell', async () => {
    const server = await startWebServer();
    await server.register('m1', 'web', 'passing');
    const figures = (rate: number | null) => ({
      Instances: rate === null ? 0 : 2,
      RequestsPerSecond: rate,
      ErrorShare: rate === null ? null : 0.02,
      LatencyMs: rate === null ? null : { P50: 1.5, P90: 12, P99: 340 },
    });
    const steps = Array.from({ length: 60 }, (_, i) => ({
      Time: new Date(Date.UTC(2026, 0, 1, 12, 0, i * 30)).toISOString(),
      ...figures(i > 20 && i < 30 ? null : 100 + 50 * Math.sin(i / 5)),
    }));
    const page = await server.open('services');
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
    const row = page.getByRole('row').filter({ hasText: 'The last minute' });
    for (const text of ['123', '2 %', '1.5 ms', '340 ms', '2 instances'])
      await row.getByText(text, { exact: true }).waitFor();
    const drawn = page.locator('path.line-0').first();
    // What was not told is a gap.
    assert.equal((await drawn.getAttribute('d'))?.match(/M/g)?.length, 2);
    assert.deepEqual(await barriersOn(page), []);
  });

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
