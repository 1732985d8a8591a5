/** How the log stands in Redis, for whoever looks after the cluster; what they ask, Redis is asked once a second at most. */
import type { Clock } from '../../../../lib/clock.ts';
import type { LogAccount, RedisState } from '../../../../lib/log-account.ts';
import { readState } from '../link/info.ts';
import type { Link } from '../link/link.ts';
import { type CommitPolicy, describeAddress } from '../link/options.ts';
import type { Finds } from './finds.ts';

const FRESH_MS = 1000;

interface Asked {
  readonly at: number;
  readonly link: Link;
  readonly state: Promise<RedisState | undefined>;
}

export class Accounts {
  readonly #clock: Clock;
  readonly #commit: CommitPolicy;
  readonly #finds: Finds;
  #last: Asked | undefined;

  constructor(clock: Clock, commit: CommitPolicy, finds: Finds) {
    this.#clock = clock;
    this.#commit = commit;
    this.#finds = finds;
  }

  async of(link: Link | undefined, epoch: number): Promise<LogAccount> {
    const redis = {
      address: link === undefined ? '' : describeAddress(link.address),
      version: link?.info.version ?? '',
      commit: this.#commit,
      appendOnly: link?.info.appendOnly ?? false,
      now: link && (await this.#stateBy(link)),
      finds: this.#finds.all,
    };
    return { kind: 'redis', isSealed: false, epoch, redis };
  }

  #stateBy(link: Link): Promise<RedisState | undefined> {
    const at = this.#clock.monotonic();
    if (this.#last?.link !== link || at - this.#last.at >= FRESH_MS) {
      // One that says nothing is about to be left: who waits for it is told what is known.
      const state = readState(link.commands).catch(() => undefined);
      this.#last = { at, link, state };
    }
    return this.#last.state;
  }
}
