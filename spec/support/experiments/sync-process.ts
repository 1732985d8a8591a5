/** A sync as a process of its own, and what tells it of a made-up cluster. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ApiServer } from '../kubernetes/api-server.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/proconsul', import.meta.url));

/** The path of a file in this folder. */
export function kubeconfigFor({ authority, url }: ApiServer, folder: string): string {
  const kubeconfig = join(folder, 'kubeconfig.json');
  const cluster = {
    server: url,
    'certificate-authority-data': Buffer.from(authority.pair.cert).toString('base64'),
  };
  const config = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { token: 't1' } }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  return kubeconfig;
}

/** `bin/proconsul k8s-sync` as its users run it. */
export class SyncProcess {
  output = '';
  isEnded = false;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  /** `nodeOptions` are for Node itself, as in NODE_OPTIONS. */
  constructor(
    name: string,
    port: number,
    kubeconfig: string,
    flags: readonly string[] = [],
    nodeOptions = '',
  ) {
    const args = ['k8s-sync', `-http-addr=127.0.0.1:${port}`, `-kubeconfig=${kubeconfig}`];
    const command = [`NODE_OPTIONS=${nodeOptions}`, COMMAND, ...args, ...flags];
    this.#child = spawn('env', [...command, `-sync-name=${name}`], { stdio: 'pipe' });
    const keep = (part: Buffer) => {
      this.output = (this.output + part.toString()).slice(-20_000);
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#ended = new Promise((resolve) =>
      this.#child.once('close', () => {
        this.isEnded = true;
        resolve(undefined);
      }),
    );
  }

  /** Of its memory, as far as the machine had it there; 0 once it has ended. */
  get peakBytes(): number {
    if (this.isEnded) return 0;
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
