/** What a process does as a client of itself: its watches, what `exec` asks of it, and its sidecars. */
import { RemoteExec } from '../../agent/exec/remote-exec.ts';
import { Watches } from '../../agent/watches/watches.ts';
import type { Environment } from '../../lib/child.ts';
import { thisProgram } from '../../lib/child.ts';
import type { Config } from '../../lib/config/config.ts';
import type { Logger } from '../../lib/logger.ts';
import { systemOf } from '../../lib/system.ts';
import type { Listeners } from './listeners.ts';
import { Sidecars } from './sidecars.ts';

export interface Around {
  readonly config: Config;
  /** What programs are run with. */
  readonly env: Environment;
  readonly logger: Logger;
}

export class OwnWork {
  readonly #watches: Watches;
  readonly #exec: RemoteExec;
  readonly #sidecars: Sidecars;

  constructor(
    { own }: Pick<Listeners, 'own'>,
    { config, env, logger }: Around,
    ownToken: () => string,
  ) {
    const system = systemOf(logger);
    this.#watches = new Watches({
      ask: (question, signal) => own.ask(question, signal),
      env,
      system,
    });
    this.#sidecars = new Sidecars({ program: thisProgram(), env, system });
    this.#exec = new RemoteExec({
      ask: (request, signal) => own.ask({ ...request, token: ownToken() }, signal),
      node: config.nodeName,
      env,
      system,
    });
  }

  takeOver(config: Config): void {
    this.#watches.takeOver(config);
    this.#exec.takeOver(config);
    this.#sidecars.takeOver(config);
  }

  stop(): void {
    this.#watches.stop();
    this.#exec.stop();
    this.#sidecars.stop();
  }
}
