/** The link that may be written to now, and the wait for one. */
import type { Clock } from '../../../../lib/clock.ts';
import { FAILOVER_GRACE_MS } from '../link/limits.ts';
import type { EpochLink } from '../records/check-in.ts';

export class LinkGate {
  readonly #clock: Clock;
  readonly #waiting = new Set<(epochLink: EpochLink | undefined) => void>();
  #epochLink: EpochLink | undefined;
  #lostAt: number | undefined;
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get current(): EpochLink | undefined {
    return this.#epochLink?.link.closed === false ? this.#epochLink : undefined;
  }

  open(epochLink: EpochLink): void {
    this.#epochLink = epochLink;
    this.#settle(epochLink);
  }

  close(): void {
    if (this.#epochLink !== undefined) this.#lostAt = this.#clock.monotonic();
    this.#epochLink = undefined;
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
  async wait(deadline: number): Promise<EpochLink | undefined> {
    const now = this.#clock.monotonic();
    const { current } = this;
    if (current !== undefined || this.#stopped || now >= deadline) return current;
    const lostAt = this.#epochLink === undefined ? this.#lostAt : now;
    if (lostAt === undefined || now - lostAt > FAILOVER_GRACE_MS) return undefined;
    return await new Promise((resolve) => {
      const done = (epochLink: EpochLink | undefined) => {
        cancel();
        this.#waiting.delete(done);
        resolve(epochLink);
      };
      const cancel = this.#clock.after(deadline - now, () => done(undefined));
      this.#waiting.add(done);
    });
  }

  #settle(epochLink: EpochLink | undefined): void {
    for (const done of [...this.#waiting]) done(epochLink);
  }
}
