/**
 * A crowd without patience: thousands of connections that each ask again as soon as they are answered. A
 * server's timers have their turn all the same, and it ends when it is told to. One line a promise.
 *
 *   node --import tsx spec/system/trust/crowd.system.ts [CONNECTIONS] [SECONDS]
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { killProconsuls, type Proconsul, startProconsul } from '../../support/servers/proconsul.ts';
import { getText } from '../../support/servers/raw-client.ts';
import { until } from '../../support/until.ts';
import { report, SHORT_MS } from '../report.ts';

const CONNECTIONS = Number(process.argv[2] ?? 3000);
const SECONDS = Number(process.argv[3] ?? 8);
/** Of a processor, between two turns of a timer. */
const MAX_TURN_MS = 100;
const MAX_END_MS = 4000;

const loopDelay = new URL('../../support/experiments/loop-delay-on-signal.mjs', import.meta.url);

const put = (key: string) => `PUT /v1/kv/${key} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx`;

/** What each asks, by its number. */
const CROWDS: Readonly<Record<string, (i: number) => string>> = {
  'the same read': () => getText('/v1/health/service/web'),
  'each another read': (i) => getText(`/v1/health/service/web-${i}`),
  'what is refused': () => getText('/v1/health/service/web?dc=elsewhere'),
  writes: (i) => put(`k${i}`),
};

class Crowd {
  answers = 0;
  readonly #sockets: Socket[];

  constructor(port: number, textOf: (i: number) => string) {
    this.#sockets = Array.from({ length: CONNECTIONS }, (_, i) => {
      const socket = connect(port, '127.0.0.1');
      const ask = () => socket.write(textOf(i));
      socket.on('connect', ask);
      socket.on('error', () => undefined);
      socket.on('data', () => {
        this.answers++;
        ask();
      });
      return socket;
    });
  }

  leave(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

const LOOP = /loop held up: processor p50 (\d+) p99 (\d+) most (\d+) ms/g;

async function heldUp(server: Proconsul) {
  const before = [...server.output.matchAll(LOOP)].length;
  server.signal('SIGUSR2');
  await until(
    () => [...server.output.matchAll(LOOP)].length > before,
    () => server.output,
    60_000,
  );
  const [, p50, p99, most] = [...server.output.matchAll(LOOP)].at(-1) ?? [];
  return { p50: Number(p50), p99: Number(p99), most: Number(most) };
}

async function measure(name: string, textOf: (i: number) => string) {
  const limits = '-hcl=limits { http_max_conns_per_client = 30000 }';
  const nodeOptions = `--import=${loopDelay.href}`;
  const args = ['-dev', limits];
  const server = await startProconsul(args, undefined, { nodeOptions });
  const crowd = new Crowd(server.port, textOf);
  await sleep(3000);
  await heldUp(server);
  crowd.answers = 0;
  await sleep(SECONDS * 1000);
  const { p50, p99, most } = await heldUp(server);
  const rate = Math.round(crowd.answers / SECONDS);
  const from = performance.now();
  server.signal('SIGTERM');
  await server.ended;
  const endMs = Math.round(performance.now() - from);
  crowd.leave();
  const holds = p99 <= MAX_TURN_MS && endMs <= MAX_END_MS && rate > 0;
  const seen = `${rate}/s, turns p50 ${p50}, p99 ${p99}, most ${most} ms; ended after ${endMs} ms`;
  return { holds, line: `${holds ? 'holds ' : 'BROKEN'} ${name}: ${seen}` };
}

await report(async (say) => {
  let broken = 0;
  try {
    for (const [name, textOf] of Object.entries(CROWDS)) {
      const { holds, line } = await measure(name, textOf);
      if (!holds) broken++;
      say(line);
    }
  } finally {
    await killProconsuls();
  }
  return broken;
}, SHORT_MS);
