/**
 * Forgets members that left or failed long ago. How long, the log's time alone says: servers' clocks
 * differ, and one that is wrong must not take out what is only a minute gone.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { MEMBER_STATUS } from '../../lib/membership.ts';
import type { Command } from '../commands.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { LogTime } from './log-time.ts';

export interface ReaperDeps {
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
  /** How long a member that left or failed is remembered. */
  readonly reconnectTimeoutMs: number;
}

/** Nobody waits for it, and a look goes over all members. */
const EVERY_MS = 10_000;

/** In one command; the others go with the next looks. */
const AT_ONCE = 500;

export class Reaper {
  readonly #deps: ReaperDeps;
  readonly #logTime: LogTime;
  #looked = Number.NEGATIVE_INFINITY;

  constructor(deps: ReaperDeps) {
    this.#deps = deps;
    this.#logTime = new LogTime(deps.clock);
  }

  /** Called every half second while this server leads. */
  async tick(): Promise<void> {
    const { state, propose, clock, reconnectTimeoutMs: olderThanMs, logger } = this.#deps;
    const now = this.#logTime.now(state());
    if (clock.monotonic() - this.#looked < EVERY_MS) return;
    this.#looked = clock.monotonic();
    const nodes = [...state().members.values()]
      .filter(({ Status, since }) => Status !== MEMBER_STATUS.alive && since + olderThanMs < now)
      .map(({ Node }) => Node)
      .slice(0, AT_ONCE);
    if (nodes.length === 0) return;
    logger.info(`leader: forgets members that went long ago: ${nodes.join(' ')}`);
    // The entry's own time decides: what is estimated here is at most a reason to ask.
    const { term } = state().leadership;
    await propose({ type: 'reap-members', term, nodes, olderThanMs });
  }
}
