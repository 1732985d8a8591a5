/**
 * Answers that are shared: evaluated once and serialised once for a change, whoever and however
 * many ask. This is also what a blocking query waits on.
 */
import type { Cancel, Clock } from '../../lib/clock.ts';
import type { State } from '../state/state.ts';
import { type Answer, LiveAnswer, type Waiter } from './live-answer.ts';
import type { Query } from './query.ts';
import type { Watcher } from './watcher.ts';

/** Room for ready answers; what was not asked for longest goes first. */
export const MAX_ANSWER_BYTES = 128 * 1024 * 1024;
/** What an answer takes beside its body, so that many small ones are bounded too. */
const ANSWER_OVERHEAD_BYTES = 1024;

export interface AnswersOptions {
  readonly state: () => State;
  readonly watcher: Watcher;
  readonly clock: Clock;
  readonly maxBytes?: number;
}

export class Answers {
  readonly #options: AnswersOptions;
  /** The one asked for longest ago first. */
  readonly #live = new Map<string, LiveAnswer>();
  #bytes = 0;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /** How many answers are kept, and their room. */
  get size(): { answers: number; bytes: number } {
    return { answers: this.#live.size, bytes: this.#bytes };
  }

  /** How many wait. */
  get waiting(): number {
    let waiting = 0;
    for (const live of this.#live.values()) waiting += live.waiting;
    return waiting;
  }

  /** The answer as the state stands. */
  read(query: Query): Answer {
    return this.#read(query).answer;
  }

  /** For whom an answer from a cache is good enough: whether it was kept for such a one before. */
  wasCached(query: Query): boolean {
    const live = this.#find(query);
    const { cached } = live;
    live.cached = true;
    return cached;
  }

  /**
   * Tells the waiter as soon as the answer is newer than what it has seen, or whatever it is when
   * the wait is over; never at once. Cancelled, it is told nothing.
   */
  wait(query: Query, waiter: Waiter): Cancel {
    return this.#read(query).live.wait(waiter);
  }

  /** As `wait`, for one who shares it with nobody. Once the signal aborts it never settles. */
  next(
    query: Query,
    wait: Pick<Waiter, 'minIndex' | 'waitMs'>,
    gone: AbortSignal,
  ): Promise<Answer> {
    return new Promise((onAnswer, onError) => {
      const cancel = this.wait(query, { ...wait, onAnswer, onError });
      gone.addEventListener('abort', cancel, { once: true });
      if (gone.aborted) cancel();
    });
  }

  /** Answers all who wait with what there is: the server stops, or its state was replaced. */
  release(): void {
    for (const live of this.#live.values()) live.release();
  }

  #read(query: Query): { live: LiveAnswer; answer: Answer } {
    const live = this.#find(query);
    const answer = live.current();
    this.#account(live, answer);
    return { live, answer };
  }

  #find(query: Query): LiveAnswer {
    const known = this.#live.get(query.key);
    if (known !== undefined) {
      this.#live.delete(query.key);
      this.#live.set(query.key, known);
      return known;
    }
    const live = new LiveAnswer(query, this.#options);
    this.#live.set(query.key, live);
    return live;
  }

  #account(live: LiveAnswer, answer: Answer): void {
    const bytes = answer.body.length + live.query.key.length + ANSWER_OVERHEAD_BYTES;
    this.#bytes += bytes - live.bytes;
    live.bytes = bytes;
    const { maxBytes = MAX_ANSWER_BYTES } = this.#options;
    if (this.#bytes <= maxBytes) return;
    for (const [key, oldest] of this.#live) {
      if (this.#bytes <= maxBytes) return;
      // One that is waited on must live on to wake its waiters; it holds no more than they need.
      if (oldest === live || oldest.waiting > 0) continue;
      oldest.drop();
      this.#live.delete(key);
      this.#bytes -= oldest.bytes;
    }
  }
}
