/** Lists stand in columns down to 54rem: a small tablet has the least room for them. */
import assert from 'node:assert/strict';
import { describePage } from '../support/browser.ts';
import { overflowing } from '../support/page-width.ts';
import { eachPart, openAsRoot, patterns, shown, startWebWorld } from '../support/web-world.ts';

const TABLET = { viewport: { width: 870, height: 800 } };
const TIMEOUT_MS = 400_000;

describePage('a small tablet', () => {
  it('has room for every page', async () => {
    const { server, examples } = await startWebWorld();
    const out: string[] = [];
    for (const pattern of patterns()) {
      const page = await openAsRoot(server.port, examples[pattern] ?? '', TABLET);
      await shown(page);
      await eachPart(page, async (part) => {
        out.push(...(await overflowing(page)).map((each) => `${pattern} ${part}: ${each}`));
      });
      await page.context().close();
    }
    assert.deepEqual(out, []);
  }).timeout(TIMEOUT_MS);
});
