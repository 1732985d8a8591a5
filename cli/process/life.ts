/** The life of a process between its first line and its exit: signals, and one end in order. */
import type { Config } from '../../lib/config/config.ts';
import { describeChain } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { State } from '../../lib/systemd.ts';
import type { Running } from './run-server.ts';

/** A process that cannot end in order ends anyway. */
const STOP_TIMEOUT_MS = 4000;

export interface LifeOptions {
  readonly config: Pick<Config, 'leaveOnTerminate' | 'skipLeaveOnInterrupt'>;
  readonly logger: Logger;
  readonly exit: (code: number) => void;
  readonly onSignal: (signal: NodeJS.Signals, act: () => void) => void;
  /** Says to whoever started the process how far it is. */
  readonly tell: (state: State) => void;
}

export class Life {
  readonly #options: LifeOptions;
  #running: Running | undefined;
  #isReloadDue = false;
  #isEnding = false;

  constructor(options: LifeOptions) {
    this.#options = options;
  }

  /** From the first moment on: a start may take a while, and Node's own answer to SIGHUP is to end. */
  listen(): void {
    const { config, onSignal } = this.#options;
    onSignal('SIGTERM', () => void this.#leaveAndEnd('SIGTERM', config.leaveOnTerminate));
    onSignal('SIGINT', () => void this.#leaveAndEnd('SIGINT', !config.skipLeaveOnInterrupt));
    onSignal('SIGHUP', () => void this.#reload());
  }

  /** The start is over: what was asked for meanwhile is done now. */
  async began(running: Running): Promise<void> {
    this.#running = running;
    if (this.#isReloadDue) await this.#reload();
    if (!this.#isEnding) this.#options.tell('READY=1');
  }

  /** Ends the process once, whoever asks for it. */
  end(why: string): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const { logger, exit, tell } = this.#options;
    tell('STOPPING=1');
    logger.info(`agent: ends, because of ${why}`);
    setTimeout(() => exit(1), STOP_TIMEOUT_MS).unref();
    (this.#running?.stop() ?? Promise.resolve()).then(
      () => exit(0),
      (error: unknown) => {
        logger.error(`agent: did not end in order: ${describeChain(error)}`);
        exit(1);
      },
    );
  }

  /** It cannot go on, and ends at once. Whatever breaks off because it ends anyway is no news. */
  fail(error: unknown): void {
    const { logger, exit } = this.#options;
    if (this.#isEnding) {
      logger.debug(`agent: broken off by the end: ${describeChain(error)}`);
      return;
    }
    logger.error(`agent: ends, since it cannot go on: ${describeChain(error)}`);
    exit(1);
  }

  async #leaveAndEnd(signal: string, leaves: boolean): Promise<void> {
    if (leaves) await this.#running?.leave().catch((error: unknown) => this.#complain(error));
    this.end(signal);
  }

  async #reload(): Promise<void> {
    this.#isReloadDue = this.#running === undefined;
    await this.#running?.reload().catch((error: unknown) => {
      const why = describeChain(error);
      this.#options.logger.error(`agent: not reloaded, and everything is as before: ${why}`);
    });
  }

  #complain(error: unknown): void {
    this.#options.logger.error(`agent: ${describeChain(error)}`);
  }
}
