/** A browser has six connections to a server, for all of its windows together. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { describePage } from '../support/browser.ts';
import { startWebServer } from '../support/web-server.ts';

/** All that is seen comes in turns of some seconds. */
const LONG_MS = 60_000;
const IS_WAIT = /[?&](index=\d+&wait=|stream\b)|\/stream$/;

describePage('many windows of one browser', () => {
  it('leave connections for one more, and all come to show what changes', async () => {
    const { open, register } = await startWebServer();
    const first = await open('services');
    const waiting = new Set<object>();
    const context = first.context();
    context.on('request', (request) => {
      if (IS_WAIT.test(request.url())) waiting.add(request);
    });
    context.on('requestfinished', (request) => waiting.delete(request));
    context.on('requestfailed', (request) => waiting.delete(request));
    const openNext = async (address: string): Promise<Page> => {
      const page = await context.newPage();
      await page.goto(first.url().replace('services', address));
      return page;
    };
    const windows = [first];
    for (const address of ['cluster', 'services', 'cluster', 'nodes', 'services/consul'])
      windows.push(await openNext(address));
    for (const page of windows) await page.locator('main h1').first().waitFor();
    const last = await openNext('cluster');
    await last.getByText('Takes writes').waitFor();
    assert.ok(waiting.size <= 6, `${waiting.size}`);
    await register('m1', 'pay', 'passing');
    for (const page of [windows[0], windows[2]])
      await page?.getByRole('link', { name: 'pay', exact: true }).waitFor({ timeout: LONG_MS });
    await windows[4]?.getByRole('link', { name: 'm1', exact: true }).waitFor({ timeout: LONG_MS });
    for (const page of [windows[1], windows[3]])
      await page?.getByText('Takes writes').waitFor({ timeout: LONG_MS });
  });

  it('come to show what changes also where the worker that they share was ended without a word', async () => {
    const { open, register, process } = await startWebServer();
    const first = await open('services');
    const second = await first.context().newPage();
    await second.goto(first.url());
    for (const page of [first, second])
      await page.getByRole('link', { name: 'consul', exact: true }).waitFor();
    const session = await first.context().browser()?.newBrowserCDPSession();
    const workers = async () => {
      const { targetInfos = [] } = (await session?.send('Target.getTargets')) ?? {};
      return targetInfos.filter(
        ({ type, url }) => type === 'shared_worker' && url.includes(`:${process.port}/`),
      );
    };
    const [worker] = await workers();
    await session?.send('Target.closeTarget', { targetId: worker?.targetId ?? '' });
    // What they had a place for already comes; what is asked next needs another worker.
    for (const name of ['pay', 'bill']) {
      await register('m1', name, 'passing');
      for (const page of [first, second])
        await page.getByRole('link', { name, exact: true }).waitFor({ timeout: LONG_MS });
    }
    assert.notEqual((await workers())[0]?.targetId, worker?.targetId);
  });
});
