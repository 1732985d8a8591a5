/** What holds of each page there is, by the table of pages: a new one is looked at by itself. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { overflowing } from '../support/page-width.ts';
import { SEED } from '../support/seed.ts';
import { send } from '../support/servers/start-server.ts';
import { openAsRoot, patterns, shown, startWebWorld, type WebWorld } from '../support/web-world.ts';

const WALL = { colorScheme: 'dark', viewport: { width: 3840, height: 2160 } } as const;
const CHINESE = { ...SCREENS.light, locale: 'zh-CN' };
const LOOKS = { ...SCREENS, '4K': WALL, 中文: CHINESE };
/** Several screens a page, on a machine that may be busy. */
const TIMEOUT_MS = 400_000;
/** Of all that one page asks for before it shows what it is about. */
const MOST_BYTES = 150 * 1024;

/** Every other one, the rest with the next page and with the next seed: all of them take five minutes. */
function looksOf(page: number) {
  return Object.entries(LOOKS).filter((_, i) => (i + page + SEED) % 2 === 0);
}

describePage('every page', () => {
  for (const [i, pattern] of patterns().entries()) {
    const addressIn = ({ examples }: WebWorld) => {
      const address = examples[pattern];
      assert.ok(address !== undefined, `${pattern}: give an example of it in web-world.ts`);
      return address;
    };

    it(`is read by everybody, on this screen and that, in this language and that: ${pattern} (seed ${SEED})`, async () => {
      const world = await startWebWorld();
      for (const [name, look] of looksOf(i)) {
        const page = await openAsRoot(world.server.port, addressIn(world), look);
        await shown(page);
        assert.deepEqual(await barriersOn(page), [], name);
        assert.deepEqual(await overflowing(page), [], name);
        assert.deepEqual(await wordless(page), [], name);
        // A form is as wide as it can be read.
        if (name === '4K' && !pattern.includes('/new'))
          assert.ok((await usedWidth(page)) > 0.6, `${await usedWidth(page)}`);
        await page.context().close();
      }
    }).timeout(TIMEOUT_MS);

    it(`is small, still, and gone through by the keyboard alone: ${pattern}`, async () => {
      const world = await startWebWorld();
      const address = addressIn(world);
      const { headers } = await send(world.server.port, 'GET', `/ui/dc1/${address}`, {});
      assert.match(
        String(headers['content-security-policy']),
        /^default-src 'none'; script-src 'self'/,
      );
      assert.doesNotMatch(String(headers['content-security-policy']), /unsafe|\*|https?:/);
      assert.equal(headers['cache-control'], 'no-cache');
      const page = await openAsRoot(world.server.port, address, { reducedMotion: 'reduce' });
      await shown(page);
      const bytes = await loaded(page);
      assert.ok(bytes > 0 && bytes < MOST_BYTES, `${bytes}`);
      assert.deepEqual(await moving(page), []);
      assert.deepEqual(await unreached(page), []);
    }).timeout(TIMEOUT_MS);
  }
});

/** As they came over the wire. */
function loaded(page: Page): Promise<number> {
  return page.evaluate(`performance.getEntriesByType('resource')
    .filter(({ name }) => name.includes('/assets/'))
    .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`);
}

/** Statuses and decisions that nothing but a colour says. */
function wordless(page: Page): Promise<readonly string[]> {
  return page.evaluate(`(() => {
    const said = (each) => (each.textContent + (each.getAttribute('aria-label') ?? '')).trim() !== '';
    const bare = [...document.querySelectorAll('.status, .decision')].filter((each) => !said(each));
    const bars = [...document.querySelectorAll('.bar')].filter(
      (each) => !said(each) && !said(each.parentElement),
    );
    const lines = [...document.querySelectorAll('.graph .line.deny')].filter(
      (each) => each.querySelector('.sign') === null,
    );
    return [...bare, ...bars, ...lines].map((each) => each.outerHTML.slice(0, 200));
  })()`);
}

/** How far to the right of what is the page's own something stands. */
function usedWidth(page: Page): Promise<number> {
  return page.evaluate(`(() => {
    const main = document.querySelector('main').getBoundingClientRect();
    const rights = [...document.querySelectorAll('main *')]
      .filter((each) => each.checkVisibility() && each.children.length === 0 && each.textContent.trim() !== '')
      .map((each) => each.getBoundingClientRect().right);
    return (Math.max(...rights) - main.left) / main.width;
  })()`);
}

/** Nothing is, so that nobody has to ask for it. */
function moving(page: Page): Promise<readonly string[]> {
  return page.evaluate(`[...document.querySelectorAll('*')].filter((each) => {
    const { transitionDuration, animationName } = getComputedStyle(each);
    return transitionDuration.split(', ').some((time) => time !== '0s') || animationName !== 'none';
  }).map((each) => each.outerHTML.slice(0, 200))`);
}

/** What can be used and no Tab comes to, or what is not seen to be where the keyboard is. */
async function unreached(page: Page): Promise<readonly string[]> {
  const left: number = await page.evaluate(`(() => {
    const can = [...document.querySelectorAll(
      'a[href], button, input, select, textarea, summary, [tabindex], [contenteditable]',
    )].filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled && each.tabIndex >= 0);
    // Of radio buttons of one name, and of tabs, one is come to; arrows lead to the others.
    globalThis.waiting = new Set(can.filter((each) => each.type !== 'radio' || each.checked));
    globalThis.unseen = [];
    document.activeElement?.blur();
    return globalThis.waiting.size;
  })()`);
  for (let i = 0; i < left + 20; i++) {
    await page.keyboard.press('Tab');
    const more: boolean = await page.evaluate(`(() => {
      const at = document.activeElement;
      globalThis.waiting.delete(at);
      if (at !== document.body) {
        const seen = look(at);
        at.blur();
        if (look(at) === seen) globalThis.unseen.push('focus is not seen on ' + at.outerHTML.slice(0, 200));
        at.focus({ preventScroll: true });
      }
      return globalThis.waiting.size > 0;
      function look(element) {
        const around = [element, element.parentElement, ...element.querySelectorAll('rect')];
        return [...around.map((each) => getComputedStyle(each)), getComputedStyle(element, '::after')]
          .map((style) => [style.outline, style.boxShadow, style.backgroundColor, style.stroke, style.strokeWidth].join())
          .join(' ');
      }
    })()`);
    if (!more) break;
  }
  return page.evaluate(
    `[...[...globalThis.waiting].map((each) => 'no Tab comes to ' + each.outerHTML.slice(0, 200)), ...globalThis.unseen]`,
  );
}
