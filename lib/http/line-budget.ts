/**
 * At debug each request has a line, as in Consul. A line takes several times as long as an answer that is
 * known already, and nobody reads thousands of them in a second: beyond these they are counted alone.
 */
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';

const MAX_LINES = 200;
const WINDOW_MS = 1000;

export class LineBudget {
  readonly #logger: Logger;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #windowBegan = Number.NEGATIVE_INFINITY;
  #written = 0;
  #unsaid = 0;

  constructor(logger: Logger, clock: Pick<Clock, 'monotonic'>) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Whether a request that begins now is to have one; one that could not is counted. */
  wantsLine(): boolean {
    if (this.#logger.isDebugEnabled?.() !== true) return false;
    this.#look();
    if (this.#written < MAX_LINES) return true;
    this.#unsaid++;
    return false;
  }

  /** Whether there is one for a request that is over, which then is its. */
  take(): boolean {
    if (!this.wantsLine()) return false;
    this.#written++;
    return true;
  }

  #look(): void {
    const now = this.#clock.monotonic();
    if (now - this.#windowBegan < WINDOW_MS) return;
    const count = this.#unsaid;
    this.#windowBegan = now;
    this.#written = 0;
    this.#unsaid = 0;
    if (count > 0) this.#logger.debug('agent.http: Requests finished without a line', { count });
  }
}
