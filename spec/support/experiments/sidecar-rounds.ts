/** A sidecar as its users run it, over programs that come, go, are drained and are killed under load. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../servers/free-ports.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../servers/proconsul.ts';
import { send } from '../servers/start-server.ts';
import { until } from '../until.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/proconsul', import.meta.url));
const BACKEND = fileURLToPath(new URL('./http-backend.mjs', import.meta.url));
const PATIENCE_MS = 60_000;

export interface Program {
  readonly name: string;
  readonly port: number;
  readonly process: ChildProcess;
}

interface Answered {
  readonly at: number;
  /** Who answered; '' where the call failed. */
  readonly who: string;
  readonly why: string;
  readonly ms: number;
}

export interface ProxyPorts {
  /** Where it is called. */
  readonly own: number;
  readonly admin: number;
  /** The agent's. */
  readonly http: number;
}

export class SidecarRounds {
  readonly answers: Answered[] = [];
  readonly #agent: Proconsul;
  readonly #programs = new Set<ChildProcess>();
  readonly #ports: { readonly own: number; readonly admin: number };
  #isLoaded = false;
  #callers: readonly Promise<void>[] = [];

  private constructor(agent: Proconsul, ports: { readonly own: number; readonly admin: number }) {
    this.#agent = agent;
    this.#ports = ports;
  }

  static start(folder: string, flags: readonly string[]): Promise<SidecarRounds> {
    const agentFlags = ['-server', '-bootstrap', `-data-dir=${folder}`];
    return SidecarRounds.startWith(agentFlags, async ({ own, admin, http }) => [
      COMMAND,
      [
        ...['connect', 'proxy', `-upstream=web:${own}`, `-admin=127.0.0.1:${admin}`],
        ...[`-http-addr=127.0.0.1:${http}`, ...flags],
      ],
    ]);
  }

  /** Beside another proxy, whose admin answers /ready too. */
  static async startWith(
    agentFlags: readonly string[],
    proxyOf: (ports: ProxyPorts) => Promise<readonly [program: string, args: readonly string[]]>,
  ): Promise<SidecarRounds> {
    const agent = await startProconsul(agentFlags);
    const [own = 0, admin = 0] = await freePorts(2);
    const rounds = new SidecarRounds(agent, { own, admin });
    rounds.#spawn(...(await proxyOf({ own, admin, http: agent.port })));
    await until(
      async () => (await rounds.#admin('/ready')) === 200,
      () => 'the sidecar is not ready',
      PATIENCE_MS,
    );
    return rounds;
  }

  get agent(): Proconsul {
    return this.#agent;
  }

  async stop(): Promise<void> {
    await this.unload();
    for (const child of this.#programs) child.kill('SIGKILL');
    await killProconsuls();
  }

  async run(name: string): Promise<Program> {
    const child = this.#spawn(process.execPath, [BACKEND, name, '5']);
    const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data');
    return { name, port: Number(String(line)), process: child };
  }

  /** By the agent, as a deployment does. */
  async register({ name, port }: Program): Promise<void> {
    const body = { ID: name, Name: 'web', Address: '127.0.0.1', Port: port };
    await this.put('/v1/agent/service/register', body);
  }

  async put(path: string, body: object = {}): Promise<void> {
    const { status, text } = await send(this.#agent.port, 'PUT', path, { body });
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  }

  /** So many callers, each with a new connection for each call. */
  load(callers: number): void {
    this.#isLoaded = true;
    this.#callers = Array.from({ length: callers }, () => this.#caller());
  }

  async unload(): Promise<void> {
    this.#isLoaded = false;
    await Promise.all(this.#callers);
  }

  /** Until a call comes to a program. */
  untilServed(): Promise<void> {
    const isServed = async () => (await callOnce(this.#ports.own)).why === '';
    return until(isServed, () => 'nobody answers', PATIENCE_MS);
  }

  /** Calls that ended since then. */
  since(at: number) {
    const all = this.answers.filter((each) => each.at >= at);
    return { all, failed: all.filter(({ who }) => who === '') };
  }

  /** Milliseconds until that one answers. */
  async untilAnswers(name: string): Promise<number> {
    const from = performance.now();
    await until(
      () => this.answers.some(({ who, at }) => who === name && at >= from),
      () => `${name} gets no calls`,
      PATIENCE_MS,
    );
    const first = this.answers.find(({ who, at }) => who === name && at >= from);
    return (first?.at ?? from) - from;
  }

  async #caller(): Promise<void> {
    while (this.#isLoaded) {
      const begun = performance.now();
      const { who, why } = await callOnce(this.#ports.own);
      const at = performance.now();
      this.answers.push({ at, who, why, ms: at - begun });
    }
  }

  #spawn(program: string, args: readonly string[]): ChildProcess {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#programs.add(child);
    child.once('close', () => this.#programs.delete(child));
    return child;
  }

  async #admin(path: string): Promise<number> {
    const answer = await send(this.#ports.admin, 'GET', path, {}).catch(() => undefined);
    return answer?.status ?? 0;
  }
}

function callOnce(port: number): Promise<{ readonly who: string; readonly why: string }> {
  return new Promise((resolve) => {
    const agent = new Agent({ keepAlive: false });
    const sent = request({ host: '127.0.0.1', port, path: '/', agent }, (response) => {
      response
        .setEncoding('utf8')
        .toArray()
        .then((parts) => {
          const text = parts.join('');
          // A proxy answers by itself where it has nobody.
          const isServed = response.statusCode === 200;
          resolve(isServed ? { who: text, why: '' } : { who: '', why: text });
        })
        .catch((error: Error) => resolve({ who: '', why: error.message }));
    });
    sent.once('error', (error) => resolve({ who: '', why: error.message }));
    sent.end();
  });
}
