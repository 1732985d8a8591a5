/**
 * Asks a real server for what makes it remember: queries that come to an error, large ones that are
 * given up, very many that wait; and asks one by DNS and HTTP that cannot read its log. One line a
 * promise; a failed one makes the exit code 1.
 *
 *   node --import tsx spec/system/trust/queries.system.ts [ABANDONED] [WAITING]
 *
 * ABANDONED (800) large queries are asked and given up, WAITING (10,000) small ones wait at once, for
 * which so many files must be allowed to be open, here and there.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askUdp } from '../../support/servers/dns-client.ts';
import { freePort } from '../../support/servers/free-ports.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../../support/servers/proconsul.ts';
import { send } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';
import { report, SHORT_MS } from '../report.ts';

const ABANDONED = Number(process.argv[2] ?? 800);
const WAITING = Number(process.argv[3] ?? 10_000);
const THROWING = 6000;
const INSTANCES = 400;
/** What the caches of answers and of their bytes may hold. */
const CACHES = 192e6;
/** What is alive beside them: what the connections take, and what is being made. */
const SLACK = 100e6;
/** Of a processor, in one turn of the loop and the moment around it. */
const MAX_TURN_MS = 250;
/** 10,000 answers that may be asked for again, at some 8 KB each in two caches. */
const REMEMBERED = 100e6;
const SERVFAIL = 2;
/** Of one that answers nobody. */
const QUIET_TURN_MS = 20;
/** How often it is looked, and for how long at most, whether they are gone. */
const LOOK_MS = 1000;
const MAX_LOOKS = 120;
const MANY_CONNECTIONS = '-hcl=limits { http_max_conns_per_client = 30000 }';

const folder = mkdtempSync(join(tmpdir(), 'trust-queries-'));
const figures = join(folder, 'figures.json');
const probe = join(folder, 'probe.mjs');
const nodeOptions = `--import=${probe}`;

/** Writes down, when it is asked, what is alive once all garbage was collected, and the longest turn. */
const PROBE = `
  import { writeFileSync, renameSync } from 'node:fs';
  import { setFlagsFromString } from 'node:v8';
  import { runInNewContext } from 'node:vm';
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  let longest = 0;
  let at = process.cpuUsage();
  setInterval(() => {
    const { user, system } = process.cpuUsage(at);
    longest = Math.max(longest, (user + system) / 1000);
    at = process.cpuUsage();
  }, 5).unref();
  process.on('SIGUSR2', () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const text = JSON.stringify({ alive: heapUsed + arrayBuffers, turnMs: longest });
    writeFileSync('${figures}.new', text);
    renameSync('${figures}.new', '${figures}');
    longest = 0;
    at = process.cpuUsage();
  });
`;

interface Figures {
  readonly alive: number;
  /** The longest since it was asked last. */
  readonly turnMs: number;
}

type Say = (what: string, fault: string | undefined) => void;

const mb = (bytes: number) => Math.round(bytes / 1e6);

async function figuresOf(server: Proconsul): Promise<Figures> {
  rmSync(figures, { force: true });
  server.signal('SIGUSR2');
  let text = '';
  await until(
    () => {
      try {
        text = readFileSync(figures, 'utf8');
      } catch {
        return false;
      }
      return true;
    },
    () => 'no figures',
    120_000,
  );
  return JSON.parse(text);
}

/** How many wait for a change. */
async function blocking(server: Proconsul): Promise<number> {
  const { text } = await send(server.port, 'GET', '/v1/agent/metrics', {});
  const { Gauges } = JSON.parse(text) as { Gauges: readonly { Name: string; Value: number }[] };
  return Gauges.find(({ Name }) => Name.endsWith('rpc.queries_blocking'))?.Value ?? 0;
}

/** So many, eight at a time. */
async function each(count: number, ask: (i: number, agent: Agent) => Promise<unknown>) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  for (let i = 0; i < count; i += 8) {
    await Promise.all(Array.from({ length: 8 }, (_, j) => ask(i + j, agent)));
  }
  agent.destroy();
}

async function throwing(server: Proconsul, say: Say): Promise<void> {
  const before = await figuresOf(server);
  await each(THROWING, (_, agent) =>
    send(server.port, 'GET', `/v1/query/${randomUUID()}`, { agent }),
  );
  const after = await figuresOf(server);
  const fat = after.alive - before.alive > 15e6 ? 'too much' : undefined;
  const grown = `${mb(before.alive)} → ${mb(after.alive)} MB alive`;
  say(`${THROWING} queries that are not there leave nothing (${grown})`, fat);
}

