/**
 * A sidecar under load is told to end by SIGTERM, again and again: whatever it has taken comes to its end, by HTTP/1.1 (on kept
 * connections and on new ones), HTTP/2 and connections of their own, with calls that take a while; then it ends, in order and
 * before its time is over. Whoever comes later is refused.
 *
 *   node --import tsx spec/system/sidecar-drain.system.ts [ENDS, 10] [CALLERS of each kind, 4] [MS of a call, 50]
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

const [ends = 10, callers = 4, callMs = 50] = process.argv.slice(2).map(Number);
const COMMAND = fileURLToPath(new URL('../../bin/proconsul', import.meta.url));
const BACKEND = fileURLToPath(new URL('../support/experiments/http-backend.mjs', import.meta.url));
const PATIENCE_MS = 120_000;
const DRAIN_MS = 60_000;
/** From the first call until it is told. */
const LOAD_MS = 500;

/** Nobody took the connection. */
const isRefused = (error: Error) => (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';

class Load {
  /** The sidecar, to end. */
  isTold = false;
  /** Calls that began before that and had their answer before, and after. */
  before = 0;
  after = 0;
  /** Why, and how many. */
  readonly lost = new Map<string, number>();

  /** Until nobody takes its calls. */
  async caller(kind: string, call: Call): Promise<void> {
    for (;;) {
      try {
        await call();
        this[this.isTold ? 'after' : 'before']++;
      } catch (error) {
        if (!this.isTold || !isRefused(error as Error)) this.#lose(kind, error as Error);
        if (this.isTold) return;
      }
    }
  }

  #lose(kind: string, { message }: Error): void {
    const why = `${kind}: ${message}`;
    this.lost.set(why, (this.lost.get(why) ?? 0) + 1);
  }
}

await report(async (say) => {
  const agent = await startProconsul(['-dev']);
  const program = spawn(process.execPath, [BACKEND, 'a', String(callMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let proxy: ChildProcess | undefined;
  let bad = 0;
  try {
    const [line] = await once(program.stdout as NodeJS.ReadableStream, 'data');
    for (const Name of ['web', 'raw']) {
      const body = { ID: Name, Name, Address: '127.0.0.1', Port: Number(String(line)) };
      await send(agent.port, 'PUT', '/v1/agent/service/register', { body });
    }
    const [http = 0, raw = 0] = await freePorts(2);
    const kinds: Readonly<Record<string, () => Call>> = {
      'HTTP/1.1, kept': () => byHttp(http, new Agent({ keepAlive: true })),
      'HTTP/1.1, new': () => byHttp(http, false),
      'HTTP/2': () => byH2(http),
      connections: () => byConnection(raw),
    };
    for (let i = 1; i <= ends; i++) {
      proxy = spawn(
        COMMAND,
        [
          ...['connect', 'proxy', `-http-addr=127.0.0.1:${agent.port}`, '-log-level=err'],
          ...[`-upstream=web:${http}`, `-upstream=raw:${raw}`, '-protocol=web=http'],
          `-drain-time=${DRAIN_MS}ms`,
        ],
        { stdio: ['ignore', 'ignore', 'inherit'] },
      );
      const isCalled = (make: () => Call) =>
        make()().then(
          () => true,
          () => false,
        );
      for (const make of Object.values(kinds)) {
        await until(
          () => isCalled(make),
          () => 'it takes no calls',
          PATIENCE_MS,
        );
      }
      const load = new Load();
      const callings = Object.entries(kinds).flatMap(([kind, make]) =>
        Array.from({ length: callers }, () => load.caller(kind, make())),
      );
      await sleep(LOAD_MS);
      load.isTold = true;
      const told = performance.now();
      const ended = once(proxy, 'exit');
      proxy.kill('SIGTERM');
      await Promise.all(callings);
      const [code] = await ended;
      const ms = performance.now() - told;
      const { lost, before, after } = load;
      const isGood = lost.size === 0 && code === 0 && ms < DRAIN_MS;
      if (!isGood) bad++;
      say(
        `${i}: ${before} calls, and ${after} that were under way at the end; it ended with ${code} after ` +
          `${ms.toFixed(0)} ms${isGood ? '' : '  FAILED'}`,
      );
      for (const [why, times] of lost) say(`  ${why} (${times} times)`);
    }
  } finally {
    proxy?.kill('SIGKILL');
    program.kill('SIGKILL');
    await killProconsuls();
  }
  return bad;
}, SHORT_MS);
