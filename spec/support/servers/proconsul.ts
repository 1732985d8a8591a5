/** `bin/proconsul` as its users run it: a process of its own, on ports of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from '../until.ts';
import { freePorts } from './free-ports.ts';
import { send } from './start-server.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/proconsul', import.meta.url));
const MAX_OUTPUT = 100_000;
/** The first start installs and builds, or waits for another that does. */
const START_TIMEOUT_MS = 400_000;

export class Proconsul {
  readonly port: number;
  /** Resolves with the exit code, or null after a signal. */
  readonly ended: Promise<number | null>;
  readonly #process: ChildProcess;
  output = '';

  /** `nodeOptions` are for Node itself, as in NODE_OPTIONS. */
  constructor(port: number, args: readonly string[], nodeOptions = '') {
    this.port = port;
    this.#process = spawn(
      'env',
      [
        `NODE_OPTIONS=${nodeOptions}`,
        COMMAND,
        'agent',
        '-bind=127.0.0.1',
        `-http-port=${port}`,
        '-node=n1',
        ...OFF,
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const keep = (part: Buffer) => {
      this.output = (this.output + part.toString()).slice(-MAX_OUTPUT);
    };
    this.#process.stdout?.on('data', keep);
    this.#process.stderr?.on('data', keep);
    this.ended = new Promise((resolve) => this.#process.once('close', resolve));
  }

  /** Resolves when it serves, and says that it leads. */
  async ready(): Promise<this> {
    await until(
      async () => {
        if (this.#process.exitCode !== null) throw new Error(`ended: ${this.output}`);
        const answer = await send(this.port, 'GET', '/v1/status/leader', {}).catch(() => undefined);
        return answer?.status === 200 && answer.text.length > 10;
      },
      () => this.output,
      START_TIMEOUT_MS,
    );
    return this;
  }

  /** Resolves when it answers, with a leader or without. */
  async answers(): Promise<this> {
    await until(
      async () => {
        if (this.#process.exitCode !== null) throw new Error(`ended: ${this.output}`);
        const answer = await send(this.port, 'GET', '/v1/agent/checks', {}).catch(() => undefined);
        return answer?.status === 200;
      },
      () => this.output,
      START_TIMEOUT_MS,
    );
    return this;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }
}

const OFF = ['-dns-port=-1', '-grpc-port=-1', '-log-level=warn'];
let running: Proconsul[] = [];

/** Starts it on a free port, or on the one given, `alone` without a server; it is killed at the end. */
export async function startProconsul(
  args: readonly string[],
  port?: number,
  { alone = false, nodeOptions = '' } = {},
): Promise<Proconsul> {
  const [rpc = 0, lan = 0, http = 0] = await freePorts(3);
  const ports = [`-server-port=${rpc}`, `-serf-lan-port=${lan}`];
  const started = new Proconsul(port ?? http, [...ports, ...args], nodeOptions);
  running.push(started);
  return alone ? await started.answers() : await started.ready();
}

/** Ends whatever was started. */
export async function killProconsuls(): Promise<void> {
  const left = running;
  running = [];
  await Promise.all(left.map((each) => each.kill()));
}

if (typeof afterEach === 'function') afterEach(killProconsuls);
