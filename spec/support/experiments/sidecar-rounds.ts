/** A proxy as its users run it, under load over programs that come, go, are drained and are killed. */
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../servers/free-ports.ts';
import { type Answer, send } from '../servers/start-server.ts';
import { until } from '../until.ts';
import { Rounds } from './rounds.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/proconsul', import.meta.url));
const PATIENCE_MS = 60_000;

interface ProxyPorts {
  /** Where it is called. */
  readonly own: number;
  readonly admin: number;
}

/** The program, and with what it is begun. */
export type ProxyCommand = readonly [program: string, args: readonly string[]];

export class SidecarRounds extends Rounds {
  readonly #ports: ProxyPorts;
  #isLoaded = false;
  #callers: readonly Promise<void>[] = [];

  private constructor(agent: { readonly port: number }, ports: ProxyPorts) {
    super({ agent, backend: './http-backend.mjs' });
    this.#ports = ports;
  }

  /** Of `connect proxy` at that agent. */
  static start(agent: { readonly port: number }, flags: readonly string[]): Promise<SidecarRounds> {
    return SidecarRounds.startWith(agent, async ({ own, admin }) => [
      COMMAND,
      [
        ...['connect', 'proxy', `-upstream=web:${own}`, `-admin=127.0.0.1:${admin}`],
        ...[`-http-addr=127.0.0.1:${agent.port}`, ...flags],
      ],
    ]);
  }

  /** Of another proxy, whose admin answers /ready too. */
  static async startWith(
    agent: { readonly port: number },
    proxyOf: (ports: ProxyPorts) => Promise<ProxyCommand>,
  ): Promise<SidecarRounds> {
    const [own = 0, admin = 0] = await freePorts(2);
    const rounds = new SidecarRounds(agent, { own, admin });
    rounds.spawn(...(await proxyOf({ own, admin })));
    await until(
      async () => (await rounds.admin('/ready').catch(() => undefined))?.status === 200,
      () => 'the proxy is not ready',
      PATIENCE_MS,
    );
    return rounds;
  }

  /** Each call by a new connection. */
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

  async #caller(): Promise<void> {
    while (this.#isLoaded) {
      const begun = performance.now();
      const { who, why } = await callOnce(this.#ports.own);
      const at = performance.now();
      this.answered({ at, who, why, ms: at - begun });
    }
  }

  /** What the proxy says of itself. */
  admin(path: string): Promise<Answer> {
    return send(this.#ports.admin, 'GET', path, {});
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
