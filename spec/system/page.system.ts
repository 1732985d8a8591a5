/**
 * The page over a large catalog, in a real browser: how soon there is something to see, how it scrolls, how soon
 * a change that is made elsewhere is seen, what it comes to when its server is killed, and whether it grows
 * by as many changes as twelve hours have, one a second.
 *
 *   node --import tsx spec/system/page.system.ts [services, 10000] [instances, 100000] [changes, 300] [of the day, 43200]
 *
 * Times are from the moment in which a write was sent to the first frame that shows it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { closeBrowser } from '../support/browser.ts';
import { LargeCatalog } from '../support/experiments/page/large-catalog.ts';
import { toldOf } from '../support/experiments/page/page-size.ts';
import { WatchedPage } from '../support/experiments/page/watched-page.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { closePages } from '../support/open-pages.ts';
import { processorSeconds, residentMb } from '../support/processor.ts';
import { SEED } from '../support/seed.ts';
import { type Proconsul, startProconsul } from '../support/servers/proconsul.ts';
import { sleep } from '../support/sleep.ts';
import { report } from './report.ts';

const [services = 10_000, instances = 100_000, changes = 300, ofTheDay = 43_200] = process.argv
  .slice(2)
  .map(Number);
const folder = mkdtempSync(path.join(tmpdir(), 'proconsul-page-'));
/** The bars. */
const FIRST_PAINT_MS = 1000;
const FRAME_MS = { median: 17.5, p99: 34 };
const CHANGE_MS = 300;
const GROWTH = 1.1;
const MOST_HEAP_MB = 96;
/** Between two changes rests as long as people and machines do, and never as long as twice. */
const MOST_REST_MS = 600;
const FRAMES = 600;
/** In a frame: a wheel that is turned on and on, a screen that is flicked, a scroll bar that is dragged. */
const SPEEDS = [
  ['by the wheel', 60],
  ['by flicks', 250],
  ['by the scroll bar', 2500],
] as const;
/** Beside the page a list of text alone, of so many lines. */
const BARE_ROWS = 5000;
/** So many writes of the day come in one transaction. */
const BATCH = 20;

interface World {
  readonly say: (line: string) => void;
  readonly expect: (holds: boolean, line: string) => void;
  readonly catalog: LargeCatalog;
  readonly server: () => Proconsul;
  readonly restart: () => Promise<void>;
}

await report(async (say) => {
  let failed = 0;
  let server: Proconsul | undefined;
  const start = async () => {
    const args = ['-server', '-bootstrap-expect=1', '-ui', `-data-dir=${folder}`];
    server = await startProconsul(args, server?.port);
    return server;
  };
  const { port } = await start();
  const catalog = new LargeCatalog(port, services, instances);
  const world: World = {
    say,
    expect: (holds, line) => {
      if (!holds) failed++;
      say(`${holds ? '' : 'FAILS: '}${line}`);
    },
    catalog,
    server: () => server as Proconsul,
    restart: async () => void (await start()),
  };
  try {
    await catalog.fill();
    say(`${instances} instances of ${services} services; ${residentMb(world.server().pid)} MB`);
    const page = await firstSight(world);
    await scrolling(world, page);
    await changing(world, page);
    await killed(world, page);
    await aDay(world, page);
  } finally {
    catalog.end();
    await closePages().catch((error: unknown) => {
      failed++;
      say(`FAILS: ${String(error)}`);
    });
    await closeBrowser();
    rmSync(folder, { recursive: true, force: true });
  }
  return failed;
});

/** Opened by one whom nobody was before, then by one who comes after others. */
async function firstSight({ expect, server }: World): Promise<WatchedPage> {
  const address = `http://127.0.0.1:${server().port}/ui/dc1/services`;
  for (const who of ['the first', 'the next']) {
    const page = await WatchedPage.open(address);
    const { paint, rows } = await page.firstSight();
    const line = `${who} who opens it: first paint after ${paint} ms, first rows after ${rows} ms`;
    expect(paint < FIRST_PAINT_MS, line);
    if (who === 'the next') return page;
    await page.close();
  }
  throw new Error('nobody opened it');
}

interface Frames {
  readonly median: number;
  readonly p99: number;
  readonly blank: number;
}

/**
 * A browser without a screen draws by the processor, and what else runs takes frames away: where a list of text alone
 * misses the bars on this machine, nothing is shown of the page by missing them too.
 */
