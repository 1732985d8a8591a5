/**
 * Malformed requests by the hundred thousand, clients that send byte by byte, and bodies without
 * end: nothing may crash, hang, grow or change what others wrote.
 *
 *   node --import tsx spec/system/fuzz.system.ts [requests] [seed]
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fuzzer, FuzzTarget } from '../support/experiments/fuzz.ts';
import { FuzzClient } from '../support/experiments/fuzz-client.ts';
import { stopServers } from '../support/servers/start-server.ts';

const VERIFY_EVERY = 20_000;
const MAX_MS = 20 * 60_000;
const SLOW_CLIENTS = 500;
const SLOW_MS = 20_000;
const STREAMED_BYTES = 256 * 1024 * 1024;
const MB = 1024 * 1024;

const requests = Number(process.argv[2] ?? 200_000);
const seed = Number(process.argv[3] ?? 1);
const say = (line: string) => void process.stdout.write(`${line}\n`);

const target = await FuzzTarget.start();
const { port, server } = target.server;
await fuzz();
await streamWithoutEnd();
await sendByteByByte();
await target.verify();
await stopServers();

async function fuzz(): Promise<void> {
  const fuzzer = new Fuzzer(
    seed,
    server.routes().map(({ path }) => path),
  );
  const lag = monitorEventLoopDelay({ resolution: 1 });
  lag.enable();
  const began = performance.now();
  let done = 0;
  while (done < requests && performance.now() - began < MAX_MS) {
    await target.takeNext(fuzzer);
    done++;
    if (done % VERIFY_EVERY === 0) {
      await target.verify();
      say(`${done} requests, ${megabytes()} MB`);
    }
  }
  lag.disable();
  const statuses = [...target.statuses].sort(([a], [b]) => a - b).map(([s, n]) => `${s}×${n}`);
  say(`${done} requests by seed ${seed}: no crash, no error but on purpose: ${statuses.join(' ')}`);
  say(
    `loop lag p99 ${(lag.percentile(99) / 1e6).toFixed(1)} ms, most ${(lag.max / 1e6).toFixed(0)} ms`,
  );
}

/** The answer comes while the body still goes on, and what goes on is thrown away. */
async function streamWithoutEnd(): Promise<void> {
  const before = megabytes();
  const client = new FuzzClient(port);
  const chunk = Buffer.concat([
    Buffer.from('10000\r\n'),
    Buffer.alloc(65536, 'x'),
    Buffer.from('\r\n'),
  ]);
  const head = 'PUT /v1/kv/endless HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
  const answering = client.ask(head);
  let sent = 0;
  let refusedAfter: number | undefined;
  void answering.then(({ status }) => {
    assert.equal(status, 413);
    refusedAfter = sent;
  });
  while (sent < STREAMED_BYTES && client.write(chunk) !== undefined) {
    sent += chunk.length;
    await sleep(0);
    if (refusedAfter !== undefined) break;
  }
  await answering;
  client.close();
  say(
    `413 after ${(Number(refusedAfter) / MB).toFixed(1)} MB of a body without end, ${megabytes() - before} MB more in use`,
  );
}

/** One byte a second each: they are let go, and nobody else waits for them. */
async function sendByteByByte(): Promise<void> {
  let closed = 0;
  const sockets = Array.from({ length: SLOW_CLIENTS }, () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).on('close', () => closed++);
    socket.write('GET /v1/kv/x HTTP/1.1\r\nX-Slow: ');
    return socket;
  });
  const until = performance.now() + SLOW_MS;
  let slowest = 0;
  while (performance.now() < until) {
    for (const socket of sockets) if (socket.writable) socket.write('x');
    const began = performance.now();
    await target.server.get('/v1/kv/zz/canary');
    slowest = Math.max(slowest, performance.now() - began);
    await sleep(1000);
  }
  assert.equal(closed, SLOW_CLIENTS, `${SLOW_CLIENTS - closed} slow clients are still there`);
  say(
    `${SLOW_CLIENTS} clients at a byte a second: all let go; others waited ${slowest.toFixed(0)} ms at most`,
  );
}

function megabytes(): number {
  return Math.round(process.memoryUsage().rss / MB);
}
