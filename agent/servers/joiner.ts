/** Finds the first server of a cluster, from the addresses that the user gave. */
import type { Cancel, Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import type { Heartbeat } from './heartbeat.ts';
import { introduce } from './introduction.ts';
import type { ServerList } from './server-list.ts';

/** In containers everything starts at once, so the first attempts follow one another quickly. */
const FIRST_RETRY_MS = 250;
/** Later ones too, unless their number is limited: to ask costs next to nothing. */
const MAX_RETRY_MS = 3000;

export interface JoinerOptions {
  readonly servers: ServerList;
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly lanPort: number;
  /** Tried again and again, all of them, until one answers. */
  readonly addresses: readonly string[];
  readonly intervalMs: number;
  /** 0: without end. */
  readonly maxAttempts: number;
  readonly onGivenUp: () => void;
}

export class Joiner {
  readonly #options: JoinerOptions;
  #cancel: Cancel = () => undefined;
  #attempts = 0;
  #stopped = false;

  constructor(options: JoinerOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#options.addresses.length > 0) void this.#tryAll();
  }

  /** Rejects with why the cluster of this agent cannot be joined. */
  async join(address: string): Promise<void> {
    const { servers, heartbeat, lanPort, logger } = this.#options;
    const { Servers, Node } = await introduce(address, lanPort);
    servers.add(Servers);
    logger.info(`agent: joined through ${Node}, which knows ${Servers.length} servers`);
    if (Servers.length > 0) await heartbeat.beatNow();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.#options.heartbeat.stop();
  }

  async #tryAll(): Promise<void> {
    const { addresses, servers, logger } = this.#options;
    for (const address of addresses) {
      await this.join(address).catch((error: Error) =>
        logger.warn(`agent: ${error.message.split('\n\t* ').pop()?.trim()}`),
      );
      if (this.#stopped) return;
    }
    // From the first server on, the heartbeat's answers say which others there are.
    if (servers.size > 0) return;
    this.#attempts++;
    this.#again();
  }

  #again(): void {
    const { clock, random, intervalMs, maxAttempts, onGivenUp } = this.#options;
    if (maxAttempts > 0 && this.#attempts >= maxAttempts) {
      onGivenUp();
      return;
    }
    const soon = Math.min(FIRST_RETRY_MS * 2 ** Math.min(this.#attempts - 1, 16), MAX_RETRY_MS);
    const pause = maxAttempts > 0 ? intervalMs : Math.min(soon, intervalMs);
    const delay = pause * (0.75 + random.next() / 4);
    this.#cancel = clock.after(delay, () => void this.#tryAll());
  }
}
