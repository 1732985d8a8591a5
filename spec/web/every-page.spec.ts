/** What holds of each page there is, by the table of pages: a new one is looked at by itself. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { barriersOn, describePage, SCREENS } from '../support/browser.ts';
import { fits } from '../support/page-width.ts';
import { send } from '../support/servers/start-server.ts';
import { ROOT } from '../support/web-server.ts';
import {
  eachPart,
  openAsRoot,
  patterns,
  shown,
  startWebWorld,
  type WebWorld,
} from '../support/web-world.ts';

type Opening = (page: Page, world: WebWorld) => Promise<unknown>;

const DESK = SCREENS.light.viewport;
const WALL = { width: 3840, height: 2160 };

interface Look {
  readonly colorScheme: 'light' | 'dark';
  readonly language: 'en' | 'zh';
  /** A phone stays one. */
  readonly viewport?: typeof DESK | typeof WALL;
  /** Axe takes longer than all else: it reads each screen, scheme and language beside each other. */
  readonly isRead?: true;
}

/** One page goes through them without being loaded anew. */
const LOOKS: Readonly<Record<'desk' | 'phone', readonly Look[]>> = {
  desk: [
    { colorScheme: 'light', language: 'en', viewport: DESK, isRead: true },
    { colorScheme: 'light', language: 'zh', viewport: DESK },
    { colorScheme: 'dark', language: 'zh', viewport: WALL, isRead: true },
    { colorScheme: 'dark', language: 'en', viewport: WALL },
  ],
  phone: [
    { colorScheme: 'light', language: 'zh', isRead: true },
    { colorScheme: 'dark', language: 'en', isRead: true },
  ],
};

let meanwhile = 0;

type Openings = Readonly<Record<string, readonly [address: string, open: Opening]>>;

const LIMITS = `kv?key=${encodeURIComponent('shop/limits.yaml')}`;

/** What stands on a page once somebody has opened it. */
const OPENED: Readonly<Record<string, Openings>> = {
  'more of a key': {
    'what it said before, against now': [
      LIMITS,
      async (page) => {
        await page.locator('.kv-history summary').click();
        await page.locator('.revision button').first().click();
        await page.locator('.diff .removed').first().waitFor();
      },
    ],
    'who has its lock': [
      `kv?key=${encodeURIComponent('shop/leader')}`,
      (page) => page.locator('.kv-lock a').waitFor(),
    ],
    'that somebody else has written it meanwhile': [
      LIMITS,
      async (page, { server }) => {
        await page.locator('.kv-editor textarea').fill('orders: {}\n');
        // What it says already is no news.
        const body = `orders: ${meanwhile++}\n`;
        const sent = { body, headers: { 'X-Consul-Token': ROOT } };
        await send(server.port, 'PUT', '/v1/kv/shop/limits.yaml', sent);
        await page.locator('.kv-editor [role=alert]').waitFor();
      },
    ],
  },
  'what somebody sees without a token': {
    nothing: ['services', loggedOut],
    'what anybody may': [
      'services/web',
      async (page, world) => {
        const body = { Policies: [{ Name: 'reader' }] };
        const sent = { body, headers: { 'X-Consul-Token': ROOT } };
        await send(world.server.port, 'PUT', `/v1/acl/token/${ANONYMOUS}`, sent);
        await loggedOut(page);
        await page.locator('.partial a').first().waitFor();
      },
    ],
  },
  'something before, or in the middle of, all else': {
    'the way to the other pages': [
      'services',
      async (page) => {
        const menu = page.locator('.menu-button');
        if (await menu.isVisible()) await menu.click();
      },
    ],
    'what is asked before something is done': [
      'nodes/m1',
      async (page) => {
        await page.locator('main > .heading .actions button').last().click();
        await page.getByRole('dialog').locator('summary').click();
      },
    ],
    'what the keyboard does': [
      'services',
      async (page) => {
        await page.keyboard.press('?');
        await page.getByRole('dialog').waitFor();
      },
    ],
    'the service that a topology is about': ['topology?focus=web', shown],
  },
  'that there is none': {
    'of queries': ['queries/nearest', shown],
    'of pages': ['nowhere', shown],
    'of kinds of access': ['access/new/nothing', shown],
  },
};

const ANONYMOUS = '00000000-0000-0000-0000-000000000002';

async function loggedOut(page: Page): Promise<void> {
  await page.evaluate('localStorage.clear()');
  await page.reload();
  await shown(page);
}

/** Several looks a page, on a machine that may be busy. */
const TIMEOUT_MS = 400_000;
/** Of all that one page asks for before it shows what it is about. */
const MOST_BYTES = 150 * 1024;

/** Those of one kind have one server and one window: to begin one of either takes as long as several looks. */
function byKind(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const pattern of patterns()) {
    const [kind = ''] = pattern.split('/');
    found.set(kind, [...(found.get(kind) ?? []), pattern]);
  }
  return found;
}

describePage('every page', () => {
  for (const [kind, all] of byKind()) {
    it(`is read by everybody, on each screen, in each language, each part of it; small, still, and gone through by the keyboard alone: ${all.join(', ')}`, async () => {
      const world = await startWebWorld();
      const addresses = all.map((pattern) => {
        const address = world.examples[pattern];
        assert.ok(address !== undefined, `${pattern}: give an example of it in web-world.ts`);
        return address;
      });
      await isGuarded(world, kind);
      await areRead(world, addresses);
    }).timeout(TIMEOUT_MS);
  }

  for (const [kind, all] of Object.entries(OPENED)) {
    it(`is read by everybody, and by the keyboard alone, where it shows ${kind}: ${Object.keys(all).join('; ')}`, async () => {
      const world = await startWebWorld();
      for (const [address, open] of Object.values(all)) await areRead(world, [address], open);
    }).timeout(TIMEOUT_MS);
  }
});

