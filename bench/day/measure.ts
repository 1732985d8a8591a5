/** One ordinary day: see main.ts for what is in it. */
import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { type AgentProcess, AgentProcesses } from '../../spec/support/servers/agent-processes.ts';
import { fill } from '../compare/fill.ts';
import { ticksOf } from '../compare/registry.ts';
import type { Day, Order } from './load.ts';

const SERVICES = 200;
const WARM_MS = 5000;
const LIMITS = { http_max_conns_per_client: 10_000 };
const TICKS_PER_S = 100;

export interface MeasuredDay extends Day {
  /** Of a processor, by the server and by the agents. */
  readonly serverS: number;
  readonly agentsS: number;
}

export interface DayOptions {
  readonly forMs: number;
  /** Whether everything goes through two client agents. */
  readonly agents: boolean;
  /** What happens at the half; '' for nothing. */
  readonly during: string;
  /** How much of an ordinary day: a machine that is busy with other things does not keep up with all of it. */
  readonly share?: number;
}

/** Of a Consul or another build of Proconsul; undefined is this one. */
export async function measureDay(
  program: string | undefined,
  options: DayOptions,
): Promise<MeasuredDay> {
  const { forMs, share = 1 } = options;
  const processes = await AgentProcesses.create(program);
  // As it is: where nothing was answered there are no quantiles, which JSON cannot say.
  const load = fork(path.join(import.meta.dirname, 'load.ts'), { serialization: 'advanced' });
  try {
    const { server, agents } = await start(processes, options.agents);
    await fill(server.ports.http, { services: SERVICES, instancesEach: 20, prefix: 'web' });
    const asked = agents.length > 0 ? agents : [server];
    const ports = asked.map(({ ports: { http } }) => http);
    const rates = { watchers: 2000 * share, readsPerS: 2000 * share, flipsPerS: 100 * share };
    const order: Order = { ports, services: SERVICES, ...rates, warmMs: WARM_MS, forMs };
    load.send(order);
    await told(load, 'measuring');
    const before = [await secondsOf([server]), await secondsOf(agents)] as const;
    const day = told<Day>(load, 'day');
    const ofTheFirst = await atTheHalf(server, options);
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

async function start(processes: AgentProcesses, withAgents: boolean) {
  const common = { log_level: 'ERROR', limits: LIMITS };
  const server = await processes.server({ ...common, performance: { raft_multiplier: 1 } });
  const names = withAgents ? ['a1', 'a2'] : [];
  const agents = await Promise.all(names.map((name) => processes.agent(name, server, common)));
  for (const each of [server, ...agents]) await each.start();
  while (!(await server.get('/v1/status/leader').catch(() => ''))) await pause(100);
  return { server, agents };
}

/** What happens in the middle of the day; of a server that ended, the processor time that it had used. */
async function atTheHalf(server: AgentProcess, { during, forMs }: DayOptions): Promise<number> {
  if (during === '') return 0;
  await pause(forMs / 2);
  if (during === 'snapshot') {
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
