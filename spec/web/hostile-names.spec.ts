/** Names that strangers may give, on every page: they are shown, do nothing, and lead nothing out of the screen. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { describePage, SCREENS } from '../support/browser.ts';
import { fits } from '../support/page-width.ts';
import { send } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';
import { startWebServer, type WebServer } from '../support/web-server.ts';

const LONGEST = 'l'.repeat(3000);
const NAMES = [
  '<script>window.ran = 1</script>',
  '"><img src=x onerror="window.ran=1">',
  `it's "quoted" \`twice\``,
  'javascript:window.ran=1',
  '$' + '{window.ran=1}{{window.ran=1}}',
  'two\nlines',
  'a b',
  '?a#b&c=d+e',
  '%2f..%2F%00',
  '\\..\\x',
  '/',
  'esc\u001b[31m\u0007',
  '..',
  '.',
  '~..',
  '__proto__',
  'constructor',
  'toString',
  LONGEST,
  '\u202egnp.exe\u202c',
  '\u05e9\u05dc\u05d5\u05dd',
  '👾\u200d键',
] as const;
/** Each on some twenty pages and on two screens or three, on a machine that may be busy. */
const TIMEOUT_MS = 900_000;
const LONG_MS = 60_000;
const KEY = 'k'.repeat(128);

const q = encodeURIComponent;

/** Of everything one that is called so; what a server refuses is not there. */
async function fill({ process }: WebServer): Promise<ReadonlyMap<string, string>> {
  const queries = new Map<string, string>();
  const say = async (method: string, path: string, body: object | string) =>
    await send(process.port, method, path, { body });
  for (const name of NAMES) {
    const Mesh = {
      DestinationServiceName: name,
      Upstreams: [{ DestinationName: name, LocalBindPort: 1 }],
    };
    for (const more of [{}, { Kind: 'connect-proxy', ID: `${name}-proxy`, Proxy: Mesh, Port: 1 }]) {
      const { status, text } = await say('PUT', '/v1/catalog/register', {
        Node: name,
        Address: name,
        NodeMeta: { said: name.slice(0, 500), [KEY]: 'x' },
        Service: {
          Service: name,
          ID: name,
          Tags: [name],
          Meta: { said: name.slice(0, 500), [KEY]: 'x' },
          ...more,
        },
        Checks: [
          { CheckID: `${name} of`, ServiceID: name, Name: name, Status: 'critical', Output: name },
          { CheckID: name, Name: name, Status: 'warning', Notes: name },
        ],
      });
      assert.equal(status, 200, text);
    }
    const KV = { Verb: 'set', Key: name, Value: Buffer.from(name).toString('base64') };
    await say('PUT', '/v1/txn', [{ KV }]);
    await say('PUT', '/v1/session/create', { Name: name, Node: name, NodeChecks: [] });
    await say('PUT', `/v1/event/fire/${q(name)}`, name);
    await say('PUT', `/v1/connect/intentions/exact?source=${q(name)}&destination=${q(name)}`, {
      Action: 'deny',
      Description: name,
      Meta: { said: name.slice(0, 500), [KEY]: 'x' },
    });
    await say('PUT', '/v1/config', {
      Kind: 'service-defaults',
      Name: name,
      Meta: { said: name.slice(0, 500), [KEY]: 'x' },
    });
    const query = { Name: name, Service: { Service: name, Tags: [name], Near: name } };
    const { json } = await say('POST', '/v1/query', query);
    queries.set(name, (json as { ID?: string } | undefined)?.ID ?? '');
  }
  return queries;
}

/** As if somebody went there by a link, which loads nothing anew. */
async function goTo(page: Page, parts: readonly string[], query = ''): Promise<void> {
  const dots = (part: string) => (/^~*\.{1,2}$/.test(part) ? `~${part}` : part);
  const address = `/ui/dc1/${parts.map((part) => q(dots(part))).join('/')}${query}`;
  await page.evaluate(
    `history.pushState(null, '', ${JSON.stringify(address)}); dispatchEvent(new PopStateEvent('popstate'))`,
  );
}

/** Once the page of it has come: nothing ran, nothing broke, and nothing leads out of the screen. */
async function stands(page: Page, title: string, where: string): Promise<void> {
  const heading = page.locator('main h1').first();
  let seen: string | null = '';
  await until(
    async () => {
      seen = (await heading.count()) === 0 ? null : await heading.textContent();
      return seen === title && (await page.locator('main .loading').count()) === 0;
    },
    () => `${where}: ${String(seen)}`,
    LONG_MS,
  );
  const found = await page.evaluate<readonly unknown[]>(
    '[window.ran, {}.polluted, document.querySelectorAll("main img, main script").length]',
  );
  assert.deepEqual(found, [undefined, undefined, 0], where);
  assert.equal(await page.getByText('This page has failed').count(), 0, where);
  const isLong = !NAMES.some((name) => name !== LONGEST && title.startsWith(name));
  await fitsAll(page, where, isLong);
}

