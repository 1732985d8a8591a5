/** One question to Redis serves all reads that came before it was sent. */
import type { Clock } from '../../../../lib/clock.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Keys } from '../link/keys.ts';
import { PROPOSAL_BUDGET_MS } from '../link/limits.ts';
import { within } from '../link/patience.ts';
import { dailyKeys, READ_INDEX } from '../records/scripts.ts';
import type { Live, LiveSession } from './live.ts';

/**
 * Whether the Redis that began this round was still the one that counts; false when the session or the
 * time ends before that is known.
 */
export type Confirmed = (live: Live, round: number, deadline: number) => Promise<boolean>;

export interface ReadIndexDeps {
  readonly live: LiveSession;
  readonly keys: Keys;
  readonly clock: Clock;
  /** Where each question begins a round of its own, and counts when a majority took part in it. */
  readonly confirmed?: Confirmed;
}

export class ReadIndex {
  readonly #live: LiveSession;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #confirmed: Confirmed | undefined;
  #underWay: Promise<unknown> = Promise.resolve();
  #next: Promise<number> | undefined;

  constructor({ live, keys, clock, confirmed }: ReadIndexDeps) {
    this.#live = live;
    this.#keys = keys;
    this.#clock = clock;
    this.#confirmed = confirmed;
  }

  /** As EventLog.readIndex. Settles within 2 s. */
  async read(): Promise<number> {
    // A question that is under way may have been answered before our caller's write: not that one.
    this.#next ??= this.#ask(this.#underWay);
    return await this.#next;
  }

  async #ask(before: Promise<unknown>): Promise<number> {
    const deadline = this.#clock.monotonic() + PROPOSAL_BUDGET_MS;
    await within(
      this.#clock,
      deadline,
      before.catch(() => undefined),
    );
    // From here on it counts as sent: who comes now gets the next one.
    this.#underWay = this.#next ?? Promise.resolve();
    this.#next = undefined;
    for (;;) {
      const live = await this.#live.wait(deadline);
      const index = live === undefined ? undefined : await this.#run(live, deadline);
      if (index !== undefined) return index;
      if (live === undefined || this.#clock.monotonic() >= deadline) throw notKnown();
      live.session.close();
    }
  }

  async #run(live: Live, deadline: number): Promise<number | undefined> {
    const { session, epoch } = live;
    try {
      const args = [epoch, this.#confirmed === undefined ? 0 : 1];
      const asked = session.commands.run(READ_INDEX, dailyKeys(this.#keys), args);
      const reply = await within(this.#clock, deadline, asked);
      if (reply === 'late') return undefined;
      const [answer, index, round] = reply as [string, string?, string?];
      if (answer !== 'OK') return undefined;
      if (this.#confirmed === undefined) return Number(index);
      return (await this.#confirmed(live, Number(round), deadline)) ? Number(index) : undefined;
    } catch (error) {
      if (error instanceof ProconsulError) return undefined;
      throw error;
    }
  }
}

function notKnown(): ProconsulError {
  return new ProconsulError('unavailable', 'Redis cannot tell the newest index now');
}
