/** A page that is left open asks for nothing again while nothing changes: it waits, or is told. */
import assert from 'node:assert/strict';
import { describePage } from '../support/browser.ts';
import { until } from '../support/until.ts';
import { eachPart, openAsRoot, patterns, shown, startWebWorld } from '../support/web-world.ts';

const TIMEOUT_MS = 400_000;
/** Less than a question waits for an answer. */
const LONG_MS = 55_000;
/** What waits, or is told; and once behind each wait what the token may, for nobody tells of a change between two. */
const IS_WAIT = /[?&](index=\d+&wait=|stream\b)|\/(stream|acl\/authorize)$/;

describePage('a page that is left open', () => {
  it('asks for nothing again while nothing changes', async () => {
    const { server, examples } = await startWebWorld();
    const page = await openAsRoot(server.port, 'services');
    await page.clock.install();
    let asked: string[] = [];
    const under = new Set<object>();
    page.on('request', (request) => {
      const { pathname, search } = new URL(request.url());
      if (!pathname.startsWith('/v1/') || IS_WAIT.test(pathname + search)) return;
      asked.push(`${request.method()} ${pathname}${search}`);
      under.add(request);
    });
    page.on('requestfinished', (request) => under.delete(request));
    page.on('requestfailed', (request) => under.delete(request));
    const again: string[] = [];
    for (const pattern of patterns()) {
      await page.goto(`http://127.0.0.1:${server.port}/ui/dc1/${examples[pattern]}`);
      await shown(page);
      await eachPart(page, async (part) => {
        // What it asks once has been asked for: a round of the page's own brings nothing more.
        let before = -1;
        await until(async () => {
          const isStill = under.size === 0 && asked.length === before;
          before = asked.length;
          if (!isStill) await page.clock.fastForward(1000);
          return isStill;
        });
        asked = [];
        await page.clock.fastForward(LONG_MS);
        await page.evaluate('new Promise((over) => requestAnimationFrame(over))');
        again.push(...asked.map((path) => `${pattern} ${part}: ${path}`));
      });
    }
    assert.deepEqual(again, []);
  }).timeout(TIMEOUT_MS);
});
