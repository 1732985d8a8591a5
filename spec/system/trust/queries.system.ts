/**
 * Asks a real server for what makes it remember: queries that come to an error, large ones that are
 * given up, very many that wait; and asks one by DNS and HTTP that cannot read its log. One line a
 * promise; a failed one makes the exit code 1.
 *
 *   node --import tsx spec/system/trust/queries.system.ts [ABANDONED] [WAITING]
 *
 * ABANDONED (2,000) large queries are asked and given up, WAITING (10,000) small ones wait at once, for
 * which so many files must be allowed to be open, here and there.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askUdp } from '../../support/servers/dns-client.ts';
import {
  freePort,
  killProconsuls,
  type Proconsul,
  startProconsul,
} from '../../support/servers/proconsul.ts';
import { send } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';
import { report } from '../report.ts';

const ABANDONED = Number(process.argv[2] ?? 2000);
const WAITING = Number(process.argv[3] ?? 10_000);
const THROWING = 6000;
const INSTANCES = 400;
/** What the caches of answers and of their bytes may hold. */
const CACHES = 192e6;
/** What the process takes beyond what it counts: pages that Node has not given back. */
const SLACK = 150e6;
/** 10,000 answers that may be asked for again, at some 8 KB each in two caches. */
const REMEMBERED = 100e6;
const SERVFAIL = 2;
const MANY_CONNECTIONS = '-hcl=limits { http_max_conns_per_client = 30000 }';

const folder = mkdtempSync(join(tmpdir(), 'trust-queries-'));
const nodeOptions = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}`;

type Say = (what: string, fault: string | undefined) => void;

const mb = (bytes: number) => Math.round(bytes / 1e6);

async function memoryOf(server: Proconsul): Promise<{ heap: number; rss: number }> {
  const { text } = await send(server.port, 'GET', '/v1/agent/metrics', {});
  const { Gauges } = JSON.parse(text) as { Gauges: readonly { Name: string; Value: number }[] };
  const gauge = (name: string) => Gauges.find(({ Name }) => Name.endsWith(name))?.Value ?? 0;
  return { heap: gauge('alloc_bytes'), rss: gauge('sys_bytes') };
}

/** Once all garbage was collected, as Node does before it writes down what is left. */
async function settled(server: Proconsul): Promise<{ heap: number; rss: number }> {
  const written = () => readdirSync(folder).filter((name) => name.endsWith('.heapsnapshot'));
  server.signal('SIGUSR2');
  await until(
    () => written().length > 0,
    () => 'no heap snapshot',
    120_000,
  );
  // It answers again when the snapshot is written whole.
  await memoryOf(server);
  for (const name of written()) rmSync(join(folder, name));
  return await memoryOf(server);
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
  const before = await settled(server);
  await each(THROWING, (_, agent) =>
    send(server.port, 'GET', `/v1/query/${randomUUID()}`, { agent }),
  );
  const after = await settled(server);
  const figures = `heap ${mb(before.heap)} → ${mb(after.heap)} MB`;
  const fat = after.heap - before.heap > 15e6 ? 'too much' : undefined;
  say(`${THROWING} queries that are not there leave nothing (${figures})`, fat);
}

/** Each client reads a large answer of its own, waits for another, and goes. */
async function abandoned(server: Proconsul, say: Say): Promise<void> {
  for (let i = 0; i < INSTANCES; i++) {
    const Service = { ID: `many-${i}`, Service: 'many', Port: 1 + i, Meta: { m: 'x'.repeat(400) } };
    const body = JSON.stringify({ Node: `node-${i}`, Address: '10.0.0.1', Service });
    await send(server.port, 'PUT', '/v1/catalog/register', { body });
  }
  const before = await settled(server);
  let bytes = 0;
  const sockets: Socket[] = [];
  await each(ABANDONED, async (i, agent) => {
    const target = `/v1/health/service/many?filter=${encodeURIComponent(`Service.Port != ${9000 + i}`)}`;
    const { index, text } = await send(server.port, 'GET', target, { agent });
    bytes += text.length;
    sockets.push(await ask(server.port, `${target}&index=${index}&wait=60s`));
  });
  const during = await memoryOf(server);
  for (const socket of sockets) socket.destroy();
  const after = await settled(server);
  const figures = `${mb(bytes)} MB of answers, process ${mb(before.rss)} → ${mb(during.rss)} → ${mb(after.rss)} MB`;
  const most = Math.max(during.rss, after.rss) - before.rss;
  const fat = most > CACHES + SLACK ? 'too much' : undefined;
  say(`${ABANDONED} large queries that are given up stay within the caches (${figures})`, fat);
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
  const before = await settled(server);
  const { index } = await send(server.port, 'GET', '/v1/health/service/none', {});
  const sockets: Socket[] = [];
  for (let i = 0; i < WAITING; i++) {
    const target = `/v1/health/service/none-${i}?index=${index}&wait=600s`;
    sockets.push(await ask(server.port, target));
  }
  await sleep(2000);
  const during = await memoryOf(server);
  const open = sockets.filter((socket) => !socket.destroyed && socket.bytesRead === 0).length;
  say(`${WAITING} queries wait at once`, open === WAITING ? undefined : `only ${open} do`);
  for (const socket of sockets) socket.destroy();
  await sleep(1000);
  const after = await settled(server);
  const heap = `heap ${mb(before.heap)} → ${mb(during.heap)} → ${mb(after.heap)} MB`;
  const rss = `process ${mb(before.rss)} → ${mb(during.rss)} → ${mb(after.rss)} MB`;
  const fat = after.heap - before.heap > REMEMBERED ? 'too much' : undefined;
  say(`what ${WAITING} queries leave that waited (${heap}, ${rss})`, fat);
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
});