async function scrolling({ expect, say, server }: World, page: WatchedPage): Promise<void> {
  const bare = await WatchedPage.open(`http://127.0.0.1:${server().port}/ui/dc1/services`);
  await bare.firstSight();
  await bare.bare(BARE_ROWS);
  const isWell = ({ median, p99 }: Frames) => median <= FRAME_MS.median && p99 <= FRAME_MS.p99;
  for (const [how, pixels] of SPEEDS) {
    const best = framesOf(await bare.scrolled(FRAMES, pixels));
    const before = await page.workedMs();
    const own = framesOf(await page.scrolled(FRAMES, pixels));
    const worked = ((await page.workedMs()) - before) / FRAMES;
    const line = `${FRAMES} frames ${how}, ${pixels} pixels each: median ${own.median} ms, p99 ${own.p99} ms, ${own.blank} without rows, ${worked.toFixed(1)} ms of work each; text alone: median ${best.median} ms, p99 ${best.p99} ms`;
    if (own.blank === 0 && !isWell(own) && !isWell(best)) say(`NOT SHOWN HERE: ${line}`);
    else expect(own.blank === 0 && isWell(own), line);
  }
  await bare.close();
}

function framesOf({ times, blank }: { times: readonly number[]; blank: number }): Frames {
  return { median: shareOf(times, 0.5), p99: shareOf(times, 0.99), blank };
}

async function changing({ expect, say, catalog, server }: World, page: WatchedPage): Promise<void> {
  const random = seededRandom(SEED);
  const times: number[] = [];
  const before = processorSeconds(server().pid);
  const worked = await page.workedMs();
  for (let i = 0; i < changes; i++) {
    const at = Math.floor(random.next() * instances);
    const name = catalog.serviceOf(at);
    for (const status of ['critical', 'passing']) {
      await sleep(random.next() * MOST_REST_MS);
      const seen = page.says(name, `1 of ${catalog.copies}`, status === 'critical');
      const sent = Date.now();
      await catalog.write([catalog.check(at, status)]);
      times.push((await seen) - sent);
    }
  }
  const used = (processorSeconds(server().pid) - before) / times.length;
  const [p50, p99] = [shareOf(times, 0.5), shareOf(times, 0.99)];
  expect(
    p99 < CHANGE_MS,
    `${times.length} changes made elsewhere: seen p50 ${p50} ms, p99 ${p99} ms, most ${shareOf(times, 1)} ms later`,
  );
  const work = ((await page.workedMs()) - worked) / times.length;
  say(
    `for a change, with the page open: ${(used * 1000).toFixed(1)} ms of the server's processor, ${work.toFixed(1)} ms of the page's work`,
  );
}

async function killed({ expect, catalog, server, restart }: World, page: WatchedPage) {
  const from = Date.now();
  const lost = page.status('cannot be reached');
  await server().kill();
  const lostAfter = (await lost) - from;
  const isStill = await page.hasRows();
  await restart();
  const served = Date.now();
  const back = (await page.status('')) - served;
  const seen = page.says(catalog.serviceOf(7), `1 of ${catalog.copies}`);
  await catalog.write([catalog.check(7, 'critical')]);
  await seen;
  await catalog.write([catalog.check(7, 'passing')]);
  expect(
    isStill,
    `killed: said after ${lostAfter} ms, the rows ${isStill ? 'stay' : 'are gone'}; started again: back after ${back} ms, and live`,
  );
}

/** What is there at the end of it is what was there at its beginning, so all that has grown is kept in vain. */
async function aDay({ expect, say, catalog, server }: World, page: WatchedPage): Promise<void> {
  const random = seededRandom(SEED);
  const sizes = [await page.size()];
  let rounds = 0;
  const before = processorSeconds(server().pid);
  const memory = residentMb(server().pid);
  for (let done = 0; done < ofTheDay; rounds++) {
    const ops: object[] = [];
    const guest = catalog.guest(rounds, 'set');
    for (let i = 0; i < BATCH / 2; i++) {
      const at = Math.floor(random.next() * instances);
      ops.push(catalog.check(at, 'critical', `refused at ${rounds}`));
      ops.push(catalog.check(at, 'passing', `200 at ${rounds}`));
    }
    await page.reaches(await catalog.write([guest, ...ops]));
    await page.reaches(await catalog.write([catalog.guest(rounds, 'delete'), ...ops.slice(-1)]));
    done += ops.length + 3;
    if (rounds % 100 === 99) await page.walk();
    if (done >= ofTheDay / 2 && sizes.length === 1) sizes.push(await page.size());
  }
  sizes.push(await page.size());
  const [start, , end] = sizes.map(({ heapMb }) => heapMb) as [number, number, number];
  const told = sizes.map(toldOf);
  expect(
    end <= start * GROWTH + 1 && end < MOST_HEAP_MB,
    `${ofTheDay} changes in ${rounds} rounds; the page after GC at start, middle, end: ${told.join('; ')}`,
  );
  const used = ((processorSeconds(server().pid) - before) / ofTheDay) * 1000;
  say(
    `the server's processor for a change of the day: ${used.toFixed(2)} ms; its memory ${memory.toFixed(0)} MB, then ${residentMb(server().pid).toFixed(0)}`,
  );
}

function shareOf(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  return Math.round((sorted[at] ?? Number.NaN) * 10) / 10;
}
