/** Finds the first server of a cluster, from the addresses that the user gave. */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { Notices } from '../../lib/notices.ts';
import type { Random } from '../../lib/random.ts';
import type { ClientSide } from '../../lib/tls/identities.ts';
import { introduce, joinAny } from './introduction.ts';
import type { ServerList } from './server-list.ts';

/** In containers everything starts at once, so the first attempts follow one another quickly. */
const FIRST_RETRY_MS = 250;
/** Later ones too, unless their number is limited: to ask costs next to nothing. */
const MAX_RETRY_MS = 3000;

export interface JoinerOptions {
  readonly servers: ServerList;
  /** Shows itself to the servers; resolves with why they refuse this agent, if they do. */
  readonly beat: () => Promise<string | undefined>;
  /** Whether they have taken it. */
  readonly isHeard: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: JoinSettings;
}

export interface JoinSettings {
  readonly datacenter: string;
  readonly lanPort: number;
  /** For addresses that are https:// URLs. */
  readonly tls: () => ClientSide;
  /** Tried again and again, all of them, until one answers. */
  readonly addresses: readonly string[];
  /** Where one names a place to look in, such as a cluster of containers, what is found there now. */
  readonly expand: (address: string) => Promise<readonly string[]>;
  readonly intervalMs: number;
  /** 0: without end. */
  readonly maxAttempts: number;
  readonly onGivenUp: () => void;
}

export class Joiner {
  readonly #options: JoinerOptions;
  readonly #notices: Notices;
  #cancel: Cancel = () => undefined;
  /** From a start until a server was found. */
  #searching = false;
  #attempts = 0;
  #stopped = false;

  constructor(options: JoinerOptions) {
    this.#options = options;
    this.#notices = new Notices((text) => options.logger.warn(`agent: ${text}`));
  }

  /** Looks for servers at the addresses that are to be tried again; once, however often started. */
  start(): void {
    if (this.#searching || this.#stopped || this.#options.settings.addresses.length === 0) return;
    this.#searching = true;
    this.#attempts = 0;
    void this.#tryAll();
  }

  /** Rejects with why the cluster of none of them can be joined. */
  async join(...addresses: readonly string[]): Promise<void> {
    await joinAny(addresses, async (address) => void (await this.#joinOne(address)));
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  /** How many servers the other knows. */
  async #joinOne(address: string): Promise<number> {
    const { servers, beat, isHeard, logger, settings } = this.#options;
    const { datacenter, lanPort: defaultPort, tls } = settings;
    const { Servers, Node } = await introduce(address, { defaultPort, datacenter, tls });
    if (Servers.length === 0) return 0;
    servers.add(Servers);
    const refusal = await beat();
    if (refusal !== undefined) {
      throw new ProconsulError('rejected', `Failed to join ${address}: ${refusal}`);
    }
    // What is known of servers is kept, though none of them took a sign of life yet: that is said elsewhere.
    if (isHeard())
      logger.info(`agent: joined through ${Node} (servers that it knows: ${Servers.length})`);
    return Servers.length;
  }

  async #tryAll(): Promise<void> {
    const { addresses } = this.#options.settings;
    for (const given of addresses) {
      for (const address of await this.#expanded(given)) {
        await this.#try(address);
        if (this.#stopped) return;
      }
    }
    // From the first server on, the heartbeat's answers say which others there are.
    if (this.#options.servers.size > 0) this.#searching = false;
    else this.#again();
  }

  async #expanded(given: string): Promise<readonly string[]> {
    // Beside what is told of an address, which may be the same text.
    const about = `found by ${given}`;
    try {
      const found = await this.#options.settings.expand(given);
      if (found.length === 0) this.#notices.tell(about, `${given} finds nobody`);
      else this.#notices.clear(about);
      return found;
    } catch (error) {
      if (!this.#stopped) this.#notices.tell(about, `${given}: ${messageOf(error)}`);
      return [];
    }
  }

  async #try(address: string): Promise<void> {
    try {
      const known = await this.#joinOne(address);
      if (known > 0) this.#notices.clear(address);
      else this.#notices.tell(address, `${address} knows no server yet`);
    } catch (error) {
      if (!this.#stopped) this.#notices.tell(address, (error as Error).message);
    }
  }

  #again(): void {
    const { clock, random, settings } = this.#options;
    const { intervalMs, maxAttempts, onGivenUp } = settings;
    this.#attempts++;
    if (maxAttempts > 0 && this.#attempts >= maxAttempts) {
      this.#searching = false;
      onGivenUp();
      return;
    }
    const soon = Math.min(FIRST_RETRY_MS * 2 ** Math.min(this.#attempts - 1, 16), MAX_RETRY_MS);
    const pause = maxAttempts > 0 ? intervalMs : Math.min(soon, intervalMs);
    const delay = pause * (0.75 + random.next() / 4);
    this.#cancel = clock.after(delay, () => void this.#tryAll());
  }
}
