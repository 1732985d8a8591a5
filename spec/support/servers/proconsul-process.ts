/**
 * A whole Proconsul, server and agent in one process, beside a private Docker daemon: in the daemon's
 * namespaces, so that it reaches the ports that containers publish, and ends with them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { AgentProcess } from '../experiments/container-rounds.ts';
import { until } from '../until.ts';
import { hasEnded, killChildOf, type PrivateDocker } from './docker.ts';

const PROGRAM = fileURLToPath(new URL('../../../bin/proconsul', import.meta.url));
const NODE = 'n1';
/** It is built first when it is stale. */
const START_MS = 60_000;

export class ProconsulProcess implements AgentProcess {
  readonly #docker: PrivateDocker;
  readonly #flags: readonly string[];
  #process: ChildProcess | undefined;

  constructor(docker: PrivateDocker, flags: readonly string[] = []) {
    this.#docker = docker;
    this.#flags = flags;
  }

  async start(): Promise<void> {
    const { folder, host } = this.#docker;
    const [program, args] = this.#docker.inside([
      PROGRAM,
      'agent',
      '-server',
      '-bootstrap-expect=1',
      `-node=${NODE}`,
      '-bind=127.0.0.1',
      `-data-dir=${folder}/proconsul`,
      `-hcl=addresses { http = "127.0.0.1 unix://${this.#socket}" }`,
      '-docker',
      `-hcl=docker { endpoint = "${host}" hostname = "host" }`,
      ...this.#flags,
    ]);
    const log = openSync(`${folder}/proconsul.log`, 'a');
    this.#process = spawn(program, args, { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  /** Until it answers for itself. */
  async untilReady(): Promise<void> {
    const ready = async () => {
      const leader = await this.get('/v1/status/leader').catch(() => '');
      return leader !== '';
    };
    await until(ready, () => 'Proconsul does not answer', START_MS);
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || hasEnded(child)) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await killChildOf(child, 'SIGKILL');
    await ended;
  }

  async services(): Promise<string[]> {
    const node = await this.get(`/v1/catalog/node/${NODE}`).catch(() => undefined);
    if (typeof node !== 'object' || node === null || !('Services' in node)) return ['(no answer)'];
    return Object.keys(node.Services as object).filter((id) => id !== 'consul');
  }

  get(path: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const options = { socketPath: this.#socket, path, headers: { host: 'localhost' } };
      const call = request(options, (response) => {
        response
          .setEncoding('utf8')
          .toArray()
          .then((chunks) => resolve(JSON.parse(chunks.join(''))))
          .catch(reject);
      });
      call.once('error', reject).end();
    });
  }

  get #socket(): string {
    return `${this.#docker.folder}/http.sock`;
  }
}
