/**
 * Each page there is, left open for an hour in which something changes each second, of all that there is to be seen:
 * whether it holds more at the end than in the middle.
 *
 *   node --import tsx spec/system/page-hour.system.ts [changes, 3600] [only the pages whose address begins so, or so, with commas between] [at once, 6]
 *
 * So many pages are open at once, each as the only window of its browser, and see the same changes. `''` begins every address.
 */
import type { CDPSession, Page } from 'playwright-core';
import { closeBrowser } from '../support/browser.ts';
import { type Size, sizeOf, toldOf } from '../support/experiments/page/page-size.ts';
import { closePages } from '../support/open-pages.ts';
import { send } from '../support/servers/start-server.ts';
import { sleep } from '../support/sleep.ts';
import { ROOT } from '../support/web-server.ts';
import { openAsRoot, patterns, shown, startWebWorld, type WebWorld } from '../support/web-world.ts';
import { report } from './report.ts';

const [changes = '3600', beginning = '', atOnce = '6'] = process.argv.slice(2);
/** As long as the page rests between two questions, and a little more: it sees each round. */
const ROUND_MS = 200;
/** It may run beside whatever else a machine does. */
const PATIENCE_MS = 300_000;
const GROWTH = { heap: 1.1, heapMb: 1, nodes: 1.1, moreNodes: 300, listeners: 20 };

await report(async (say) => {
  const world = await startWebWorld();
  const change = changing(world);
  const wanted = patterns().filter((each) =>
    beginning.split(',').some((some) => each.startsWith(some)),
  );
  let failed = 0;
  for (let at = 0; at < wanted.length; at += Number(atOnce)) {
    const some = wanted.slice(at, at + Number(atOnce));
    try {
      failed += await anHour(world, some, change, say);
    } catch (error) {
      // A browser that somebody ended, or that crashed, takes no more than these with it.
      say(`FAILS: ${some.join(', ')}: ${error instanceof Error ? error.message : String(error)}`);
      failed += some.length;
    } finally {
      await closePages().catch((error: unknown) => say(String(error)));
      await closeBrowser().catch(() => undefined);
    }
  }
  return failed;
});

/** How many of them hold more at its end. */
async function anHour(
  world: WebWorld,
  some: readonly string[],
  change: (round: number) => Promise<number>,
  say: (line: string) => void,
): Promise<number> {
  const open: Open[] = [];
  // One after the other: all at once are late where the machine is busy.
  for (const pattern of some) open.push(await opened(world, pattern));
  const begun = Date.now();
  let [done, rounds] = [0, 0];
  while (done < Number(changes)) {
    done += await change(rounds++);
    await sleep(ROUND_MS);
    if (done >= Number(changes) / 2 && open[0]?.sizes.length === 1) await measured(open);
  }
  await measured(open);
  say(`${done} changes in ${Math.round((Date.now() - begun) / 1000)} s:`);
  let failed = 0;
  for (const each of open) failed += (await hasHeld(each, say)) ? 0 : 1;
  return failed;
}

interface Open {
  readonly pattern: string;
  readonly page: Page;
  readonly devtools: CDPSession;
  /** At the beginning, in the middle and at the end. */
  readonly sizes: Size[];
}

async function opened({ server, examples }: WebWorld, pattern: string): Promise<Open> {
  const page = await openAsRoot(server.port, examples[pattern] ?? '');
  page.setDefaultTimeout(PATIENCE_MS);
  await shown(page);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
  return { pattern, page, devtools, sizes: [await sizeOf(devtools)] };
}

async function measured(all: readonly Open[]): Promise<void> {
  for (const { devtools, sizes } of all) sizes.push(await sizeOf(devtools));
}

async function hasHeld({ pattern, page, sizes }: Open, say: (line: string) => void) {
  const holds = hasNotGrown(sizes);
  const told = sizes.map(toldOf);
  say(`${holds ? '' : 'FAILS: '}${pattern}: ${told.join('; ')}`);
  await page.context().close();
  return holds;
}

/** What is bounded, as a history, may fill up until the middle. */
function hasNotGrown([, middle, end]: readonly Size[]): boolean {
  if (middle === undefined || end === undefined) return false;
  return (
    end.heapMb <= middle.heapMb * GROWTH.heap + GROWTH.heapMb &&
    end.nodes <= middle.nodes * GROWTH.nodes + GROWTH.moreNodes &&
    end.listeners <= middle.listeners + GROWTH.listeners
  );
}

/** Of each kind of thing one that pages show; comes to how many changes there were. */
function changing({ server: { port }, examples }: WebWorld): (round: number) => Promise<number> {
  const [policy, role] = ['policies', 'roles'].map((kind) =>
    (examples[`access/${kind}/:id`] ?? '').replace(/.*\//, ''),
  );
  const ask = async <T>(method: string, path: string, body: object | string): Promise<T> => {
    const sent = { body, headers: { 'X-Consul-Token': ROOT } };
    let answer = await send(port, method, path, sent);
    // What was late on a machine that does much else was not begun.
    while (answer.status === 408) answer = await send(port, method, path, sent);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return (answer.text === '' ? undefined : answer.json) as T;
  };
  const put = <T>(path: string, body: object | string) => ask<T>('PUT', path, body);
  return async (round) => {
    const n = `${round % 50}`;
    const { ID } = await put<{ ID: string }>('/v1/session/create', {
      Name: `s${n}`,
      Node: 'm1',
      Checks: [],
    });
    const of: readonly (readonly [path: string, body: object | string])[] = [
      ['/v1/catalog/register', instance(`web-${n}`, 'critical', `refused ${round}`)],
      ['/v1/catalog/register', instance(`web-${n}`, 'passing', `200 at ${round}`)],
      ['/v1/catalog/register', instance('web', round % 2 ? 'passing' : 'critical', `${round}`)],
      ['/v1/kv/shop/limits.yaml', `# ${round}\norders: ${round}\n`],
      [`/v1/kv/shop/new-${n}?acquire=${ID}`, n],
      [`/v1/session/destroy/${ID}`, ''],
      ['/v1/event/fire/deploy', n],
      ['/v1/connect/intentions/exact?source=web&destination=db', intention(n)],
      ['/v1/config', { Kind: 'service-defaults', Name: 'web', Protocol: 'http', Meta: { n } }],
      ['/v1/coordinate/update', place('m1', round)],
      ['/v1/coordinate/update', place('m2', round * 2)],
      [`/v1/acl/policy/${policy}`, { ID: policy, Name: 'reader', Description: n }],
      [`/v1/acl/role/${role}`, { ID: role, Name: 'readers', Description: n }],
    ];
    for (const [path, body] of of) await put(path, body);
    const gone = { Node: 'm1', ServiceID: `web-${n}` };
    await put('/v1/catalog/deregister', gone);
    return of.length + 2;
  };
}

function instance(ID: string, Status: string, Output: string): object {
  const CheckID = `${ID}:http`;
  return {
    ...{ Node: 'm1', Address: '10.0.0.1', Service: { Service: 'web', ID, Port: 8080 } },
    Check: { CheckID, Name: 'HTTP', ServiceID: ID, Status, Output },
  };
}

function intention(n: string): object {
  return { Action: 'deny', Description: `as of ${n}` };
}

function place(Node: string, ms: number): object {
  const Vec = [ms / 1000, 0, 0, 0, 0, 0, 0, 0];
  return { Node, Coord: { Vec, Error: 0.5, Adjustment: 0, Height: 0.0001 } };
}
