/** Real Proconsul processes on this machine: servers and agents, which a spec may kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../until.ts';
import { freePorts } from './free-ports.ts';

const PROGRAM = fileURLToPath(new URL('../../../bin/proconsul', import.meta.url));
/** It is built first when it is stale. */
const START_MS = 90_000;

export interface Ports {
  readonly http: number;
  readonly server: number;
  readonly serf_lan: number;
  readonly dns: number;
}

/** Keys of a configuration file; ports beside those that each has anyway. */
export interface AgentConfig {
  readonly ports?: Readonly<Record<string, number>>;
  readonly [key: string]: unknown;
}

export interface AgentProcessOptions {
  readonly folder: string;
  readonly node: string;
  readonly ports: Ports;
  readonly config: AgentConfig;
  /** Consul itself, say. */
  readonly program?: string;
}

export class AgentProcess {
  readonly node: string;
  readonly ports: Ports;
  readonly #folder: string;
  readonly #config: AgentConfig;
  readonly #program: string;
  #process: ChildProcess | undefined;

  constructor({ folder, node, ports, config, program = PROGRAM }: AgentProcessOptions) {
    this.node = node;
    this.ports = ports;
    this.#folder = folder;
    this.#config = config;
    this.#program = program;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get dataDir(): string {
    return path.join(this.#folder, this.node);
  }

  /** Resolves when it answers for itself, with how long that took. */
  async start(): Promise<number> {
    const file = path.join(this.#folder, `${this.node}.json`);
    const config = {
      node_name: this.node,
      data_dir: this.dataDir,
      bind_addr: '127.0.0.1',
      ...this.#config,
      ports: { ...this.ports, grpc: -1, serf_wan: -1, ...this.#config.ports },
    };
    await writeFile(file, JSON.stringify(config));
    const log = openSync(this.#logFile, 'a');
    const began = performance.now();
    this.#process = spawn(this.#program, ['agent', `-config-file=${file}`], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const answers = async () =>
      (await this.get('/v1/agent/self').catch(() => undefined)) !== undefined;
    await until(answers, () => `${this.node} does not answer`, START_MS);
    return performance.now() - began;
  }

  /** SIGSTOP and SIGCONT: it goes on living. */
  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** The code that it has ended with by itself; undefined while it runs. */
  get exitCode(): number | undefined {
    return this.#process?.exitCode ?? undefined;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill(signal);
    await ended;
  }

  /** As if its disk were new. */
  async forget(): Promise<void> {
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** The JSON of an answer with status 200; undefined for any other. */
  async get<T = unknown>(target: string): Promise<T | undefined> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.http}${target}`);
    if (answer.status === 200) return (await answer.json()) as T;
    await answer.arrayBuffer();
    return undefined;
  }

  /** The status of the answer. */
  async put(target: string, body: object | '' = ''): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.http}${target}`, {
      method: 'PUT',
      body: body === '' ? '' : JSON.stringify(body),
    });
    await answer.arrayBuffer();
    return answer.status;
  }

  log(): Promise<string> {
    return readFile(this.#logFile, 'utf8');
  }

  get #logFile(): string {
    return path.join(this.#folder, `${this.node}.log`);
  }
}

/** A server named s1 and agents that join it; `end` kills whatever still runs. */
export class AgentProcesses {
  readonly #folder: string;
  readonly #program: string | undefined;
  readonly #all: AgentProcess[] = [];

  private constructor(folder: string, program: string | undefined) {
    this.#folder = folder;
    this.#program = program;
  }

  static async create(program?: string): Promise<AgentProcesses> {
    return new AgentProcesses(await mkdtemp(path.join(tmpdir(), 'proconsul-')), program);
  }

  async server(more: AgentConfig = {}): Promise<AgentProcess> {
    return this.#add('s1', { server: true, bootstrap: true, ...more });
  }

  async agent(node: string, server: AgentProcess, more: AgentConfig = {}): Promise<AgentProcess> {
    return this.#add(node, { retry_join: [`127.0.0.1:${server.ports.serf_lan}`], ...more });
  }

  async end(): Promise<void> {
    await Promise.all(this.#all.map((each) => each.kill()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #add(node: string, config: AgentConfig): Promise<AgentProcess> {
    const [http = 0, server = 0, serf_lan = 0, dns = 0] = await freePorts(4);
    const process = new AgentProcess({
      folder: this.#folder,
      node,
      ports: { http, server, serf_lan, dns },
      config,
      ...(this.#program !== undefined && { program: this.#program }),
    });
    this.#all.push(process);
    return process;
  }
}
