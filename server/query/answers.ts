/**
 * Answers that are shared: evaluated once and serialised once for a change, whoever and however
 * many ask. This is also what a blocking query waits on.
 */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { encodeJson } from '../../lib/json.ts';
import type { State } from '../state/state.ts';
import { indexOf, type Query } from './query.ts';
import type { Watcher } from './watcher.ts';

/** Room for ready answers; what was not asked for longest goes first. */
export const MAX_ANSWER_BYTES = 128 * 1024 * 1024;
/** What an answer takes beside its body, so that many small ones are bounded too. */
const ANSWER_OVERHEAD_BYTES = 1024;

/** An answer as of one index, ready to be written. */
export interface Answer {
  readonly index: number;
  readonly status: number;
  /** '' for an empty body. */
  readonly contentType: string;
  readonly body: Buffer;
}

export interface Wait {
  /** The client has seen this much; 0 when it does not want to wait. */
  readonly minIndex: number;
  readonly waitMs: number;
  /** When it aborts, nobody waits any more and the promise never settles. */
  readonly signal: AbortSignal;
}

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

  /** The answer as the state stands. */
  read(query: Query): Answer {
    const live = this.#find(query);
    const answer = live.current();
    this.#account(live, answer);
    return answer;
  }

  /** The answer as soon as it is newer than `minIndex`, or whatever it is when the wait is over. */
  async wait(query: Query, wait: Wait): Promise<Answer> {
    const live = this.#find(query);
    const answer = live.current();
    this.#account(live, answer);
    if (answer.index > wait.minIndex || wait.minIndex === 0) return answer;
    return await live.wait(wait);
  }

  /** Answers all who wait with what there is: the server stops, or its state was replaced. */
  release(): void {
    for (const live of this.#live.values()) live.release();
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

interface Waiter {
  readonly minIndex: number;
  readonly settle: (answer: Answer) => void;
}

class LiveAnswer {
  readonly query: Query;
  bytes = 0;
  readonly #options: AnswersOptions;
  readonly #cancel: Cancel;
  readonly #waiters = new Set<Waiter>();
  #answer: Answer | undefined;
  #waking = false;

  constructor(query: Query, options: AnswersOptions) {
    this.query = query;
    this.#options = options;
    this.#cancel = options.watcher.watch(query.topics, () => this.#touched());
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  current(): Answer {
    this.#answer ??= render(this.query, this.#options.state());
    return this.#answer;
  }

  wait({ minIndex, waitMs, signal }: Wait): Promise<Answer> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        minIndex,
        settle: (answer) => {
          forget();
          resolve(answer);
        },
      };
      const forget = () => {
        this.#waiters.delete(waiter);
        cancelTimer();
        signal.removeEventListener('abort', forget);
      };
      const cancelTimer = this.#options.clock.after(waitMs, () => waiter.settle(this.current()));
      signal.addEventListener('abort', forget);
      this.#waiters.add(waiter);
      if (signal.aborted) forget();
    });
  }

  release(): void {
    for (const waiter of [...this.#waiters]) waiter.settle(this.current());
  }

  drop(): void {
    this.#cancel();
  }

  #touched(): void {
    this.#answer = undefined;
    if (this.#waiters.size === 0 || this.#waking) return;
    // Once for the whole batch of entries that is being applied, not once an entry.
    this.#waking = true;
    queueMicrotask(() => this.#wake());
  }

  #wake(): void {
    this.#waking = false;
    const answer = this.current();
    for (const waiter of [...this.#waiters]) {
      if (answer.index > waiter.minIndex) waiter.settle(answer);
    }
  }
}

function render(query: Query, state: State): Answer {
  const { status = 200, json, bytes, contentType } = query.run(state);
  const index = indexOf(query, state);
  if (bytes !== undefined) return { index, status, contentType: contentType ?? '', body: bytes };
  if (json === undefined) return { index, status, contentType: '', body: Buffer.alloc(0) };
  const text = query.pretty === true ? `${encodeJson(json, true)}\n` : encodeJson(json);
  const body = Buffer.from(text);
  return { index, status, contentType: 'application/json', body };
}
