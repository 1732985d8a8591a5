/** One query's answer, kept as long as nothing touches it, and those who wait for the next one. */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { encodeJson } from '../../lib/json.ts';
import type { State } from '../state/state.ts';
import { indexOf, type Query } from './query.ts';
import type { Watcher } from './watcher.ts';

/**
 * Whoever waits is answered so many at a time, and other work comes between: ten thousand watchers
 * of one service must not keep everybody else waiting. A few milliseconds of writing.
 */
const WAITERS_PER_SLICE = 64;

/** An answer as of one index, ready to be written. */
export interface Answer {
  readonly index: number;
  readonly status: number;
  /** '' for an empty body. */
  readonly contentType: string;
  readonly body: Buffer;
  /** Whether it still is the answer; once it is not, it never is again. */
  readonly stands: boolean;
}

export interface Waiter {
  /** The client has seen this much. */
  readonly minIndex: number;
  readonly waitMs: number;
  readonly onAnswer: (answer: Answer) => void;
  /** The query came to an error. */
  readonly onError: (error: unknown) => void;
}

export interface LiveAnswerOptions {
  readonly state: () => State;
  readonly watcher: Watcher;
  readonly clock: Clock;
}

type Waiting = Waiter & { cancelTimer: Cancel };

export class LiveAnswer {
  readonly query: Query;
  /** The room it takes, as its keeper counts it. */
  bytes = 0;
  /** Whether someone asked for it from a cache. */
  cached = false;
  readonly #options: LiveAnswerOptions;
  readonly #cancel: Cancel;
  readonly #waiters = new Set<Waiting>();
  #answer: Mutable<Answer> | undefined;
  #waking = false;
  #touchedWhileWaking = false;

  constructor(query: Query, options: LiveAnswerOptions) {
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

  wait(waiter: Waiter): Cancel {
    const waiting: Waiting = { ...waiter, cancelTimer: () => undefined };
    waiting.cancelTimer = this.#options.clock.after(waiter.waitMs, () => this.#settle(waiting));
    this.#waiters.add(waiting);
    return () => this.#forget(waiting);
  }

  release(): void {
    for (const waiting of [...this.#waiters]) this.#settle(waiting);
  }

  /** Hears of no touch any more: what it has answered stands no longer. */
  drop(): void {
    this.#cancel();
    this.#forgetAnswer();
  }

  #touched(): void {
    this.#forgetAnswer();
    if (this.#waiters.size === 0) return;
    this.#touchedWhileWaking = true;
    if (this.#waking) return;
    this.#waking = true;
    // Once for the whole batch of entries that is being applied, not once an entry.
    queueMicrotask(() => this.#wakeAll());
  }

  #forgetAnswer(): void {
    if (this.#answer !== undefined) this.#answer.stands = false;
    this.#answer = undefined;
  }

  #wakeAll(): void {
    this.#touchedWhileWaking = false;
    this.#wakeSlice([...this.#waiters], 0);
  }

  #wakeSlice(waiters: readonly Waiting[], from: number): void {
    const index = indexOf(this.query, this.#options.state());
    let woken = 0;
    let at = from;
    for (; at < waiters.length && woken < WAITERS_PER_SLICE; at++) {
      const waiting = waiters[at] as Waiting;
      if (waiting.minIndex >= index || !this.#waiters.has(waiting)) continue;
      woken++;
      this.#settle(waiting);
    }
    if (at < waiters.length) setImmediate(() => this.#wakeSlice(waiters, at));
    else if (this.#touchedWhileWaking) setImmediate(() => this.#wakeAll());
    else this.#waking = false;
  }

  #settle(waiting: Waiting): void {
    this.#forget(waiting);
    let answer: Answer;
    try {
      answer = this.current();
    } catch (error) {
      waiting.onError(error);
      return;
    }
    waiting.onAnswer(answer);
  }

  #forget(waiting: Waiting): void {
    this.#waiters.delete(waiting);
    waiting.cancelTimer();
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function render(query: Query, state: State): Mutable<Answer> {
  const { status = 200, json, bytes, contentType } = query.run(state);
  const common = { index: indexOf(query, state), status, stands: true };
  if (bytes !== undefined) return { ...common, contentType: contentType ?? '', body: bytes };
  if (json === undefined) return { ...common, contentType: '', body: Buffer.alloc(0) };
  const text = query.pretty === true ? `${encodeJson(json, true)}\n` : encodeJson(json);
  return { ...common, contentType: 'application/json', body: Buffer.from(text) };
}
