/**
 * The sidecar beside a real Envoy of one worker and haproxy of one thread, over the same three programs and
 * under the same load: what each carries a second, what it takes of the processor for one request, and what
 * it adds to the latency. The machine may be busy: what counts are the ratios of processor time.
 *
 *   node --import tsx bench/sidecar.ts path/to/envoy [rounds, 3] [seconds, 3] [kinds, l4,http,h2] [flags of Node]
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../spec/support/servers/free-ports.ts';
import { request } from './compare/http.ts';
import { ticksOf } from './compare/registry.ts';

const [envoy = 'envoy', ...given] = process.argv.slice(2);
const [rounds = 3, seconds = 3] = given.map(Number);
const KINDS = (given[2] ?? 'l4,http,h2').split(',') as readonly Kind[];
const PROGRAMS = 3;
const TOP = path.resolve(import.meta.dirname, '..');
const UP_MS = 60_000;
const run = promisify(execFile);
const say = (line: string) => void process.stdout.write(`${line}\n`);

type Kind = 'l4' | 'http' | 'h2';

interface Proxy {
  readonly name: string;
  readonly pid: number;
  readonly ports: Readonly<Record<Kind, number>>;
}

const children: ChildProcess[] = [];

function begin(command: string, args: readonly string[]): number {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
  return child.pid as number;
}

async function until(port: number, isGood: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + UP_MS;
  while (!(await isGood().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`nothing answers on ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const isOk = async (port: number) => (await request(port, 'GET', '/')).status === 200;

/** Three that answer at once: they are not what is measured. */
async function startPrograms(folder: string) {
  const ports = await freePorts(PROGRAMS * 2);
  const [h1, h2] = [ports.slice(0, PROGRAMS), ports.slice(PROGRAMS)];
  const binds = [
    ...h1.map((port) => `  bind 127.0.0.1:${port}`),
    ...h2.map((port) => `  bind 127.0.0.1:${port} proto h2`),
  ];
  const body = 'x'.repeat(100);
  await haproxy(folder, 'programs', [
    'frontend programs',
    ...binds,
    `  http-request return status 200 content-type text/plain string ${body}`,
  ]);
  await until(h1[0] as number, () => isOk(h1[0] as number));
  return { h1, h2 };
}

async function haproxy(folder: string, name: string, lines: readonly string[]): Promise<number> {
  const file = path.join(folder, `${name}.cfg`);
  const head = ['global', '  nbthread 1', '  maxconn 8000', 'defaults', '  mode http'];
  const times = ['connect', 'client', 'server'].map((each) => `  timeout ${each} 60s`);
  await writeFile(file, `${[...head, ...times, ...lines].join('\n')}\n`);
  return begin('haproxy', ['-db', '-f', file]);
}

type Programs = Awaited<ReturnType<typeof startPrograms>>;

async function startHaproxy(folder: string, programs: Programs): Promise<Proxy> {
  const [l4 = 0, http = 0, h2 = 0] = await freePorts(3);
  const servers = (ports: readonly number[], more: string) =>
    ports.map((port, i) => `  server s${i} 127.0.0.1:${port} ${more}`);
  const pid = await haproxy(folder, 'proxy', [
    ...['listen l4', `  bind 127.0.0.1:${l4}`, '  mode tcp', '  balance leastconn'],
    ...servers(programs.h1, ''),
    ...['listen http', `  bind 127.0.0.1:${http}`, '  balance leastconn', '  http-reuse always'],
    ...servers(programs.h1, ''),
    ...['listen h2', `  bind 127.0.0.1:${h2} proto h2`, '  balance leastconn'],
    ...servers(programs.h2, 'proto h2'),
  ]);
  return { name: 'haproxy', pid, ports: { l4, http, h2 } };
}

