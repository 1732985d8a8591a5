/**
 * Asks Proconsul and a real Consul the same questions with dnsperf, in turns, so that whatever else
 * the machine does hits both: node --import tsx bench/dns.ts /path/to/consul
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../spec/support/servers/free-ports.ts';
import { until } from '../spec/support/until.ts';

const run = promisify(execFile);
const ROUNDS = 3;
const RUN_S = 3;
const CLIENTS = 4;
const OUTSTANDING = 100;
const START_MS = 60_000;
const SERVICES = 50;
/** Of each service: a few of most, 100 of some. */
const FEW = 5;
const MANY = 100;

interface Round {
  readonly what: string;
  readonly questions: readonly string[];
  readonly options: readonly string[];
}

const names = (kind: string) =>
  Array.from({ length: SERVICES }, (_, i) => `${kind}-${i}.service.consul`);
const few = names('few');
const many = names('many');
const a = few.map((name) => `${name} A`);
const mix = [
  ...a,
  ...few.map((name) => `${name} AAAA`),
  ...many.flatMap((n) => [`${n} SRV`, `${n} SRV`]),
];
const ROUNDS_OF: readonly Round[] = [
  { what: 'A, 5 instances', questions: a, options: [] },
  { what: 'mix, half SRV of 100 instances', questions: mix, options: [] },
  { what: 'mix, EDNS 1,232', questions: mix, options: ['-e', '-b', '1232'] },
  { what: 'mix, EDNS 4,096', questions: mix, options: ['-e', '-b', '4096'] },
  {
    what: 'SRV of 100 instances over TCP',
    questions: many.map((n) => `${n} SRV`),
    options: ['-m', 'tcp'],
  },
];

interface Agent {
  readonly name: string;
  readonly dns: number;
  readonly stop: () => Promise<void>;
}

async function startAgent(name: string, command: string, folder: string): Promise<Agent> {
  const [http = 0, dns = 0, server = 0, lan = 0, wan = 0] = await freePorts(5);
  const file = path.join(folder, `${name}.json`);
  const config = {
    node_name: 'n1',
    server: true,
    bootstrap: true,
    data_dir: path.join(folder, name),
    bind_addr: '127.0.0.1',
    log_level: 'err',
    disable_update_check: true,
    ports: { http, dns, server, serf_lan: lan, serf_wan: wan, grpc: -1 },
  };
  await writeFile(file, JSON.stringify(config));
  const child = spawn(command, ['agent', `-config-file=${file}`], { stdio: 'ignore' });
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const api = (route: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${http}${route}`, init);
  const leads = async () => (await (await api('/v1/status/leader')).text()).length > 4;
  await until(
    () => leads().catch(() => false),
    () => `${name} does not start`,
    START_MS,
  );
  await fill((body) => api('/v1/catalog/register', { method: 'PUT', body: JSON.stringify(body) }));
  return {
    name,
    dns,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function fill(register: (body: object) => Promise<Response>): Promise<void> {
  for (let i = 0; i < MANY; i++) {
    const services = Array.from({ length: SERVICES }, (_, s) => s).flatMap((s) =>
      i < FEW ? [`few-${s}`, `many-${s}`] : [`many-${s}`],
    );
    for (const Service of services) {
      const Address = `10.1.0.${i}`;
      const body = {
        Node: `node-${i}`,
        Address,
        Service: { ID: Service, Service, Port: 8000 + i },
      };
      const { status } = await register(body);
      if (status !== 200) throw new Error(`not registered: ${status}`);
    }
  }
}

/** Answers a second. */
async function measure(agent: Agent, file: string, options: readonly string[]): Promise<number> {
  const load = ['-l', String(RUN_S), '-c', String(CLIENTS), '-q', String(OUTSTANDING)];
  const at = ['-s', '127.0.0.1', '-p', String(agent.dns), '-d', file];
  const { stdout } = await run('dnsperf', [...at, ...load, ...options]);
  const lost = Number(/Queries lost:\s+(\d+)/.exec(stdout)?.[1]);
  const completed = Number(/Queries completed:\s+(\d+)/.exec(stdout)?.[1]);
  if (lost > completed / 100) say(`  ${agent.name} lost ${lost} of ${completed + lost}`);
  return Number(/Queries per second:\s+([\d.]+)/.exec(stdout)?.[1]);
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((x, y) => x - y)[numbers.length >> 1] ?? 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const [consul] = process.argv.slice(2);
if (consul === undefined) throw new Error('usage: bench/dns.ts /path/to/consul');
const folder = await mkdtemp(path.join(tmpdir(), 'bench-dns-'));
const agents: Agent[] = [];
try {
  agents.push(await startAgent('consul', consul, folder));
  agents.push(await startAgent('proconsul', path.resolve('bin/proconsul'), folder));
  for (const { what, questions, options } of ROUNDS_OF) {
    const file = path.join(folder, 'questions');
    await writeFile(file, `${questions.join('\n')}\n`);
    const rates = agents.map((): number[] => []);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, agent] of agents.entries()) {
        rates[i]?.push(await measure(agent, file, options));
      }
    }
    const [theirs = 0, ours = 0] = rates.map(median);
    const figures = agents.map(({ name }, i) => `${name} ${Math.round(median(rates[i] ?? []))}/s`);
    say(`${what}: ${figures.join(', ')}, ${(ours / theirs).toFixed(1)} times`);
  }
} finally {
  for (const agent of agents) await agent.stop();
  await rm(folder, { recursive: true, force: true });
}