async function isGuarded({ server }: WebWorld, address: string): Promise<void> {
  const { headers } = await send(server.port, 'GET', `/ui/dc1/${address}`, {});
  const policy = String(headers['content-security-policy']);
  assert.match(policy, /^default-src 'none'; script-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  assert.equal(headers['cache-control'], 'no-cache');
}

/** One after the other in a window for each screen. `open`: what somebody does there first. */
async function areRead(
  world: WebWorld,
  addresses: readonly string[],
  open?: Opening,
): Promise<void> {
  const { port } = world.server;
  for (const name of ['desk', 'phone'] as const) {
    const screen = name === 'phone' ? { ...SCREENS.phone, locale: 'zh-CN' } : SCREENS.light;
    const page = await openAsRoot(port, addresses[0] ?? '', screen);
    for (const [i, address] of addresses.entries()) {
      if (i > 0) await page.goto(`http://127.0.0.1:${port}/ui/dc1/${address}`);
      await shown(page);
      if (open === undefined) await isSmall(page, address);
      await open?.(page, world);
      const mayBeNarrow = open !== undefined || address.includes('/new');
      await eachPart(page, async (part) => {
        const where = [address, name, part].join(' ');
        for (const look of LOOKS[name]) await isReadSo(page, look, { where, mayBeNarrow });
        if (name === 'desk') await isStillAndReached(page, where);
      });
    }
    await page.context().close();
  }
}

async function isSmall(page: Page, address: string): Promise<void> {
  const bytes = await loaded(page);
  assert.ok(bytes > 0 && bytes < MOST_BYTES, `${address}: ${bytes}`);
}

interface Place {
  readonly where: string;
  /** A form is as wide as it can be read, and so is a sentence. */
  readonly mayBeNarrow: boolean;
}

async function isReadSo(page: Page, look: Look, { where: at, mayBeNarrow }: Place): Promise<void> {
  const where = `${at} ${JSON.stringify(look)}`;
  await looksSo(page, look);
  if (look.isRead) assert.deepEqual(await barriersOn(page), [], where);
  await fits(page, where);
  assert.deepEqual(await wordless(page), [], where);
  if (look.viewport === WALL && !mayBeNarrow)
    assert.ok((await usedWidth(page)) > 0.6, `${where}: ${await usedWidth(page)}`);
}

/** For whoever wants nothing to move, and has no pointer. */
async function isStillAndReached(page: Page, where: string): Promise<void> {
  await looksSo(page, { colorScheme: 'light', language: 'en', viewport: DESK });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  assert.deepEqual(await moving(page), [], where);
  assert.deepEqual(await unreached(page), [], where);
  await page.emulateMedia({ reducedMotion: null });
}

async function looksSo(page: Page, { colorScheme, language, viewport }: Look): Promise<void> {
  await page.emulateMedia({ colorScheme });
  if (viewport !== undefined) await page.setViewportSize(viewport);
  // On a phone it is where nobody has opened it.
  await page.locator('#navigation select').evaluate((select, wanted) => {
    (select as { value?: string }).value = wanted;
    select.dispatchEvent(new Event('change', { bubbles: true }));
  }, language);
  await page.evaluate(
    'new Promise((over) => requestAnimationFrame(() => requestAnimationFrame(over)))',
  );
}

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

/** Of so many Tabs one looks whether all was come to. */
const TABS_A_LOOK = 8;

/** What can be used and no Tab comes to, or what is not seen to be where the keyboard is. */
async function unreached(page: Page): Promise<readonly string[]> {
  const left: number = await page.evaluate(`(() => {
    // What lies behind a question waits for its answer.
    const can = [...(document.querySelector('dialog:modal') ?? document).querySelectorAll(
      'a[href], button, input, select, textarea, summary, [tabindex], [contenteditable]',
    )].filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.disabled && each.tabIndex >= 0);
    // Of radio buttons of one name, and of tabs, one is come to; arrows lead to the others.
    globalThis.waiting = new Set(can.filter((each) => each.type !== 'radio' || each.checked));
    globalThis.unseen = [];
    document.activeElement?.blur();
    let isLooking = false;
    globalThis.noteFocus = ({ target: at }) => {
      if (isLooking) return;
      isLooking = true;
      globalThis.waiting.delete(at);
      const seen = look(at);
      at.blur();
      if (look(at) === seen) globalThis.unseen.push('focus is not seen on ' + at.outerHTML.slice(0, 200));
      at.focus({ preventScroll: true });
      isLooking = false;
    };
    document.addEventListener('focusin', globalThis.noteFocus);
    return globalThis.waiting.size;
    function look(element) {
      const around = [element, element.parentElement, ...element.querySelectorAll('rect')];
      return [...around.map((each) => getComputedStyle(each)), getComputedStyle(element, '::after')]
        .map((style) => [style.outline, style.boxShadow, style.backgroundColor, style.stroke, style.strokeWidth].join())
        .join(' ');
    }
  })()`);
  for (let i = 1; i <= left + 20; i++) {
    await page.keyboard.press('Tab');
    if (i % TABS_A_LOOK === 0 && (await page.evaluate('globalThis.waiting.size')) === 0) break;
  }
  return page.evaluate(`(() => {
    document.removeEventListener('focusin', globalThis.noteFocus);
    const missed = [...globalThis.waiting].map((each) => 'no Tab comes to ' + each.outerHTML.slice(0, 200));
    return [...missed, ...globalThis.unseen];
  })()`);
}