async function startEnvoy(folder: string, programs: Programs): Promise<Proxy> {
  const [l4 = 0, http = 0, h2 = 0] = await freePorts(3);
  const address = (port: number) => ({
    socket_address: { address: '127.0.0.1', port_value: port },
  });
  const cluster = (name: string, ports: readonly number[], more: object) => ({
    ...{ name, type: 'STATIC', lb_policy: 'LEAST_REQUEST', connect_timeout: '5s' },
    load_assignment: {
      cluster_name: name,
      endpoints: [
        { lb_endpoints: ports.map((port) => ({ endpoint: { address: address(port) } })) },
      ],
    },
    ...more,
  });
  const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`;
  const listener = (port: number, name: string, typed: object) => ({
    address: address(port),
    filter_chains: [{ filters: [{ name, typed_config: typed }] }],
  });
  const manager = (name: string) => ({
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: name,
    route_config: {
      virtual_hosts: [
        { name, domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: name } }] },
      ],
    },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': type('filters.http.router.v3.Router') },
      },
    ],
  });
  const h2Options = {
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': type('upstreams.http.v3.HttpProtocolOptions'),
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
  const config = {
    static_resources: {
      listeners: [
        listener(l4, 'envoy.filters.network.tcp_proxy', {
          '@type': type('filters.network.tcp_proxy.v3.TcpProxy'),
          ...{ stat_prefix: 'l4', cluster: 'http' },
        }),
        listener(http, 'envoy.filters.network.http_connection_manager', manager('http')),
        listener(h2, 'envoy.filters.network.http_connection_manager', manager('h2')),
      ],
      clusters: [cluster('http', programs.h1, {}), cluster('h2', programs.h2, h2Options)],
    },
  };
  const file = path.join(folder, 'envoy.json');
  await writeFile(file, JSON.stringify(config));
  const args = ['-c', file, '--disable-hot-restart', '--concurrency', '1', '-l', 'error'];
  return { name: 'envoy', pid: begin(envoy, args), ports: { l4, http, h2 } };
}

async function startSidecar(programs: Programs): Promise<Proxy> {
  const [agent = 0, l4 = 0, http = 0, h2 = 0, ...others] = await freePorts(8);
  const [serf = 0, wan = 0, server = 0] = others;
  const command = path.join(TOP, 'bin/proconsul');
  const ports = [`-http-port=${agent}`, `-serf-lan-port=${serf}`, `-serf-wan-port=${wan}`];
  begin(command, [
    ...['agent', '-dev', '-log-level=err', '-dns-port=-1', `-server-port=${server}`],
    ...['-bind=127.0.0.1', '-grpc-port=-1', ...ports],
  ]);
  await until(agent, async () => {
    const { status, text } = await request(agent, 'GET', '/v1/status/leader');
    return status === 200 && text.length > 5;
  });
  const put = async (at: string, body: object) => {
    const { status, text } = await request(agent, 'PUT', at, body);
    if (status !== 200) throw new Error(`${at}: ${text}`);
  };
  for (const [name, protocol, own] of [
    ...([
      ['l4', 'tcp', programs.h1],
      ['http', 'http', programs.h1],
      ['h2', 'http2', programs.h2],
    ] as const),
  ]) {
    await put('/v1/config', { Kind: 'service-defaults', Name: name, Protocol: protocol });
    for (const [i, Port] of own.entries()) {
      const ID = `${name}-${i}`;
      await put('/v1/agent/service/register', { ID, Name: name, Address: '127.0.0.1', Port });
    }
  }
  const upstreams = Object.entries({ l4, http, h2 }).map(([name, at]) => `-upstream=${name}:${at}`);
  const at = `-http-addr=127.0.0.1:${agent}`;
  const flags = (given[3] ?? '').split(' ').filter((each) => each !== '');
  const args = ['connect', 'proxy', at, '-log-level=err', ...upstreams];
  const pid =
    flags.length === 0
      ? begin(command, args)
      : begin('node', [...flags, path.join(TOP, 'dist/proconsul.cjs'), ...args]);
  return { name: 'sidecar', pid, ports: { l4, http, h2 } };
}

interface Measured {
  readonly perSecond: number;
  /** Of the proxy's processor time, in microseconds; NaN where there is no proxy. */
  readonly perRequest: number;
  readonly p50: number;
}

async function measure(proxy: Proxy, kind: Kind): Promise<Measured> {
  const before = proxy.pid === 0 ? 0 : await ticksOf(proxy.pid);
  const { requests, perSecond } = await load(kind, proxy.ports[kind], 32);
  const ticks = (proxy.pid === 0 ? Number.NaN : await ticksOf(proxy.pid)) - before;
  const { p50 } = await load(kind, proxy.ports[kind], 1);
  return { perSecond, perRequest: (ticks * 10_000) / requests, p50 };
}

async function load(kind: Kind, port: number, connections: number) {
  const url = `http://127.0.0.1:${port}/`;
  if (kind === 'h2') {
    const many = connections === 1 ? ['-c1', '-m1'] : ['-c4', `-m${connections / 4}`];
    const { stdout } = await run('h2load', [...many, '-D', `${seconds}`, url]);
    const [, rate = ''] = /finished in [^,]+, ([\d.]+) req\/s/.exec(stdout) ?? [];
    const [, done = '', failed = ''] = /(\d+) succeeded, (\d+) failed/.exec(stdout) ?? [];
    if (Number(failed) > 0) throw new Error(stdout);
    const [, mean = '', unit = ''] =
      /time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms)/.exec(stdout) ?? [];
    const p50 = Number(mean) * (unit === 'us' ? 0.001 : 1);
    return { requests: Number(done), perSecond: Number(rate), p50 };
  }
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url];
  const { stdout } = await run('wrk', args);
  const errors = /Non-2xx or 3xx responses: (\d+)|Socket errors: .*/.exec(stdout);
  if (errors !== null) throw new Error(`${kind}: ${errors[0]}`);
  const [, rate = ''] = /Requests\/sec:\s+([\d.]+)/.exec(stdout) ?? [];
  const [, all = ''] = /(\d+) requests in/.exec(stdout) ?? [];
  const [, half = '', unit = ''] = /50%\s+([\d.]+)(us|ms|s)/.exec(stdout) ?? [];
  const scale = { us: 0.001, ms: 1, s: 1000 }[unit] ?? Number.NaN;
  return { requests: Number(all), perSecond: Number(rate), p50: Number(half) * scale };
}

