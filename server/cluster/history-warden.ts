/** A leader's duty to the history: that its limits are those of the configuration, and that time shows. */
import type { Clock } from '../../lib/clock.ts';
import { sameJson } from '../../lib/equal.ts';
import { type HistoryLimits, MAX_STILL_MS } from '../../lib/history.ts';
import type { Command } from '../commands.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { LogTime } from './log-time.ts';

/** Two may be late before anybody takes it for a time in which nobody could write. */
const MARK_MS = MAX_STILL_MS / 3;

export interface HistoryWardenDeps {
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Undefined where the state's own are right. */
  readonly limits: HistoryLimits | undefined;
}

export class HistoryWarden {
  readonly #deps: HistoryWardenDeps;
  readonly #logTime: LogTime;

  constructor(deps: HistoryWardenDeps) {
    this.#deps = deps;
    this.#logTime = new LogTime(deps.clock);
  }

  async begin(): Promise<void> {
    const { state, propose, limits } = this.#deps;
    if (limits === undefined || sameJson(state().history.limits, limits)) return;
    await propose({ type: 'set-history', limits });
  }

  /** Where nothing is remembered nobody asks whether it goes on. */
  async tick(): Promise<void> {
    const { state, propose } = this.#deps;
    const still = this.#logTime.now(state()) - state().t;
    if (still >= MARK_MS && !state().history.isEmpty) await propose({ type: 'mark-time' });
  }
}
