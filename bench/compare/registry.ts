/** A registry under measurement: Proconsul on one of its logs, or a real Consul, started alike. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../../spec/support/servers/free-ports.ts';
import { request } from './http.ts';

export type Kind = 'consul' | 'memory' | 'file' | 'redis';

const START_TIMEOUT_MS = 30_000;
const MAX_WORDS = 2000;
const NS_PER_US = 1000;
const STOP_TIMEOUT_MS = 10_000;
const TOP = path.resolve(import.meta.dirname, '../..');

export interface Registry {
  readonly kind: Kind;
  readonly pid: number;
  readonly port: number;
  /** Resident memory of the process that answers, in bytes. */
  memory(): Promise<number>;
  /** The processor time that it has used, in hundredths of a second. */
  ticks(): Promise<number>;
  /** The same in microseconds: of its first thread, where its requests are answered, and of all of them. */
  processorUs(): Promise<Used>;
  /** Returns when it is done with what earlier clients left behind, or after 20 s. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
}

export interface Used {
  readonly firstThread: number;
  readonly all: number;
}

/** `over`: more of the configuration, for both alike. `ours`: another build of Proconsul. */
export async function startRegistry(
  kind: Kind,
  consul: string,
  over: Readonly<Record<string, unknown>> = {},
  ours = path.join(TOP, 'bin/proconsul'),
): Promise<Registry> {
  const folder = await mkdtemp(path.join(tmpdir(), `bench-${kind}-`));
  const [port, ...others] = await freePorts(5);
  const redis = kind === 'redis' ? await startRedis(folder) : undefined;
  const config = configFor(kind, [port as number, ...others], folder);
  const file = path.join(folder, 'config.json');
  await writeFile(file, JSON.stringify({ ...config, ...over }));
  const command = kind === 'consul' ? consul : ours;
  const args = ['agent', `-config-file=${file}`];
  if (kind === 'memory') args.push('-dev');
  if (redis !== undefined) args.push(`-redis=${redis.url}`);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = lastWords(child);
  const registry = {
    kind,
    pid: child.pid as number,
    port: port as number,
    memory: () => residentBytes(child.pid as number),
    ticks: () => ticksOf(child.pid as number),
    processorUs: () => usedBy(child.pid as number),
    quiet: () => untilQuiet(child.pid as number),
    async stop() {
      await end(child);
      if (redis !== undefined) await end(redis.child);
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await isUp(registry.port);
  } catch (error) {
    await registry.stop();
    throw new Error(`${kind} did not start: ${said()}`, { cause: error });
  }
  return registry;
}

/** One server with a log that is durable before it answers; `memory` is the only exception. */
function configFor(kind: Kind, ports: readonly number[], folder: string) {
  const [http, serfLan, serfWan, server] = ports;
  return {
    server: true,
    ...(kind === 'memory' ? {} : { bootstrap: true }),
    node_name: 'bench',
    bind_addr: '127.0.0.1',
    log_level: 'ERROR',
    // More than any row opens; Consul wants to be allowed as many files.
    limits: { http_max_conns_per_client: 15_000 },
    ports: { http, serf_lan: serfLan, serf_wan: serfWan, server, dns: -1, grpc: -1 },
    performance: { raft_multiplier: 1 },
    ...(kind === 'memory' ? {} : { data_dir: path.join(folder, 'data') }),
  };
}

/** The end of what it prints. */
function lastWords(child: ChildProcess): () => string {
  let text = '';
  const take = (chunk: Buffer) => {
    text = (text + chunk).slice(-MAX_WORDS);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return () => text;
}

async function startRedis(folder: string): Promise<{ url: string; child: ChildProcess }> {
  const [port] = await freePorts(1);
  const options = ['--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const child = spawn('redis-server', ['--port', String(port), ...options, ...durable], {
    stdio: 'ignore',
  });
  child.on('error', () => undefined);
  return { url: `redis://127.0.0.1:${port}`, child };
}

export function hasRedis(): Promise<boolean> {
  return promisify(execFile)('redis-server', ['--version']).then(
    () => true,
    () => false,
  );
}

async function isUp(port: number): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const answer = await request(port, 'GET', '/v1/health/node/bench').catch(() => undefined);
    if (answer?.status === 200 && answer.text.includes('serfHealth')) return;
    if (performance.now() > deadline) throw new Error('no serfHealth within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

const QUIET_LOOK_MS = 200;
const QUIET_TIMEOUT_MS = 20_000;
/** Of a hundredth of a second each: 5 in 200 ms are a quarter of a core. */
const QUIET_TICKS = 5;

async function untilQuiet(pid: number): Promise<void> {
  const deadline = performance.now() + QUIET_TIMEOUT_MS;
  for (let before = await ticksOf(pid); performance.now() < deadline; ) {
    await new Promise((resolve) => setTimeout(resolve, QUIET_LOOK_MS));
    const ticks = await ticksOf(pid);
    if (ticks - before < QUIET_TICKS) return;
    before = ticks;
  }
}

/** The processor time that it has used, in hundredths of a second. */
export async function ticksOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/** What threads took that have ended is left out: Node keeps those that it has. */
export async function usedBy(pid: number): Promise<Used> {
  const of = async (thread: string) => {
    const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0');
    return Number(text.split(' ')[0]) / NS_PER_US;
  };
  const threads = await Promise.all((await readdir(`/proc/${pid}/task`)).map(of));
  return { firstThread: await of(String(pid)), all: threads.reduce((a, b) => a + b, 0) };
}

export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}
