/**
 * An ordinary day, beside a real Consul: 200 services of 20 instances, 2,000 watchers, 100 changes and
 * 2,000 reads a second, each at its time. It is what a user feels.
 *
 *   CONSUL=path/to/consul bin/bench --day [--seconds 20] [--rounds 5] [--agents] [--during snapshot|restart]
 *     [--beside path/to/other/bin/proconsul]
 *
 * --agents: everything goes through two client agents. --during: that happens at the half. --beside: another
 * build of Proconsul in Consul's place.
 */
import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type AgentProcess, AgentProcesses } from '../../spec/support/servers/agent-processes.ts';
import { fill } from '../compare/fill.ts';
import { ticksOf } from '../compare/registry.ts';
import { figure } from '../compare/table.ts';
import type { Day, Latencies, Order } from './load.ts';

const SERVICES = 200;
const WARM_MS = 5000;
const LIMITS = { http_max_conns_per_client: 10_000 };
const TICKS_PER_S = 100;

const { values: options } = parseArgs({
  options: {
    day: { type: 'boolean' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '5' },
    agents: { type: 'boolean', default: false },
    during: { type: 'string', default: '' },
    beside: { type: 'string', default: '' },
  },
});
if (!['', 'snapshot', 'restart'].includes(options.during)) {
  throw new Error(`--during ${options.during}: snapshot or restart`);
}
const consul = process.env['CONSUL'] ?? 'consul';
const forMs = Number(options.seconds) * 1000;
const say = (text: string) => void process.stdout.write(`${text}\n`);

interface Measured extends Day {
  /** Of a processor, by the server and by the agents. */
  readonly serverS: number;
  readonly agentsS: number;
}

const other = options.beside === '' ? 'Consul' : 'beside';
const PROGRAMS: Readonly<Record<string, string | undefined>> = {
  [other]: options.beside || consul,
  Proconsul: undefined,
};

async function measure(program: string | undefined): Promise<Measured> {
  const processes = await AgentProcesses.create(program);
  // As it is: where nothing was answered there are no quantiles, which JSON cannot say.
  const load = fork(path.join(import.meta.dirname, 'load.ts'), { serialization: 'advanced' });
  try {
    const { server, agents } = await start(processes);
    await fill(server.ports.http, { services: SERVICES, instancesEach: 20, prefix: 'web' });
    const asked = agents.length > 0 ? agents : [server];
    const ports = asked.map(({ ports: { http } }) => http);
    const rates = { watchers: 2000, readsPerS: 2000, flipsPerS: 100 };
    const order: Order = { ports, services: SERVICES, ...rates, warmMs: WARM_MS, forMs };
    load.send(order);
    await told(load, 'measuring');
    const before = [await secondsOf([server]), await secondsOf(agents)] as const;
    const day = told<Day>(load, 'day');
    const ofTheFirst = await atTheHalf(server);
    const result = await day;
    return {
      ...result,
      serverS: ofTheFirst + (await secondsOf([server])) - before[0],
      agentsS: (await secondsOf(agents)) - before[1],
    };
  } finally {
    load.kill('SIGKILL');
    await processes.end();
  }
}

async function start(processes: AgentProcesses) {
  const common = { log_level: 'ERROR', limits: LIMITS };
  const server = await processes.server({ ...common, performance: { raft_multiplier: 1 } });
  const names = options.agents ? ['a1', 'a2'] : [];
  const agents = await Promise.all(names.map((name) => processes.agent(name, server, common)));
  for (const each of [server, ...agents]) await each.start();
  while (!(await server.get('/v1/status/leader').catch(() => ''))) await pause(100);
  return { server, agents };
}

/** What happens in the middle of the day; of a server that ended, the processor time that it had used. */
async function atTheHalf(server: AgentProcess): Promise<number> {
  if (options.during === '') return 0;
  await pause(forMs / 2);
  if (options.during === 'snapshot') {
    await (await fetch(`http://127.0.0.1:${server.ports.http}/v1/snapshot`)).arrayBuffer();
    return 0;
  }
  const used = await secondsOf([server]);
  await server.kill('SIGTERM');
  await server.start();
  return used;
}

async function secondsOf(some: readonly AgentProcess[]): Promise<number> {
  const ticks = await Promise.all(some.map(({ pid }) => ticksOf(pid)));
  return ticks.reduce((a, b) => a + b, 0) / TICKS_PER_S;
}

function told<T>(child: ChildProcess, name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const take = (message: Record<string, T>) => {
      if (!(name in message)) return;
      child.off('message', take);
      resolve(message[name] as T);
    };
    child.on('message', take);
    child.once('exit', () => reject(new Error('the load has ended')));
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

type Row = readonly [name: string, unit: string, of: (measured: Measured) => number];

const latencies = (name: string, of: (day: Day) => Latencies): Row[] => [
  [`${name}, p50`, 'ms', (m) => of(m).p50],
  [`${name}, p99`, 'ms', (m) => of(m).p99],
  [`${name}, p99.9`, 'ms', (m) => of(m).p999],
];

const ofAgents: Row = ['processor, agents', 's', (m) => m.agentsS];

const ROWS: readonly Row[] = [
  ...latencies('a read', (day) => day.reads),
  ...latencies('a change', (day) => day.writes),
  ...latencies('from a change to a watcher', (day) => day.wakes),
  ['processor, server', 's', (m) => m.serverS],
  ...(options.agents ? [ofAgents] : []),
  ['answers that watchers got', '', (m) => m.wakes.count],
  ['failed', '', (m) => m.failed],
  ['late: the client itself', 'ms', (m) => m.lateMs],
];

const all = new Map<string, Measured[]>(Object.keys(PROGRAMS).map((name) => [name, []]));
for (let round = 1; round <= Number(options.rounds); round++) {
  for (const [name, program] of Object.entries(PROGRAMS)) {
    const measured = await measure(program);
    all.get(name)?.push(measured);
    const { reads, wakes, serverS, agentsS, failed } = measured;
    const took = `${figure(serverS)} s${options.agents ? `, agents ${figure(agentsS)} s` : ''}`;
    say(
      `round ${round}, ${name}: reads p99 ${figure(reads.p99)} ms, wake-ups p99 ${figure(wakes.p99)} ms, ${took}, ${failed} failed`,
    );
  }
}
say(`\n| | ${other} | Proconsul | |\n|---|---:|---:|---:|`);
for (const [name, unit, of] of ROWS) {
  const [theirs = Number.NaN, ours = Number.NaN] = [...all.values()].map((some) =>
    median(some.map(of)),
  );
  const ratio = unit === '' || name.startsWith('late') ? '' : `${figure(theirs / ours)}×`;
  say(`| ${name} | ${figure(theirs)} ${unit} | ${figure(ours)} ${unit} | ${ratio} |`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
