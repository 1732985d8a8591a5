/** An agent that is asked by DNS, and dnsperf, which asks it. */
import { execFile, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../../spec/support/servers/free-ports.ts';
import { until } from '../../spec/support/until.ts';

const run = promisify(execFile);
export const RUN_S = 3;
const CLIENTS = 4;
const OUTSTANDING = 100;
const START_MS = 60_000;
const SERVICES = 50;
/** Of each service: a few of most, 100 of some. */
const FEW = 5;
const MANY = 100;

/** Of the services that have so many instances. */
export const namesOf = (kind: 'few' | 'many') =>
  Array.from({ length: SERVICES }, (_, i) => `${kind}-${i}.service.consul`);

export interface DnsAgent {
  readonly name: string;
  readonly dns: number;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

export async function startAgent(name: string, command: string, folder: string): Promise<DnsAgent> {
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
    pid: child.pid as number,
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

export interface Answered {
  readonly perSecond: number;
  /** Of a hundred questions. */
  readonly lost: number;
}

/** `file` has the questions, one a line. */
export async function ask(
  agent: Pick<DnsAgent, 'dns'>,
  file: string,
  options: readonly string[],
): Promise<Answered> {
  const load = ['-l', String(RUN_S), '-c', String(CLIENTS), '-q', String(OUTSTANDING)];
  const at = ['-s', '127.0.0.1', '-p', String(agent.dns), '-d', file];
  const { stdout } = await run('dnsperf', [...at, ...load, ...options]);
  const lost = Number(/Queries lost:\s+(\d+)/.exec(stdout)?.[1]);
  const completed = Number(/Queries completed:\s+(\d+)/.exec(stdout)?.[1]);
  const perSecond = Number(/Queries per second:\s+([\d.]+)/.exec(stdout)?.[1]);
  return { perSecond, lost: (100 * lost) / (completed + lost) };
}
