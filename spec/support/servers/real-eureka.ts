/** A real Eureka server, built by Maven of spec/system/eureka/server, in a process of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../until.ts';
import { send } from './start-server.ts';

const SOURCES = fileURLToPath(new URL('../../system/eureka/server', import.meta.url));
/** What it needs is fetched the first time. */
const BUILD_MS = 900_000;
const START_MS = 300_000;

/** By itself: no client of another, nobody's peer, and it waits for none. */
const ALONE = [
  '--eureka.client.register-with-eureka=false',
  '--eureka.client.fetch-registry=false',
  '--eureka.server.wait-time-in-ms-when-sync-empty=0',
  '--logging.level.root=error',
];

export class RealEureka {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = child;
  }

  /** Resolves when it answers. `options` are Spring's. */
  static async start(port: number, options: readonly string[] = []): Promise<RealEureka> {
    const folder = mkdtempSync(join(tmpdir(), 'real-eureka-'));
    cpSync(SOURCES, folder, { recursive: true });
    const build = ['-q', '-f', join(folder, 'pom.xml'), 'package'];
    const { status, stdout, error } = spawnSync('mvn', build, { timeout: BUILD_MS });
    if (status !== 0) throw new Error(`mvn package: ${error ?? stdout}`);
    const jar = join(folder, 'target', 'eureka-server.jar');
    const args = ['-Xmx512m', '-jar', jar, `--server.port=${port}`, ...ALONE, ...options];
    const child = spawn('java', args, { stdio: 'ignore' });
    const real = new RealEureka(port, folder, child);
    const answers = () => send(port, 'GET', '/eureka/apps', {}).catch(() => undefined);
    await until(
      async () => (await answers())?.status === 200,
      () => `it does not answer (exit code ${child.exitCode})`,
      START_MS,
    );
    return real;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  stop(): void {
    this.#process.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