/** Where lists still stand in columns, and have the least room for them. */
const TABLET = { width: 870, height: 800 };

/** First the screen that it has, then the others; of what is short it is enough that it fits a phone and a desk. */
async function fitsAll(page: Page, where: string, isLong = true): Promise<void> {
  const sizes = [SCREENS.light.viewport, ...(isLong ? [TABLET] : []), SCREENS.phone.viewport];
  if (page.viewportSize()?.width !== sizes[0]?.width) sizes.reverse();
  for (const size of sizes) {
    if (page.viewportSize()?.width !== size.width) await page.setViewportSize(size);
    await fits(page, `${where}, ${size.width} wide`);
  }
}

describePage('a name that a stranger gives', () => {
  it('is a name on each page of all things, and does nothing there', async () => {
    const server = await startWebServer();
    await fill(server);
    const page = await server.open('services');
    for (const [address, query, title] of [
      ['services', '', 'Services'],
      ['nodes', '', 'Nodes'],
      ['kv', '', 'Key/Value'],
      ['kv', '?deep=yes', 'Key/Value'],
      ['sessions', '', 'Sessions and locks'],
      ['queries', '', 'Prepared queries'],
      ['events', '', 'Events'],
      ['intentions', '', 'Intentions'],
      ['intentions', `?from=${q(NAMES[0])}&to=${q(NAMES[1])}`, 'Intentions'],
      ['config', '', 'Config entries'],
      ['topology', '', 'Topology'],
      ['cluster', `?name=${q(NAMES[0])}`, 'Cluster'],
    ] as const) {
      await goTo(page, [address], query);
      await stands(page, title, address + query);
    }
  }).timeout(TIMEOUT_MS);

  it('is a name on each page of one thing, to which its link leads', async () => {
    const server = await startWebServer();
    const queries = await fill(server);
    const page = await server.open('services');
    for (const name of NAMES) {
      await followsItsLink(page, name);
      for (const [parts, query, title] of placesOf(name, queries.get(name) ?? '')) {
        await goTo(page, parts, query);
        await stands(page, title, `${parts[0]} ${JSON.stringify(name).slice(0, 60)} ${query}`);
      }
      await isAskedAbout(page, name);
    }
  }).timeout(TIMEOUT_MS);
});

/** Which is among the rows, unless a browser reads another name there. */
async function followsItsLink(page: Page, name: string): Promise<void> {
  if (/\s/.test(name)) return;
  await goTo(page, ['services'], `?filter=${q(name.slice(0, 100))}`);
  await page.locator('.rows').getByRole('link', { name, exact: true }).first().click();
  await stands(page, name, `the link to ${JSON.stringify(name).slice(0, 60)}`);
}

type Spot = readonly [parts: readonly string[], query: string, title: string];

/** Each page that is about it, with each of its parts. */
function placesOf(name: string, query: string): readonly Spot[] {
  const shows = (parts: readonly string[], ...tabs: readonly string[]) =>
    ['', ...tabs].map((show): Spot => [parts, show === '' ? '' : `?show=${show}`, name]);
  return [
    ...shows(['services', name], 'intentions', 'routing', 'traffic', 'history'),
    ...shows(['services', name, name, name], 'details', 'meta', 'history'),
    ...shows(['nodes', name], 'checks', 'sessions', 'meta', 'history', 'distances'),
    [['intentions', name, name], '', `${name} → ${name}`],
    [['config', 'service-defaults', name], '', name],
    [['kv'], `?key=${q(name)}`, 'Key/Value'],
    [['topology'], `?focus=${q(name)}`, 'Topology'],
    ...(query === '' ? [] : shows(['queries', query])),
  ];
}

/** Whether it is to be taken out: what that comes to is said in a sentence, and in commands. */
async function isAskedAbout(page: Page, name: string): Promise<void> {
  await goTo(page, ['nodes', name]);
  const unaskable = page.locator('main > .empty');
  await page.getByRole('tab', { name: 'Round trips' }).or(unaskable).first().waitFor();
  await stands(page, name, 'what is asked about');
  // What the API takes in no path.
  if ((await unaskable.count()) > 0) return;
  const tabs = await page.getByRole('tablist').boundingBox();
  assert.ok(tabs !== null && tabs.y < SCREENS.phone.viewport.height / 2, `${tabs?.y}`);
  await page.getByRole('button', { name: 'Deregister' }).click();
  await page.getByRole('dialog').waitFor();
  await fitsAll(page, `the question about ${JSON.stringify(name).slice(0, 60)}`);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}
