/**
 * Ordinary use for forty minutes: 500 services come and go over and over, 200 watchers follow them
 * with the indexes that they are given, keys change, and clients go away in the middle of a wait. At
 * the end a server and an agent hold no more than after the first quarter, and no socket is left.
 *
 *   node --import tsx spec/system/soak.system.ts [MINUTES]
 */
import { setMaxListeners } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AgentProcess, AgentProcesses } from '../support/servers/agent-processes.ts';
import { until } from '../support/until.ts';

const SERVICES = 500;
const WATCHERS = 200;
/** So that the load is an ordinary one, whatever the machine: a quarter of a core or so. */
const PAUSE_MS = 4;
const MAX_GROWTH = 1.3;
const LOOK_MS = 5000;
/** How often what is alive is looked at: the series tells growth from a moment's height. */
const PARTS = 8;
/** The share of a part, its last, in which that is looked at. */
const LOOKED_AT = 0.4;
/** Longer than an agent keeps an idle connection to its server: see agent/servers/ways.ts. */
const REST_MS = 75_000;
/** An agent has a connection on each of its ways to a server by then; at its start on some. */
const WAYS = 5;

interface Look {
  readonly heap: number;
  readonly rss: number;
  readonly files: number;
}

interface Done {
  registered: number;
  woken: number;
  abandoned: number;
  failed: number;
}

const [minutes = 40] = process.argv.slice(2).map(Number);
const print = (line: string) => void process.stdout.write(`${line}\n`);
const collector = new URL('../support/experiments/collect-on-signal.mjs', import.meta.url);
const looks = mkdtempSync(join(tmpdir(), 'soak-'));
collector.searchParams.set('looks', looks);
process.env['NODE_OPTIONS'] = `--import=${collector.href}`;
const processes = await AgentProcesses.create();
const ending = new AbortController();
setMaxListeners(0, ending.signal);
const done: Done = { registered: 0, woken: 0, abandoned: 0, failed: 0 };
const keepAlive = new Agent({ keepAlive: true, maxSockets: 1000 });

/** One request on a kept connection; its index, or undefined where it came to nothing. */
function ask(port: number, method: string, path: string, body = '', signal = ending.signal) {
  return new Promise<number | undefined>((resolve) => {
    const sent = request(
      { port, host: '127.0.0.1', method, path, agent: keepAlive, signal },
      (answer) => {
        answer.resume();
        answer.once('error', () => resolve(undefined));
        answer.once('end', () => {
          if (answer.statusCode !== 200) done.failed++;
          resolve(Number(answer.headers['x-consul-index'] ?? 0));
        });
      },
    );
    sent.once('error', () => {
      if (!signal.aborted) done.failed++;
      resolve(undefined);
    });
    sent.end(body);
  });
}

async function register({ ports }: AgentProcess): Promise<void> {
  while (!ending.signal.aborted) {
    for (let i = 0; i < SERVICES && !ending.signal.aborted; i++) {
      const Check = { TTL: '60s', Status: 'passing' };
      const service = { ID: `s${i}`, Name: `web-${i % 50}`, Port: 1000 + i, Tags: ['v1'], Check };
      await ask(ports.http, 'PUT', '/v1/agent/service/register', JSON.stringify(service));
      await ask(ports.http, 'PUT', `/v1/kv/config/web/${i}`, `${done.registered}`);
      done.registered++;
      await sleep(PAUSE_MS);
    }
    for (let i = 0; i < SERVICES && !ending.signal.aborted; i++) {
      await ask(ports.http, 'PUT', `/v1/agent/service/deregister/s${i}`);
      await sleep(PAUSE_MS);
    }
  }
}

async function watch({ ports }: AgentProcess, path: string): Promise<void> {
  let index = 0;
  while (!ending.signal.aborted) {
    index = (await ask(ports.http, 'GET', `${path}?index=${index}&wait=30s`)) ?? 0;
    done.woken++;
    await sleep(50);
  }
}

