/**
 * Many clients of xDS at one server: how long a change takes to come to all of them, what a stream takes of its memory,
 * and what becomes of reads by HTTP meanwhile.
 *
 *   node --import tsx spec/system/xds-streams.system.ts [STREAMS, 2000] [CLUSTERS, 50]
 */
import { readFileSync } from 'node:fs';
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { TYPE_URLS } from '../../xds/resource.ts';
import { Wire } from '../../xds/serving/wire.ts';
import { freePort } from '../support/servers/free-ports.ts';
import { startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const [streams = '2000', clusters = '50'] = process.argv.slice(2);
const STREAMS = Number(streams);
const CLUSTERS = Number(clusters);
const PER_CONNECTION = 100;
const PATIENCE_MS = 120_000;
const MAX_CHANGE_MS = 1000;
const ROUNDS = 10;

/** How many resources an answer has: of its fields, those of number 2. */
function resourcesIn(bytes: Buffer): number {
  let [at, count] = [0, 0];
  const varint = () => {
    let [value, shift] = [0, 0];
    for (;;) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * 2 ** shift;
      shift += 7;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const field = varint() >>> 3;
    const length = varint();
    at += length;
    if (field === 2) count++;
  }
  return count;
}

function quantile(all: readonly number[], share: number): string {
  const sorted = [...all].sort((a, b) => a - b);
  return (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
}

function memoryOf(pid: number): number {
  const [, kb = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kb) / 1024;
}

await report(async (say) => {
  const grpc = await freePort();
  const server = await startProconsul(['-dev', `-grpc-port=${grpc}`, '-log-level=warn']);
  const register = (i: number, port: number) =>
    send(server.port, 'PUT', '/v1/catalog/register', {
      body: {
        ...{ Node: 'm', Address: '10.0.0.1', SkipNodeUpdate: port > 1 },
        Service: { Service: `s${i}`, Port: port },
      },
    });
  for (let i = 0; i < CLUSTERS; i++) await register(i, 1);
  const method = new Wire().method(
    'envoy.service.endpoint.v3.EndpointDiscoveryService',
    'StreamEndpoints',
  );
  const asked = (id: string) =>
    method.requestSerialize({
      node: { id },
      type_url: TYPE_URLS.endpoints,
      resource_names: Array.from({ length: CLUSTERS }, (_, i) => `s${i}`),
    });
  let isOver = false;
  let told = 0;
  const open: ClientDuplexStream<Buffer, Buffer>[] = [];
  const begin = (client: Client, id: string) => {
    const same = (bytes: Buffer) => bytes;
    const stream = client.makeBidiStreamRequest(method.path, same, same);
    stream.on('data', (bytes: Buffer) => {
      told += resourcesIn(bytes);
    });
    stream.on('error', (error) => {
      if (!isOver) say(`a stream ended: ${error.message}`);
    });
    stream.write(asked(id));
    open.push(stream);
  };
  const untilTold = (count: number) =>
    until(
      () => told >= count,
      () => `${told} of ${count} were told`,
      PATIENCE_MS,
    );
  const connect = () =>
    new Client(`127.0.0.1:${grpc}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
  // What gRPC itself takes is not a stream's.
  begin(connect(), 'first');
  await untilTold(CLUSTERS);
  const before = memoryOf(server.pid);
  const from = performance.now();
  let client = connect();
  for (let i = 1; i < STREAMS; i++) {
    if (i % PER_CONNECTION === 0) client = connect();
    begin(client, `n${i}`);
    if (i % 50 === 0) await sleep(1);
  }
  await untilTold(STREAMS * CLUSTERS);
  const begun = ((performance.now() - from) / 1000).toFixed(1);
  await sleep(3000);
  const each = (((memoryOf(server.pid) - before) * 1024) / STREAMS).toFixed(1);
  say(`${STREAMS} streams of ${CLUSTERS} clusters: told of all after ${begun} s, ${each} KB each`);
  const reads: number[] = [];
  const reading = (async () => {
    while (!isOver) {
      const at = performance.now();
      await send(server.port, 'GET', '/v1/catalog/service/s0', {});
      reads.push(performance.now() - at);
      await sleep(5);
    }
  })();
  await sleep(2000);
  const quiet = reads.splice(0);
  const measured = async (change: (round: number) => Promise<unknown>, changes: number) => {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const at = performance.now();
      const goal = told + changes * STREAMS;
      await change(round);
      await untilTold(goal);
      times.push(performance.now() - at);
      await sleep(200);
    }
    return times;
  };
  const one = await measured((round) => register(0, round + 2), 1);
  const status = (round: number) => (round % 2 === 0 ? 'critical' : 'passing');
  const all = await measured(
    (round) =>
      send(server.port, 'PUT', '/v1/catalog/register', {
        body: {
          ...{ Node: 'm', Address: '10.0.0.1', SkipNodeUpdate: true },
          Check: { CheckID: 'c', Name: 'c', Status: status(round) },
        },
      }),
    CLUSTERS,
  );
  isOver = true;
  await reading;
  say(
    `one cluster changes: all were told after ${quantile(one, 0.5)} ms, at most ${quantile(one, 1 - 1e-9)}`,
  );
  say(`all ${CLUSTERS} change: ${quantile(all, 0.5)} ms, at most ${quantile(all, 1 - 1e-9)}`);
  say(
    `reads by HTTP: p99 ${quantile(quiet, 0.99)} ms before, ${quantile(reads, 0.99)} ms meanwhile`,
  );
  for (const stream of open) stream.cancel();
  return Math.max(...one) < MAX_CHANGE_MS ? 0 : 1;
}, SHORT_MS);
