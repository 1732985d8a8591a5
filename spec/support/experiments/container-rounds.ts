/**
 * Disorder among containers: some are started, some ended, the daemon is restarted and the agent
 * killed, in an order that a seed decides; and then what the agent has must be what Docker has.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Random } from '../../../lib/random.ts';
import { MemoryRegistrations } from '../fakes/memory-registrations.ts';
import { hasEnded, type PrivateDocker } from '../servers/docker.ts';
import { until } from '../until.ts';

/** An agent in a process of its own. */
export interface AgentProcess {
  start(): Promise<void>;
  /** Resolves when it answers; what it has may still be old. */
  untilReady(): Promise<void>;
  /** With SIGKILL, at whatever it does. */
  kill(): Promise<void>;
  /** Ids of all services that it has. */
  services(): Promise<string[]>;
}

/** The watcher alone, with its registrations in a file. */
export class WatcherProcess implements AgentProcess {
  readonly #docker: PrivateDocker;
  readonly #file: string;
  #process: ChildProcess | undefined;
  #ready = false;

  constructor(docker: PrivateDocker) {
    this.#docker = docker;
    this.#file = `${docker.folder}/registrations.json`;
  }

  async start(): Promise<void> {
    const main = fileURLToPath(new URL('../servers/watcher-process.ts', import.meta.url));
    const args = ['--import', 'tsx', main, this.#docker.host, this.#file];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#process = child;
    this.#ready = false;
    child.stdout.once('data', () => {
      this.#ready = true;
    });
  }

  async untilReady(): Promise<void> {
    await until(() => this.#ready, undefined, MAX_REST_MS);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || hasEnded(child)) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async services(): Promise<string[]> {
    return existsSync(this.#file) ? new MemoryRegistrations(this.#file).ids : [];
  }
}

export interface Disorder {
  readonly docker: PrivateDocker;
  readonly agent: AgentProcess;
  readonly random: Random;
  readonly containers: number;
  /** The id of a container's service, by the container's name. */
  readonly idOf: (name: string) => string;
}

export interface RoundResult {
  readonly order: readonly string[];
  readonly running: number;
  /** From the moment that the agent runs and nothing happens any more until all was true. */
  readonly trueAfterMs: number;
}

/** What the issue allows, with room for a busy machine: the caller judges the time. */
const MAX_REST_MS = 20_000;
const AT_A_TIME = 4;

/** One round. Fails when what the agent has never becomes what Docker has, and stays it. */
export async function round(disorder: Disorder): Promise<RoundResult> {
  const { docker, agent, random } = disorder;
  await fill(disorder);
  const acts: [string, () => Promise<void>][] = [
    ['end half', () => endHalf(disorder)],
    ['restart Docker (TERM)', () => restartDaemon(docker, 'SIGTERM')],
    ['restart Docker (KILL)', () => restartDaemon(docker, 'SIGKILL')],
    ['kill the agent', () => agent.kill()],
    ['start some', () => fill(disorder)],
  ];
  const order = shuffled(acts, random).slice(0, 4);
  // The agent is started again before or after what else happens, or else is killed last of all.
  const at = Math.floor(random.next() * (order.length + 1));
  order.splice(at, 0, ['start the agent', () => restart(agent)]);
  for (const [, act] of order) await act();
  if (order.findLastIndex(([what]) => what === 'kill the agent') > at) await agent.start();
  await agent.untilReady();
  return { order: order.map(([what]) => what), ...(await rest(disorder)) };
}

export interface AbsenceResult {
  /** From the start of the process until it answered. */
  readonly answersAfterMs: number;
  /** From its first answer until all was true. */
  readonly trueAfterMs: number;
}

/** The agent is killed; half of the containers end and others start; then it is started again. */
export async function absence(disorder: Disorder): Promise<AbsenceResult> {
  const { agent } = disorder;
  await fill(disorder);
  await agent.kill();
  await endHalf(disorder);
  const began = performance.now();
  await agent.start();
  await agent.untilReady();
  const answersAfterMs = performance.now() - began;
  return { answersAfterMs, trueAfterMs: (await rest(disorder)).trueAfterMs };
}

async function restart(agent: AgentProcess): Promise<void> {
  await agent.kill();
  await agent.start();
}

async function restartDaemon(docker: PrivateDocker, signal: 'SIGTERM' | 'SIGKILL') {
  await docker.stopDaemon(signal);
  await docker.startDaemon();
}

async function rest({ docker, agent, idOf }: Disorder) {
  const began = performance.now();
  let difference = '';
  const equal = async () => {
    const wanted = (await docker.ps()).map(idOf).sort();
    const has = await agent.services();
    const missing = wanted.filter((id) => !has.includes(id));
    const ghosts = has.filter((id) => !wanted.includes(id));
    difference = `missing ${missing.join(' ')}; ghosts ${ghosts.join(' ')}`;
    return missing.length === 0 && ghosts.length === 0;
  };
  await until(equal, () => difference, MAX_REST_MS);
  const trueAfterMs = performance.now() - began;
  return { running: (await docker.ps()).length, trueAfterMs };
}

/** Starts containers until there are as many as there shall be; half of them come back by themselves. */
async function fill({ docker, containers, random }: Disorder): Promise<void> {
  const up = new Set(await docker.ps());
  const down = Array.from({ length: containers }, (_, n) => `c${n}`).filter(
    (name) => !up.has(name),
  );
  await eachOf(down, async (name) => {
    const { client } = docker;
    const known = await client.listContainers({ all: true, filters: { name: [`^/${name}$`] } });
    const [container] = known;
    if (container !== undefined && random.next() < 0.5) {
      await client.getContainer(container.Id).start();
      return;
    }
    if (container !== undefined) await client.getContainer(container.Id).remove({ force: true });
    const n = Number(name.slice(1));
    const restartPolicy = n % 2 === 0 ? 'always' : 'no';
    // A bridge for each would be slow; one of five shows what Docker maps.
    const where =
      n % 5 === 0 ? { ports: { '80/tcp': '' } } : { network: 'host', expose: ['80/tcp'] };
    await docker.run(name, { restart: restartPolicy, ...where });
  });
}

async function endHalf({ docker, random }: Disorder): Promise<void> {
  const up = shuffled(await docker.ps(), random);
  await eachOf(up.slice(0, up.length / 2), async (name) => {
    const container = docker.client.getContainer(name);
    const how = random.next();
    if (how < 1 / 3) await container.stop();
    else if (how < 2 / 3) await container.kill();
    else await container.remove({ force: true });
  });
}

async function eachOf<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async () => {
    for (const item of left) await act(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, key: random.next() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