/** Each asks something that nobody asked before, and goes before it is answered. */
async function abandon({ ports }: AgentProcess): Promise<void> {
  for (let i = 0; !ending.signal.aborted; i++) {
    const gone = new AbortController();
    const path = `/v1/health/service/web-${i % 50}?index=99999999999&tag=t${i}&wait=60s`;
    const asked = ask(ports.http, 'GET', path, '', gone.signal);
    await sleep(50);
    gone.abort();
    await asked;
    done.abandoned++;
  }
}

/** What stays, as the process itself counts it right after its garbage was collected. */
async function look(process: AgentProcess): Promise<Look> {
  const file = join(looks, `${process.pid}`);
  rmSync(file, { force: true });
  process.signal('SIGUSR2');
  await until(
    () => existsSync(file),
    () => 'no look at the heap',
  );
  const { heap, rss } = JSON.parse(readFileSync(file, 'utf8'));
  const files = readdirSync(`/proc/${process.pid}/fd`).length;
  return { heap, rss, files };
}

/** The least of a while: an answer that is being written is no leak. */
async function least(process: AgentProcess, untilMs: number): Promise<Look> {
  const all: Look[] = [];
  do {
    all.push(await look(process));
    await sleep(LOOK_MS);
  } while (performance.now() < untilMs);
  const lowest = (of: (each: Look) => number) => Math.min(...all.map(of));
  return { heap: lowest((l) => l.heap), rss: lowest((l) => l.rss), files: lowest((l) => l.files) };
}

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
const shown = ({ heap, rss, files }: Look) => `heap ${mib(heap)}, RSS ${mib(rss)}, ${files} files`;

try {
  const server = await processes.server();
  await server.start();
  const agent = await processes.agent('a1', server);
  await agent.start();
  await sleep(3000);
  const both = [server, agent];
  const idle = await Promise.all(both.map(look));
  const began = performance.now();
  const at = (share: number) => began + share * minutes * 60_000;
  const load = [
    ...both.map(register),
    ...both.map(abandon),
    ...Array.from({ length: WATCHERS }, (_, i) =>
      watch(both[i % 2] as AgentProcess, `/v1/health/service/web-${i % 50}`),
    ),
  ];
  const series: Look[][] = [];
  for (let part = 1; part <= PARTS; part++) {
    await sleep(at((part - LOOKED_AT) / PARTS) - performance.now());
    const seen = await Promise.all(both.map((each) => least(each, at(part / PARTS))));
    print(`after ${((part / PARTS) * minutes).toFixed(0)} minutes: ${seen.map(shown).join('; ')}`);
    series.push(seen);
  }
  const early = series[PARTS / 4 - 1] ?? [];
  const late = series[PARTS - 1] ?? [];
  ending.abort();
  await Promise.all(load);
  keepAlive.destroy();
  await sleep(REST_MS);
  const after = await Promise.all(both.map(look));
  print(`without load: ${after.map(shown).join('; ')} (before it ${idle.map(shown).join('; ')})`);
  print(JSON.stringify(done));
  let failed = done.failed === 0 ? 0 : 1;
  for (const [i, name] of ['server', 'agent'].entries()) {
    const growth = (late[i]?.heap ?? Number.NaN) / (early[i]?.heap ?? Number.NaN);
    const rss = (late[i]?.rss ?? Number.NaN) / (early[i]?.rss ?? Number.NaN);
    const left = (after[i]?.files ?? Number.NaN) - (idle[i]?.files ?? Number.NaN);
    const more = (late[i]?.files ?? Number.NaN) - (early[i]?.files ?? Number.NaN);
    const holds = growth <= MAX_GROWTH && rss <= MAX_GROWTH && more <= 2 && left <= WAYS;
    if (!holds) failed++;
    const words = `heap × ${growth.toFixed(2)}, RSS × ${rss.toFixed(2)}, ${more} files more, ${left} without load`;
    print(`${holds ? 'ok  ' : 'FAIL'} ${name}: ${words}`);
  }
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  ending.abort();
  await processes.end();
  rmSync(looks, { recursive: true });
}
