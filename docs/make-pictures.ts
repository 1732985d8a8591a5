/**
 * The pictures of the page that README and docs show, of servers that live: one that has seen some days of a small
 * shop, and three on one Redis.
 *
 *   node --import tsx docs/make-pictures.ts [NAME of one]
 */
import { mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { closeBrowser, openPage, SCREENS } from '../spec/support/browser.ts';
import { Shop } from '../spec/support/experiments/page/shop.ts';
import { closePages } from '../spec/support/open-pages.ts';
import { Cluster } from '../spec/support/servers/cluster.ts';
import {
  killProconsuls,
  type Proconsul,
  startProconsul,
} from '../spec/support/servers/proconsul.ts';
import { startRedis, stopAllRedis } from '../spec/support/servers/redis.ts';
import { sleep } from '../spec/support/sleep.ts';

const FOLDER = fileURLToPath(new URL('./pictures', import.meta.url));
const TIME = new URL('../spec/support/experiments/page/passing-time.mjs', import.meta.url).href;
const HALF_HOUR = 30;
const STEPS = 3 * 24 * 60 - HALF_HOUR;
const STEP_MS = 60_000;
/** What is told of how a service answers is written as time goes on: the last half hour goes by so many times as fast. */
const LAG_MS = HALF_HOUR * STEP_MS;
const SPEED = 30;
const TOLD_EVERY_MS = 15_000;
const MOST_BYTES = 190_000;
/** Until what is live has come, and what moves has come to rest. */
const SETTLE_MS = 1500;

interface Picture {
  readonly name: string;
  readonly address: string;
  readonly screen: keyof typeof SCREENS;
  /** Of what is longer than a screen. */
  readonly height?: number;
  /** What somebody does there first. */
  readonly first?: (page: Page) => Promise<void>;
}

/** A person who looks at a moment some minutes ago. */
async function looksBack(page: Page): Promise<void> {
  const chart = page.getByRole('slider').last();
  await chart.focus();
  for (let step = 0; step < 20; step++) await page.keyboard.press('ArrowLeft');
}

const TRAFFIC = { address: 'services/checkout?show=traffic', first: looksBack };
const OF_SHOP: readonly Picture[] = [
  { name: 'traffic-light', ...TRAFFIC, screen: 'light', height: 850 },
  { name: 'traffic-dark', ...TRAFFIC, screen: 'dark', height: 850 },
  { name: 'traffic-phone', ...TRAFFIC, screen: 'phone', height: 1220 },
  { name: 'nodes-light', address: 'nodes', screen: 'light' },
  { name: 'service-phone', address: 'services/checkout', screen: 'phone' },
  { name: 'services-light', address: 'services', screen: 'light' },
  { name: 'services-dark', address: 'services', screen: 'dark' },
  { name: 'services-phone', address: 'services', screen: 'phone' },
  { name: 'service-light', address: 'services/checkout', screen: 'light' },
  { name: 'node-light', address: 'nodes/fra-3', screen: 'light' },
  { name: 'kv-dark', address: 'kv?folder=checkout/&key=checkout/limits.yaml', screen: 'dark' },
];
/** Of the shop too, once it is said who calls whom. */
const OF_CALLS: readonly Picture[] = [
  { name: 'topology-light', address: 'topology', screen: 'light' },
  { name: 'topology-dark', address: 'topology?focus=checkout', screen: 'dark' },
  { name: 'intentions-light', address: 'intentions', screen: 'light' },
];
const OF_CLUSTER: readonly Picture[] = [
  { name: 'cluster-light', address: 'cluster?name=checkout', screen: 'light', height: 1080 },
  { name: 'cluster-phone', address: 'cluster?name=checkout', screen: 'phone' },
];

/** By how many minutes are left. */
const HAPPENINGS = new Map<number, readonly ((shop: Shop) => Promise<void>)[]>([
  ...down('checkout', 'ams-1', 3900, 30),
  ...down('checkout', 'fra-3', 1230, 55),
  ...down('search', 'ams-3', 900, 9),
  ...down('checkout', 'fra-2', 700, 12),
  ...down('payments', 'fra-1', 97, 1),
  ...down('checkout', 'fra-3', 38, 999),
  ...down('mail', 'ams-3', 190, 999),
]);

function* down(service: string, node: string, from: number, minutes: number) {
  const turns = (status: 'critical' | 'passing') => (shop: Shop) =>
    shop.turns(service, node, status);
  yield [from, [turns('critical')]] as const;
  yield [from - minutes, [turns('passing')]] as const;
}

const [only] = process.argv.slice(2);
const wanted = ({ name }: Picture) => only === undefined || name.startsWith(only);
mkdirSync(FOLDER, { recursive: true });
try {
  await pictured(OF_SHOP.filter(wanted), async () => (await daysOfAShop()).port);
  await pictured(OF_CALLS.filter(wanted), async () => {
    const { port } = await startProconsul(['-dev', '-node=ams-4']);
    const shop = new Shop(port);
    await shop.open();
    await shop.calls();
    return port;
  });
  await pictured(OF_CLUSTER.filter(wanted), threeServers);
} finally {
  await closePages();
  await closeBrowser();
  await killProconsuls();
  await stopAllRedis();
}
process.exit();

async function pictured(pictures: readonly Picture[], begin: () => Promise<number>): Promise<void> {
  if (pictures.length === 0) return;
  const port = await begin();
  for (const { name, address, screen, height, first } of pictures) {
    const look = SCREENS[screen];
    const viewport = { ...look.viewport, ...(height !== undefined && { height }) };
    const url = `http://127.0.0.1:${port}/ui/dc1/${address}`;
    const page = await openPage(url, { ...look, viewport });
    await page.getByRole('heading', { level: 1 }).waitFor();
    await sleep(SETTLE_MS);
    await first?.(page);
    const path = `${FOLDER}/${name}.png`;
    await page.screenshot({ path });
    const { size } = statSync(path);
    process.stdout.write(
      `${name}: ${size} bytes${size > MOST_BYTES ? ', which is too large' : ''}\n`,
    );
  }
}

async function daysOfAShop(): Promise<Proconsul> {
  const server = await startProconsul(['-dev', '-node=ams-4'], undefined, {
    nodeOptions: `--import=${TIME}?steps=${STEPS}&ms=${STEP_MS}&lag=${LAG_MS}&speed=${SPEED}`,
  });
  const shop = new Shop(server.port);
  await shop.open();
  for (let left = STEPS; left > 0; left--) {
    for (const happens of HAPPENINGS.get(left + HALF_HOUR) ?? []) await happens(shop);
    server.signal('SIGUSR2');
    // A log that stands still knows nothing of the time.
    await shop.sells(left);
  }
  const end = Date.now() + LAG_MS / SPEED;
  while (Date.now() < end) {
    await shop.answers('checkout');
    await sleep(TOLD_EVERY_MS / SPEED);
  }
  // While pictures are made too, until the server is ended.
  const tell = () => void shop.answers('checkout').catch(() => undefined);
  setInterval(tell, TOLD_EVERY_MS).unref();
  tell();
  while (!(await shop.hasTold('checkout'))) await sleep(SETTLE_MS);
  await shop.turns('payments', 'fra-1', 'warning');
  return server;
}

/** Three that have lived through a crash of their Redis. */
async function threeServers(): Promise<number> {
  const cluster = await Cluster.start({ servers: 3, flags: ['-ui'] });
  const [first] = cluster.servers;
  const { redis } = cluster;
  const master = redis?.address ?? { host: '', port: 0 };
  await startRedis({ args: ['--replicaof', master.host, String(master.port)] });
  await new Shop(first?.port ?? 0).open();
  await redis?.admin.flushall();
  await redis?.kill();
  await redis?.start();
  // A machine that draws pictures may be slow, which is not what they are to show.
  const body = { CleanupDeadServers: true, LastContactThreshold: '10s', MaxTrailingLogs: 250 };
  await first?.ask('PUT', '/v1/operator/autopilot/configuration', { body });
  // Until each has been there for long enough to be called well.
  for (;;) {
    const state = await first?.ask('GET', '/v1/operator/autopilot/state');
    if ((state?.json as { Healthy?: boolean } | undefined)?.Healthy === true) break;
    await sleep(500);
  }
  return first?.port ?? 0;
}
