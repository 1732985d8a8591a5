/** The session that may be written to now, and the wait for one. */
import type { Clock } from '../../../../lib/clock.ts';
import { FAILOVER_GRACE_MS } from '../link/limits.ts';
import type { Session } from '../link/session.ts';

/** A session whose Redis is sealed, and whose history this server has taken part in. */
export interface Live {
  readonly session: Session;
  readonly epoch: number;
}

export class LiveSession {
  readonly #clock: Clock;
  readonly #waiting = new Set<(live: Live | undefined) => void>();
  #live: Live | undefined;
  #lostAt: number | undefined;
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get current(): Live | undefined {
    return this.#live?.session.closed === false ? this.#live : undefined;
  }

  set(live: Live): void {
    this.#live = live;
    this.#settle(live);
  }

  clear(): void {
    if (this.#live !== undefined) this.#lostAt = this.#clock.monotonic();
    this.#live = undefined;
  }

  /** Nobody waits any more, now or later. */
  stop(): void {
    this.#stopped = true;
    this.#settle(undefined);
  }

  /**
   * Undefined when there is none in time; at once when Redis has been away for so long that this is
   * no failover, or was never there.
   */
  async wait(deadline: number): Promise<Live | undefined> {
    const now = this.#clock.monotonic();
    const { current } = this;
    if (current !== undefined || this.#stopped || now >= deadline) return current;
    const lostAt = this.#live === undefined ? this.#lostAt : now;
    if (lostAt === undefined || now - lostAt > FAILOVER_GRACE_MS) return undefined;
    return await new Promise((resolve) => {
      const done = (live: Live | undefined) => {
        cancel();
        this.#waiting.delete(done);
        resolve(live);
      };
      const cancel = this.#clock.after(deadline - now, () => done(undefined));
      this.#waiting.add(done);
    });
  }

  #settle(live: Live | undefined): void {
    for (const done of [...this.#waiting]) done(live);
  }
}
