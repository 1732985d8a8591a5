/**
 * HTTP from outside, on real processes: memory behind a watched key, refused connections, long paths,
 * the policy for clients beside agents, pipelining, half-closed clients, tokens in the log. One line
 * a promise; a minute or two.
 *
 *   node --import tsx spec/system/trust/http.system.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../support/servers/free-ports.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../../support/servers/proconsul.ts';
import { getText, RawClient } from '../../support/servers/raw-client.ts';
import { send } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';
import { report, SHORT_MS } from '../report.ts';

const MB = 1024 * 1024;
const CHANGES = 700;
const WARM_UP = 200;
const VALUE_BYTES = 200 * 1024;
const ABANDONED = 1000;

type Check = (promise: string, holds: boolean, seen: string) => void;

await report(async (say) => {
  let broken = 0;
  const check: Check = (promise, holds, seen) => {
    if (!holds) broken++;
    say(`${holds ? 'holds ' : 'BROKEN'} ${promise}: ${seen}`);
  };
  const folder = await mkdtemp(path.join(tmpdir(), 'proconsul-http-'));
  try {
    const server = await startProconsul([
      '-server',
      '-bootstrap',
      `-data-dir=${folder}/server`,
      '-hcl=limits { http_max_conns_per_client = 2000 }',
    ]);
    await watchedKey(server, check);
    await abandonedQueries(server, check);
    await longPaths(server, check);
    await order(server, check);
    await halfClosed(server, check);
    await refusedConnections(folder, check);
    await policy(folder, check);
    await tokens(folder, check);
  } finally {
    await killProconsuls();
    await rm(folder, { recursive: true, force: true });
  }
  return broken;
}, SHORT_MS);

function putText(target: string, body: string): string {
  return `PUT ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

async function residentMB({ port }: Proconsul): Promise<number> {
  const { json } = await send(port, 'GET', '/v1/agent/metrics', {});
  const { Gauges } = json as { Gauges: { Name: string; Value: number }[] };
  const bytes = Gauges.find(({ Name }) => Name.endsWith('sys_bytes'))?.Value ?? Number.NaN;
  return Math.round(Number(bytes) / MB);
}

async function watchedKey(server: Proconsul, check: Check): Promise<void> {
  const client = await RawClient.connect(server.port);
  const write = (n: number) =>
    send(server.port, 'PUT', '/v1/kv/large', { body: Buffer.alloc(VALUE_BYTES, 97 + (n % 26)) });
  await write(0);
  let index = (await send(server.port, 'GET', '/v1/kv/large', {})).index;
  let early = 0;
  for (let n = 1; n <= CHANGES; n++) {
    client.send(getText(`/v1/kv/large?index=${index}&wait=60s`));
    await write(n);
    const { head } = await client.answer();
    index = Number(/^X-Consul-Index: (\d+)\r$/im.exec(head)?.[1]);
    if (n === WARM_UP) early = await residentMB(server);
  }
  const late = await residentMB(server);
  const seen = `${early} MB after ${WARM_UP}, ${late} MB after ${CHANGES} (${(CHANGES * VALUE_BYTES) / MB} MB seen)`;
  check(
    `memory stays while one client watches a key of 200 KB through ${CHANGES} changes`,
    late - early < 60,
    seen,
  );
  client.close();
}

async function abandonedQueries(server: Proconsul, check: Check): Promise<void> {
  for (let n = 0; n < 100; n++) {
    const Service = { ID: `web${n}`, Service: 'web', Meta: { text: 'x'.repeat(500) } };
    const body = { Node: `m${n}`, Address: '10.0.0.1', Service };
    await send(server.port, 'PUT', '/v1/catalog/register', { body });
  }
  const { index } = await send(server.port, 'GET', '/v1/health/service/web', {});
  const round = async (from: number) => {
    const clients: Socket[] = [];
    for (let n = 0; n < ABANDONED; n++) {
      const client = connect(server.port, '127.0.0.1')
        .on('error', () => undefined)
        .resume();
      const filter = encodeURIComponent(`Service.ID != "${from + n}"`);
      client.write(getText(`/v1/health/service/web?index=${index}&wait=60s&filter=${filter}`));
      clients.push(client);
      if (n % 50 === 0) await send(server.port, 'GET', '/v1/status/leader', {});
    }
    for (const client of clients) client.destroy();
    await send(server.port, 'GET', '/v1/status/leader', {});
    return await residentMB(server);
  };
  // The caches for answers have 64 and 128 MB; once they are full, nothing is added.
  for (let n = 0; n < 3; n++) await round(n * ABANDONED);
  const full = await round(3 * ABANDONED);
  await round(4 * ABANDONED);
  const late = await round(5 * ABANDONED);
  check(
    `memory stays while ${ABANDONED} clients at a time ask distinct queries and go`,
    late - full < 60,
    `${full} MB after four times, ${late} MB after six`,
  );
}

async function longPaths(server: Proconsul, check: Check): Promise<void> {
  const client = await RawClient.connect(server.port);
  const ask = async (target: string) => {
    const began = performance.now();
    const { head } = await client.ask(getText(target));
    return { ms: performance.now() - began, status: head.slice(9, 12) };
  };
  const short: number[] = [];
  const long: number[] = [];
  let status = '';
  for (let n = 0; n < 20; n++) {
    short.push((await ask(`/v1/kv/s${n}`)).ms);
    for (const bytes of [14_000, 30_000]) {
      const one = await ask(`/v1/kv/${n}${'a/'.repeat(bytes / 2)}`);
      long.push(one.ms);
      status = one.status;
    }
  }
  const [a, b] = [median(short), median(long)];
  check(
    'a path of 14 to 30 KB costs little more than a short one',
    b < a + 25,
    `${b.toFixed(1)} ms beside ${a.toFixed(1)} ms (${status})`,
  );
  client.send(getText(`/v1/kv/${'a/'.repeat(17_000)}`));
  await client.ended();
  const refusal = client.rest().slice(9, 12);
  check('a path beyond 32 KB is refused', refusal === '431', refusal);
  client.close();
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function order(server: Proconsul, check: Check): Promise<void> {
  const client = await RawClient.connect(server.port);
  let stale = 0;
  for (let n = 0; n < 50; n++) {
    client.send(putText('/v1/kv/piped', `${n}`) + getText('/v1/kv/piped?raw'));
    await client.answer();
    if ((await client.answer()).body.toString() !== `${n}`) stale++;
  }
  check(
    'a GET behind a PUT on one connection sees what was put',
    stale === 0,
    `${stale} of 50 did not`,
  );

  client.send(getText('/v1/kv/none').repeat(10_000));
  const waits: number[] = [];
  for (let n = 0; n < 20; n++) {
    const began = performance.now();
    await send(server.port, 'PUT', '/v1/kv/beside', { body: 'x' });
    waits.push(performance.now() - began);
  }
  const worst = Math.max(...waits);
  check(
    '10,000 pipelined requests leave others their turn',
    worst < 500,
    `a write beside them took ${worst.toFixed(0)} ms at worst`,
  );
  client.close();

  const last = await RawClient.connect(server.port);
  last.send(getText('/v1/kv/piped?raw', { Connection: 'close' }) + getText('/v1/kv/none'));
  await last.ended();
  const { length } = last.rest().split('HTTP/1.1 ');
  check(
    'a request behind Connection: close replaces no answer',
    length === 2 && last.rest().endsWith('49'),
    `${length - 1} answer`,
  );
}

async function halfClosed(server: Proconsul, check: Check): Promise<void> {
  const ask = (text: string) =>
    new Promise<string>((resolve) => {
      let got = '';
      const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('data', (part: Buffer) => {
        got += part.toString();
      });
      socket.once('close', () => resolve(got)).end(text);
    });
  const written = await ask(putText('/v1/kv/half', '1') + getText('/v1/kv/half?raw'));
  check(
    'a client that closes its side gets its answers',
    written.endsWith('\r\n\r\n1'),
    written.slice(0, 15),
  );
  const { index } = await send(server.port, 'GET', '/v1/kv/half', {});
  const waited = await ask(getText(`/v1/kv/half?raw&index=${index}&wait=60s`));
  check(
    '… and where it waits, what there is, at once',
    waited.endsWith('\r\n\r\n1'),
    waited.slice(0, 15),
  );
}

async function refusedConnections(folder: string, check: Check): Promise<void> {
  const server = await startProconsul([
    '-server',
    '-bootstrap',
    `-data-dir=${folder}/refusing`,
    '-hcl=limits { http_max_conns_per_client = 3 }',
  ]);
  const held = [await RawClient.connect(server.port), await RawClient.connect(server.port)];
  const keep = await RawClient.connect(server.port);
  await keep.ask(getText('/v1/status/leader'));
  const refused: string[] = [];
  for (let n = 0; n < 300; n++) {
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
    let got = '';
    socket.on('data', (part: Buffer) => {
      got += part.toString();
    });
    socket.on('error', () => undefined);
    socket.write(putText('/v1/kv/refused', 'yes'));
    socket.once('end', () => refused.push(got));
  }
  await until(
    () => refused.length === 300,
    () => `${refused.length} of 300`,
    20_000,
  ).catch(() => undefined);
  const told = refused.filter((text) => text.startsWith('HTTP/1.1 429')).length;
  check(
    'connections beyond the limit are told so, and do not stay',
    told === 300,
    `${told} of 300, half-open`,
  );
  const { head } = await keep.ask(getText('/v1/kv/refused'));
  check(
    '… and nothing that they sent was carried out',
    head.startsWith('HTTP/1.1 404'),
    head.slice(0, 12),
  );
  for (const client of held) client.close();
}

async function policy(folder: string, check: Check): Promise<void> {
  const [rpc, lan] = [await freePort(), await freePort()];
  const server = await startProconsul([
    '-server',
    '-bootstrap',
    `-data-dir=${folder}/policy`,
    `-server-port=${rpc}`,
    `-serf-lan-port=${lan}`,
    '-hcl=http_config { block_endpoints = ["/v1/internal", "/v1/catalog", "/v1/kv/secret"] allow_write_http_from = ["192.0.2.0/24"] }',
  ]);
  const agent = await startProconsul([
    '-node=n2',
    `-data-dir=${folder}/agent`,
    `-retry-join=127.0.0.1:${lan}`,
  ]);
  const statusOf = async (method: string, target: string) =>
    (await send(server.port, method, target, method === 'PUT' ? { body: 'x' } : {})).status;
  const forbidden = [
    await statusOf('GET', '/v1/kv/secret'),
    await statusOf('GET', '/v1/kv/%73ecret'),
    await statusOf('OPTIONS', '/v1/kv/secret'),
    await statusOf('GET', '/v1/catalog/nodes'),
    await statusOf('PUT', '/v1/kv/a'),
  ];
  check(
    'what the policy for clients forbids is refused, however it is written',
    forbidden.every((status) => status === 403),
    forbidden.join(' '),
  );
  await send(agent.port, 'PUT', '/v1/agent/service/register', {
    body: { Name: 'web', Check: { TTL: '60s', Status: 'passing' } },
  });
  const seen = async () => {
    const { json } = await send(agent.port, 'GET', '/v1/health/service/web?passing', {});
    return (json as object[]).length;
  };
  const agentLives = await until(
    async () => (await seen()) === 1,
    () => 'no',
    15_000,
  )
    .then(() => true)
    .catch(() => false);
  check(
    '… and its agents join, beat, register and ask all the same',
    agentLives,
    agentLives ? 'web is passing' : 'web is not seen',
  );
}

async function tokens(folder: string, check: Check): Promise<void> {
  const server = await startProconsul([
    '-server',
    '-bootstrap',
    '-log-level=trace',
    `-data-dir=${folder}/tokens`,
  ]);
  const targets = [
    '/v1/kv/x?cas=0&acquire=a&token=T-secret',
    '/v1/health/service/x?index=n&token=T-secret',
    '/v1/kv/%zz?token=T-secret',
    '/v1/nope?token=T-secret',
  ];
  for (const target of targets) {
    await send(server.port, 'PUT', target, {
      body: 'x',
      headers: { 'X-Consul-Token': 'H-secret' },
    });
  }
  await until(
    () => server.output.includes('/v1/kv/x'),
    () => server.output,
  ).catch(() => undefined);
  const shown = /[TH]-secret/.exec(server.output)?.[0] ?? 'none';
  check(
    'no token is in the log',
    shown === 'none' && server.output.includes('/v1/kv/x'),
    `${shown} is`,
  );
}
