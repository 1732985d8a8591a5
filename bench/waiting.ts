/**
 * What a client that waits takes of a server's heap: thousands are connected and have asked once, then all of them
 * wait for the same service, and the difference is what a wait takes.
 *
 *   node --import tsx bench/waiting.ts [clients, 4000]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { HeapLooks } from '../spec/support/experiments/heap-looks.ts';
import { killProconsuls, startProconsul } from '../spec/support/servers/proconsul.ts';
import { until } from '../spec/support/until.ts';
import { must } from './compare/http.ts';

const [clients = 4000] = process.argv.slice(2).map(Number);
const PATH = '/v1/health/service/web';
const MAX_WAIT_MS = 60_000;
/** So many connect at a time: more would overflow what the system queues. */
const CONNECTING = 100;

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** Connected, and answered once; the index that it was told. */
async function client(port: number): Promise<{ socket: Socket; index: string }> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(get(PATH));
  const text = await new Promise<string>((resolve, reject) => {
    socket.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1')));
    socket.once('error', reject);
  });
  socket.resume();
  return { socket, index: /x-consul-index: (\d+)/i.exec(text)?.[1] ?? '' };
}

const folder = await mkdtemp(path.join(tmpdir(), 'proconsul-bench-'));
try {
  const looks = new HeapLooks(folder);
  const limits = `limits { http_max_conns_per_client = ${clients * 2}, http_max_waits_per_token = 0 }`;
  const server = await startProconsul(['-dev', '-hcl', limits], undefined, {
    nodeOptions: looks.nodeOptions,
  });
  const { port } = server;
  await must(port, 'PUT', '/v1/catalog/register', {
    ...{ Node: 'n', Address: '10.0.0.1' },
    Service: { Service: 'web' },
  });
  const all: Awaited<ReturnType<typeof client>>[] = [];
  const idle = await looks.at(server);
  while (all.length < clients) {
    all.push(...(await Promise.all(Array.from({ length: CONNECTING }, () => client(port)))));
  }
  const connected = await looks.at(server);
  for (const { socket, index } of all) socket.write(get(`${PATH}?index=${index}&wait=10m`));
  const waiting = () => blocking(port);
  await until(async () => (await waiting()) >= all.length, waiting, MAX_WAIT_MS);
  const each = (bytes: number) => `${Math.round(bytes / all.length)} bytes`;
  const wait = (await looks.at(server)) - connected;
  process.stdout.write(
    `${all.length} clients: a connection takes ${each(connected - idle)} of heap, a wait ${each(wait)} more\n`,
  );
} finally {
  await killProconsuls();
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);

async function blocking(port: number): Promise<number> {
  const text = await must(port, 'GET', '/v1/agent/metrics');
  const { Gauges } = JSON.parse(text) as { Gauges: { Name: string; Value: number }[] };
  return Gauges.find(({ Name }) => Name === 'consul.rpc.queries_blocking')?.Value ?? 0;
}
