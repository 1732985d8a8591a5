/**
 * Sidecars under load are replaced again and again by SIGUSR2, each by another process that takes its sockets over: one
 * beside callers by HTTP/1.1 (on kept connections and on new ones), HTTP/2 and connections of their own, and a pair in
 * the mesh. No call may fail.
 *
 *   node --import tsx spec/system/sidecar-renewal.system.ts [RENEWALS, 5] [CALLERS of each kind, 4]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { byConnection, byH2, byHttp, type Call } from '../support/experiments/sidecar-calls.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { killProconsuls, startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const [renewals = 5, callers = 4] = process.argv.slice(2).map(Number);
const COMMAND = fileURLToPath(new URL('../../bin/proconsul', import.meta.url));
const BACKEND = fileURLToPath(new URL('../support/experiments/http-backend.mjs', import.meta.url));
const PATIENCE_MS = 120_000;
const BETWEEN_MS = 500;

const children = new Set<ChildProcess>();
const pids = new Set<number>();

class Renewed {
  pid: number;
  said = '';
  readonly #name: string;

  constructor(name: string, words: readonly string[]) {
    this.#name = name;
    const child = spawn(COMMAND, ['connect', 'proxy', '-drain-time=60s', ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.add(child);
    // Those after it say what they say here too.
    child.stdout?.on('data', (part: Buffer) => {
      this.said += part;
    });
    this.pid = child.pid ?? 0;
    pids.add(this.pid);
  }

  /** Resolves with how long it took. */
  async renew(): Promise<number> {
    const begun = performance.now();
    const before = this.said.length;
    process.kill(this.pid, 'SIGUSR2');
    const found = () => /another has taken its place: pid=(\d+)/.exec(this.said.slice(before));
    await until(
      () => found() !== null,
      () => `${this.#name}: ${this.said.slice(before)}`,
      PATIENCE_MS,
    );
    this.pid = Number(found()?.[1]);
    pids.add(this.pid);
    return performance.now() - begun;
  }
}

await report(async (say) => {
  const agent = await startProconsul(['-dev']);
  const put = async (path: string, body: object) => {
    const { status, text } = await send(agent.port, 'PUT', path, { body });
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  };
  const at = `-http-addr=127.0.0.1:${agent.port}`;
  const [http = 0, raw = 0, admin = 0, listens = 0, meshed = 0, meshAdmin = 0] = await freePorts(6);
  let isOver = false;
  try {
    const program = spawn(process.execPath, [BACKEND, 'a', '2'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.add(program);
    const [line] = await once(program.stdout as NodeJS.ReadableStream, 'data');
    const Port = Number(String(line));
    for (const Name of ['web', 'raw']) {
      await put('/v1/agent/service/register', { ID: Name, Name, Address: '127.0.0.1', Port });
    }
    await put('/v1/agent/service/register', {
      ...{ ID: 'db-proxy', Name: 'db-proxy', Kind: 'connect-proxy' },
      ...{ Address: '127.0.0.1', Port: listens },
      Proxy: { DestinationServiceName: 'db', LocalServicePort: Port },
    });
    const proxies = [
      new Renewed('plain', [
        ...[at, `-upstream=web:${http}`, `-upstream=raw:${raw}`, '-protocol=web=http'],
        `-admin=127.0.0.1:${admin}`,
      ]),
      new Renewed('called', [at, '-proxy-id=db-proxy']),
      new Renewed('calling', [
        ...[at, '-service=caller', `-upstream=db:${meshed}`, `-admin=127.0.0.1:${meshAdmin}`],
      ]),
    ];
    const kinds: Readonly<Record<string, () => Call>> = {
      'HTTP/1.1, kept': () => byHttp(http, new Agent({ keepAlive: true })),
      'HTTP/1.1, new': () => byHttp(http, false),
      'HTTP/2': () => byH2(http),
      connections: () => byConnection(raw),
      'the mesh': () => byHttp(meshed, false),
    };
    for (const make of Object.values(kinds)) {
      await until(
        () =>
          make()().then(
            () => true,
            () => false,
          ),
        () => proxies.map(({ said }) => said),
        PATIENCE_MS,
      );
    }
    const counts = new Map(Object.keys(kinds).map((kind) => [kind, { done: 0, most: 0 }]));
    const faults = new Map<string, number>();
    const load = Object.entries(kinds).flatMap(([kind, make]) =>
      Array.from({ length: callers }, async () => {
        const call = make();
        const count = counts.get(kind) as { done: number; most: number };
        while (!isOver) {
          const begun = performance.now();
          await call().then(
            () => count.done++,
            (error: Error) => {
              const why = `${kind}: ${error.message}`;
              faults.set(why, (faults.get(why) ?? 0) + 1);
            },
          );
          count.most = Math.max(count.most, performance.now() - begun);
        }
      }),
    );
    const took: number[] = [];
    for (let i = 0; i < renewals; i++) {
      for (const proxy of proxies) {
        await sleep(BETWEEN_MS);
        took.push(await proxy.renew());
      }
    }
    await sleep(BETWEEN_MS);
    isOver = true;
    await Promise.all(load);
    const failed = [...faults.values()].reduce((sum, each) => sum + each, 0);
    for (const [kind, { done, most }] of counts) {
      say(`${kind}: ${done} calls, the longest ${most.toFixed(0)} ms`);
    }
    const longest = Math.max(...took).toFixed(0);
    say(`${took.length} renewals, the longest ${longest} ms; ${failed} calls failed`);
    for (const [why, times] of faults) say(`  ${why} (${times} times)`);
    return failed;
  } finally {
    isOver = true;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    for (const child of children) child.kill('SIGKILL');
    await killProconsuls();
  }
}, SHORT_MS);