/** Each client reads a large answer of its own, waits for another, and goes. */
async function abandoned(server: Proconsul, say: Say): Promise<void> {
  for (let i = 0; i < INSTANCES; i++) {
    const Service = { ID: `many-${i}`, Service: 'many', Port: 1 + i, Meta: { m: 'x'.repeat(400) } };
    const body = JSON.stringify({ Node: `node-${i}`, Address: '10.0.0.1', Service });
    await send(server.port, 'PUT', '/v1/catalog/register', { body });
  }
  const before = await figuresOf(server);
  let bytes = 0;
  const sockets: Socket[] = [];
  await each(ABANDONED, async (i, agent) => {
    const target = `/v1/health/service/many?filter=${encodeURIComponent(`Service.Port != ${9000 + i}`)}`;
    const { index, text } = await send(server.port, 'GET', target, { agent });
    bytes += text.length;
    sockets.push(await ask(server.port, `${target}&index=${index}&wait=60s`));
  });
  const during = await figuresOf(server);
  for (const socket of sockets) socket.destroy();
  let most = during.alive;
  let turnMs = 0;
  let isQuiet = false;
  // They are answered once more, for some may read though they have closed their side.
  for (let looks = 0; !isQuiet && looks < MAX_LOOKS; looks++) {
    await sleep(LOOK_MS);
    const left = await blocking(server);
    const now = await figuresOf(server);
    most = Math.max(most, now.alive);
    turnMs = Math.max(turnMs, now.turnMs);
    isQuiet = left === 0 && now.turnMs < QUIET_TURN_MS;
  }
  const after = await figuresOf(server);
  const took = `${mb(bytes)} MB of answers, ${[before.alive, during.alive, most, after.alive].map(mb).join(' → ')} MB alive`;
  const fat = most - before.alive > CACHES + SLACK ? 'too much' : undefined;
  say(`${ABANDONED} large queries that are given up stay within the caches (${took})`, fat);
  const long = turnMs > MAX_TURN_MS ? 'too long' : undefined;
  say(`nobody waits for them: the longest turn took ${Math.round(turnMs)} ms of a processor`, long);
}

async function ask(port: number, target: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  socket.on('data', () => undefined);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('close', () => reject(new Error('a connection was refused')));
  });
  socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return socket;
}

async function waiting(server: Proconsul, say: Say): Promise<void> {
  const before = await figuresOf(server);
  const { index } = await send(server.port, 'GET', '/v1/health/service/none', {});
  const sockets: Socket[] = [];
  for (let i = 0; i < WAITING; i++) {
    const target = `/v1/health/service/none-${i}?index=${index}&wait=600s`;
    sockets.push(await ask(server.port, target));
  }
  await sleep(2000);
  const during = await figuresOf(server);
  const open = sockets.filter((socket) => !socket.destroyed && socket.bytesRead === 0).length;
  say(`${WAITING} queries wait at once`, open === WAITING ? undefined : `only ${open} do`);
  for (const socket of sockets) socket.destroy();
  await sleep(1000);
  const after = await figuresOf(server);
  const grown = `${[before.alive, during.alive, after.alive].map(mb).join(' → ')} MB alive`;
  const fat = after.alive - before.alive > REMEMBERED ? 'too much' : undefined;
  say(`what ${WAITING} queries leave that waited (${grown})`, fat);
}

/** Its Redis is not there: it has nothing to say, and must not say that there is nothing. */
async function unread(say: Say): Promise<void> {
  const dns = await freePort();
  const nowhere = `-redis=redis://127.0.0.1:${await freePort()}`;
  const server = await startProconsul(
    ['-server', '-bootstrap', nowhere, `-data-dir=${folder}`, `-dns-port=${dns}`],
    undefined,
    { alone: true },
  );
  for (const name of ['web.service.consul', 'n1.node.consul', 'q.query.consul']) {
    await until(
      async () => (await askUdp(dns, { name, type: 'A' }).catch(() => undefined)) !== undefined,
    );
    const { rcode } = await askUdp(dns, { name, type: 'A' });
    const fault = rcode === SERVFAIL ? undefined : `it says ${rcode}`;
    say(`DNS says SERVFAIL before the log is read: ${name}`, fault);
  }
  for (const path of ['event/list', 'catalog/services?stale', 'kv/a?stale', 'health/node/n1']) {
    const { status, text } = await send(server.port, 'GET', `/v1/${path}`, {});
    const fault =
      status === 500 && text.startsWith('No cluster leader') ? undefined : `${status} ${text}`;
    say(`GET /v1/${path} says that it cannot tell`, fault);
  }
  await server.kill();
}

await report(async (line) => {
  let failed = 0;
  const say: Say = (what, fault) => {
    if (fault !== undefined) failed++;
    line(
      `${fault === undefined ? 'holds' : 'FAILS'}: ${what}${fault === undefined ? '' : `: ${fault}`}`,
    );
  };
  try {
    writeFileSync(probe, PROBE);
    const server = await startProconsul(['-dev', MANY_CONNECTIONS], undefined, { nodeOptions });
    await throwing(server, say);
    await abandoned(server, say);
    await waiting(server, say);
    await server.kill();
    await unread(say);
  } finally {
    await killProconsuls();
    rmSync(folder, { recursive: true });
  }
  return failed;
}, SHORT_MS);
