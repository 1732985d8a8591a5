/**
 * Beside a real Eureka server: many instances that renew at their times, while others read all of them and
 * what changed, and some change. Each request is due at its time whatever has become of those before, and is
 * measured from then. Both answer as they are by default: the real one from a cache of up to 30 s.
 *
 *   node --import tsx bench/eureka.ts path/to/eureka-server.jar [INSTANCES, 5000 [SECONDS, 20]]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../spec/support/servers/free-ports.ts';
import { until } from '../spec/support/until.ts';

const [jar = '', ...numbers] = process.argv.slice(2);
const [instances = 5000, seconds = 20] = numbers.map(Number);
const RATES = { renew: 500, apps: 10, delta: 50, change: 5 } as const;
type What = keyof typeof RATES;
const WHATS = Object.keys(RATES) as What[];
const START_MS = 120_000;
const TICK_MS = 5;
const AT_ONCE = 64;
/** Of a clock of Linux's. */
const TICKS_PER_S = 100;
const PAGE_BYTES = 4096;

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

interface Measured {
  readonly ms: Readonly<Record<What, readonly number[]>>;
  readonly failed: number;
  readonly fillS: number;
  readonly cpuS: number;
  readonly rssMb: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });

function ask(port: number, { method, path, body }: Asked): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      Accept: 'application/json',
      'Accept-Encoding': 'gzip',
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    };
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent });
    request.on('error', reject);
    request.on('response', (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    request.end(body);
  });
}

const appOf = (n: number) => `APP${n % 100}`;
const pathOf = (n: number) => `/eureka/apps/${appOf(n)}/h${n}:${appOf(n)}:8080`;

function registration(n: number): Asked {
  const instance = {
    instanceId: `h${n}:${appOf(n)}:8080`,
    ...{ hostName: `h${n}`, app: appOf(n), ipAddr: `10.1.${n >> 8}.${n & 255}`, status: 'UP' },
    port: { $: 8080, '@enabled': 'true' },
    dataCenterInfo: {
      '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo',
      name: 'MyOwn',
    },
    leaseInfo: { renewalIntervalInSecs: 30, durationInSecs: 90 },
    metadata: { 'management.port': '8081', zone: `z${n % 3}` },
    ...{ vipAddress: appOf(n).toLowerCase(), homePageUrl: `http://h${n}:8080/` },
  };
  return { method: 'POST', path: `/eureka/apps/${appOf(n)}`, body: JSON.stringify({ instance }) };
}

async function fill(port: number): Promise<number> {
  const from = performance.now();
  let next = 0;
  const some = async () => {
    while (next < instances) {
      const status = await ask(port, registration(next++));
      if (status !== 204) throw new Error(`registered: ${status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  return (performance.now() - from) / 1000;
}

function asked(what: What, n: number): Asked {
  const one = (n * 7) % instances;
  if (what === 'apps') return { method: 'GET', path: '/eureka/apps/' };
  if (what === 'delta') return { method: 'GET', path: '/eureka/apps/delta' };
  if (what === 'renew') return { method: 'PUT', path: pathOf(one) };
  const value = n % 2 === 0 ? 'OUT_OF_SERVICE' : 'UP';
  return { method: 'PUT', path: `${pathOf((n >> 1) % instances)}/status?value=${value}` };
}

async function load(port: number): Promise<Pick<Measured, 'ms' | 'failed'>> {
  const ms: Record<What, number[]> = { renew: [], apps: [], delta: [], change: [] };
  const sent = { renew: 0, apps: 0, delta: 0, change: 0 };
  const pending = new Set<Promise<void>>();
  const from = performance.now();
  let failed = 0;
  const send = (what: What, n: number) => {
    const due = from + (n * 1000) / RATES[what];
    const done = ask(port, asked(what, n)).then(
      (status) => {
        if (status !== 200) failed++;
        ms[what].push(performance.now() - due);
      },
      () => void failed++,
    );
    const kept = done.finally(() => pending.delete(kept));
    pending.add(kept);
  };
  while (performance.now() - from < seconds * 1000) {
    const elapsed = (performance.now() - from) / 1000;
    for (const what of WHATS) {
      while (sent[what] < elapsed * RATES[what]) send(what, sent[what]++);
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(pending);
  return { ms, failed };
}

function processor(pid: number): { readonly cpuS: number; readonly rssMb: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const cpuS = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
  return { cpuS, rssMb: (Number(fields[21]) * PAGE_BYTES) / 1024 / 1024 };
}

async function measure(port: number, child: ChildProcess): Promise<Measured> {
  const answers = () => ask(port, { method: 'GET', path: '/eureka/apps' }).catch(() => 0);
  await until(
    async () => (await answers()) === 200,
    () => 'it does not answer',
    START_MS,
  );
  const fillS = await fill(port);
  await load(port);
  const before = processor(child.pid ?? 0);
  const measured = await load(port);
  const after = processor(child.pid ?? 0);
  child.kill('SIGKILL');
  return { ...measured, fillS, cpuS: after.cpuS - before.cpuS, rssMb: after.rssMb };
}

function percentile(all: readonly number[], share: number): number {
  return [...all].sort((a, b) => a - b)[Math.floor((all.length - 1) * share)] ?? 0;
}

const [rpc, lan, http, ours = 0, theirs = 0] = await freePorts(5);
const folder = mkdtempSync(join(tmpdir(), 'proconsul-bench-'));
const say = (line: string) => void process.stdout.write(`${line}\n`);
const results: [string, Measured][] = [];
try {
  const off = ['register-with-eureka=false', 'fetch-registry=false'];
  const flags = off.map((each) => `--eureka.client.${each}`);
  const real = spawn('java', ['-Xmx512m', '-jar', jar, `--server.port=${theirs}`, ...flags], {
    stdio: 'ignore',
  });
  results.push(['Eureka', await measure(theirs, real)]);
  const own = ['-dns-port=-1', `-http-port=${http}`, `-server-port=${rpc}`];
  const rest = [`-serf-lan-port=${lan}`, '-bind=127.0.0.1', '-log-level=warn', '-eureka'];
  const hcl = ['-hcl', `ports { eureka = ${ours} }`, `-data-dir=${folder}`];
  const args = ['agent', '-server', '-bootstrap', ...own, ...rest, ...hcl];
  const child = spawn('bin/proconsul', args, { stdio: 'inherit' });
  results.push(['Proconsul', await measure(ours, child)]);
} finally {
  rmSync(folder, { recursive: true, force: true });
  agent.destroy();
}
say(
  `${instances} instances; a second: ${WHATS.map((what) => `${RATES[what]} ${what}`).join(', ')}`,
);
for (const [name, { ms, failed, fillS, cpuS, rssMb }] of results) {
  const told = WHATS.map((what) => {
    const [half, most] = [percentile(ms[what], 0.5), percentile(ms[what], 0.99)];
    return `${what} p50 ${half.toFixed(1)} p99 ${most.toFixed(1)} ms`;
  });
  say(`${name}: ${told.join('; ')}; ${failed} failed`);
  say(
    `  filled in ${fillS.toFixed(1)} s, processor ${cpuS.toFixed(1)} s, memory ${rssMb.toFixed(0)} MB`,
  );
}
