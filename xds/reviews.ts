/**
 * When that is asked again which may have changed without a word: what has no index, or was answered by a refusal. A client
 * may name ten thousand such, and each would be asked again and again for as long as it is there.
 */
import type { Cancel, Clock } from '../lib/clock.ts';
import { Lines, MOST_LINES } from './lines.ts';

/** For all together, of each address its next: some three hundredths of a processor. */
const PER_SECOND = 100;
const STEP_MS = 100;

/** It may stand in several lines. */
interface Waiting {
  begin(): void;
}

/** Of one process. */
export class Reviews {
  readonly #clock: Clock;
  readonly #lines = new Lines<Waiting>();
  #left = PER_SECOND;
  #filledAt: number;
  #cancel: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledAt = clock.monotonic();
  }

  /** Resolves in the turn of whichever of those comes first, or once nobody waits for it any more. */
  async turn(of: Iterable<object>, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#fill();
    if (this.#lines.isEmpty && this.#left >= 1) {
      this.#left--;
      return;
    }
    await new Promise<void>((resolve) => this.#wait(of, signal, resolve));
  }

  #wait(of: Iterable<object>, signal: AbortSignal, resolve: () => void): void {
    const lines: object[] = [];
    for (const each of of) if (lines.push(each) === MOST_LINES) break;
    if (lines.length === 0) lines.push(this);
    const leave = () => {
      signal.removeEventListener('abort', leave);
      for (const each of lines) this.#lines.delete(each, waiting);
      if (this.#lines.isEmpty) this.#stop();
      resolve();
    };
    const waiting: Waiting = { begin: leave };
    signal.addEventListener('abort', leave);
    for (const each of lines) this.#lines.add(each, waiting);
    this.#arm();
  }

  #arm(): void {
    this.#cancel ??= this.#clock.after(STEP_MS, this.#next);
  }

  #stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #next = (): void => {
    this.#stop();
    this.#fill();
    const begin = (waiting: Waiting) => {
      this.#left--;
      waiting.begin();
      return true;
    };
    while (this.#left >= 1 && !this.#lines.isEmpty) this.#lines.next(begin);
    if (!this.#lines.isEmpty) this.#arm();
  };

  #fill(): void {
    const now = this.#clock.monotonic();
    this.#left = Math.min(PER_SECOND, this.#left + ((now - this.#filledAt) * PER_SECOND) / 1000);
    this.#filledAt = now;
  }
}