function median(all: readonly number[]): number {
  return [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
}

const folder = await mkdtemp(path.join(tmpdir(), 'bench-sidecar-'));
try {
  const programs = await startPrograms(folder);
  const direct: Proxy = {
    ...{ name: 'no proxy', pid: 0 },
    ports: { l4: programs.h1[0] ?? 0, http: programs.h1[0] ?? 0, h2: programs.h2[0] ?? 0 },
  };
  const proxies = [
    ...[direct, await startHaproxy(folder, programs), await startEnvoy(folder, programs)],
    await startSidecar(programs),
  ];
  for (const { ports } of proxies) {
    await until(ports.http, () => isOk(ports.http));
    await until(ports.l4, () => isOk(ports.l4));
  }
  for (const kind of KINDS) {
    // What is compiled while it runs is so by now.
    for (const proxy of proxies) await load(kind, proxy.ports[kind], 32);
    const found = new Map<string, Measured[]>(proxies.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const proxy of proxies) found.get(proxy.name)?.push(await measure(proxy, kind));
    }
    const of = (name: string, what: keyof Measured) =>
      median((found.get(name) ?? []).map((each) => each[what]));
    say(`${kind}: requests a second; processor time of one; p50 of one caller`);
    for (const { name } of proxies) {
      const rate = of(name, 'perSecond');
      const [took, p50] = [of(name, 'perRequest'), of(name, 'p50')];
      const than = (of('envoy', 'perRequest') / took).toFixed(2);
      const added = (p50 - of('no proxy', 'p50')).toFixed(3);
      say(
        `  ${name.padEnd(9)} ${rate.toFixed(0).padStart(7)}/s ${took.toFixed(1).padStart(6)} µs (${than}× Envoy) ` +
          `p50 ${p50.toFixed(3)} ms (+${added})`,
      );
    }
  }
} finally {
  for (const child of children) child.kill('SIGTERM');
  await rm(folder, { recursive: true, force: true });
}
