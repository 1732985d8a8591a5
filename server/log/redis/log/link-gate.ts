/** The link that may be written to now, and the wait for one. */
import type { Clock } from '../../../../lib/clock.ts';
import { FAILOVER_GRACE_MS } from '../link/limits.ts';
import type { SealedLink } from '../records/check-in.ts';

export class LinkGate {
  readonly #clock: Clock;
  readonly #waiting = new Set<(sealed: SealedLink | undefined) => void>();
  #sealed: SealedLink | undefined;
  #lostAt: number | undefined;
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get current(): SealedLink | undefined {
    return this.#sealed?.link.closed === false ? this.#sealed : undefined;
  }

  open(sealed: SealedLink): void {
    this.#sealed = sealed;
    this.#settle(sealed);
  }

  close(): void {
    if (this.#sealed !== undefined) this.#lostAt = this.#clock.monotonic();
    this.#sealed = undefined;
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
  async wait(deadline: number): Promise<SealedLink | undefined> {
    const now = this.#clock.monotonic();
    const { current } = this;
    if (current !== undefined || this.#stopped || now >= deadline) return current;
    const lostAt = this.#sealed === undefined ? this.#lostAt : now;
    if (lostAt === undefined || now - lostAt > FAILOVER_GRACE_MS) return undefined;
    return await new Promise((resolve) => {
      const done = (sealed: SealedLink | undefined) => {
        cancel();
        this.#waiting.delete(done);
        resolve(sealed);
      };
      const cancel = this.#clock.after(deadline - now, () => done(undefined));
      this.#waiting.add(done);
    });
  }

  #settle(sealed: SealedLink | undefined): void {
    for (const done of [...this.#waiting]) done(sealed);
  }
}
