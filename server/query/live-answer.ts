/** One query's answer, kept as long as nothing touches it, and those who wait for the next one. */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { encodeJsonBytes, encodeTexts } from '../../lib/json-bytes.ts';
import { looked } from '../../lib/looking.ts';
import { Work } from '../../lib/slices.ts';
import type { State } from '../state/state.ts';
import type { Content, Question } from './query.ts';
import { Reader, type Reads } from './reader.ts';
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
  /** Work for as long as it is being made, which takes many turns where it is large. */
  readonly body: Buffer | Work<Buffer>;
  /** Whether something was kept back from whoever has these rights. */
  readonly isFiltered: boolean;
  /** As its content says; '' for none. */
  readonly mark: string;
  /** Whether it still is the answer; once it is not, it never is again. */
  readonly stands: boolean;
}

export interface Wait {
  /** The client has seen the answer of this index: another one is news. */
  readonly seenIndex: number;
  readonly waitMs: number;
}

export interface Waiter extends Wait {
  onAnswer(answer: Answer): void;
  /** The query came to an error. */
  onError(error: unknown): void;
}

/** Tells some who wait, and says how many. */
export type Wake = () => number;

/** Who keeps answers is told what this one takes. */
export interface AnswerKeeper {
  /** It has an answer again, or its body at last. */
  rendered(live: LiveAnswer, answer: Answer): void;
  /** What it read was touched: it has no answer any more. */
  touched(live: LiveAnswer): void;
  /** Calls once this turn's entries are applied, and others that ask for the same in between. */
  soon(wake: Wake): void;
  /** The same, in a later turn. */
  later(wake: Wake): void;
  /** It is evaluated anew for those who wait. */
  wakes(): void;
  /** Nobody waits any more. */
  left(live: LiveAnswer): void;
}

export interface LiveAnswerDeps {
  readonly state: () => State;
  readonly watcher: Watcher;
  readonly clock: Clock;
  readonly keeper: AnswerKeeper;
}

/** One who waits, until he is told. */
export class Waiting {
  readonly waiter: Waiter;
  readonly #live: LiveAnswer;
  cancelTimer: Cancel = NOTHING_TO_CANCEL;

  constructor(live: LiveAnswer, waiter: Waiter) {
    this.#live = live;
    this.waiter = waiter;
  }

  /** He is told nothing. */
  leave(): void {
    this.#live.forget(this);
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class LiveAnswer {
  readonly query: Question;
  /** Whether someone asked for it from a cache. */
  cached = false;
  readonly #deps: LiveAnswerDeps;
  #waiters = NOBODY;
  #answer: Mutable<Answer> | undefined;
  /** What the last answer was made of, which is watched. */
  #reads: Reads = NOTHING;
  #unwatch: Cancel = () => undefined;
  #waking = false;
  #touchedWhileWaking = false;

  constructor(query: Question, deps: LiveAnswerDeps) {
    this.query = query;
    this.#deps = deps;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  get isKnown(): boolean {
    return this.#answer !== undefined;
  }

  /** Throws what the query throws, and then watches what it watched before. */
  current(): Answer {
    if (this.#answer !== undefined) return this.#answer;
    const reader = new Reader(this.#deps.state(), this.query.rights);
    const { clock } = this.#deps;
    const from = clock.monotonic();
    let answer: Mutable<Answer>;
    try {
      answer = render(this.query.run(reader), this.query.pretty === true, reader);
    } finally {
      looked(clock.monotonic() - from);
    }
    this.#answer = answer;
    this.#watch(reader);
    this.#deps.keeper.rendered(this, answer);
    if (answer.body instanceof Work) this.#settleBody(answer, answer.body);
    return answer;
  }

  #settleBody(answer: Mutable<Answer>, body: Work<Buffer>): void {
    body.result.then(
      (bytes) => {
        answer.body = bytes;
        if (this.#answer === answer) this.#deps.keeper.rendered(this, answer);
      },
      // Whoever waits for it is told. The next who asks may have better luck.
      () => this.#answer === answer && this.#forgetAnswer(),
    );
  }

  /** Tells the waiter of any answer but the one that it has seen; never at once. */
  wait(waiter: Waiter): Waiting {
    const waiting = new Waiting(this, waiter);
    waiting.cancelTimer = this.#deps.clock.after(waiter.waitMs, () => this.#over(waiting));
    if (this.#waiters === NOBODY) this.#waiters = new Set();
    this.#waiters.add(waiting);
    // Something may have been applied between the caller's look and now.
    if (this.current().index !== waiter.seenIndex) this.#wakeSoon();
    return waiting;
  }

  /** Answers all who wait by now, whatever there is. */
  release(): void {
    for (const waiting of [...this.#waiters]) this.#settle(waiting);
  }

  /** The same, some at a time. */
  releaseSoon(): void {
    if (this.#waiters.size === 0) return;
    const waiters = [...this.#waiters];
    this.#deps.keeper.later(() => this.#releaseSlice(waiters, 0));
  }

  #releaseSlice(waiters: readonly Waiting[], from: number): number {
    let told = 0;
    let at = from;
    for (; at < waiters.length && told < WAITERS_PER_SLICE; at++) {
      const waiting = waiters[at] as Waiting;
      if (!this.#waiters.has(waiting)) continue;
      this.#settle(waiting);
      told++;
    }
    if (at < waiters.length) this.#deps.keeper.later(() => this.#releaseSlice(waiters, at));
    return told;
  }

  /** Gives up its answer to make room, but goes on waking those who wait. */
  shed(): void {
    this.#forgetAnswer();
    if (this.#waiters.size === 0) this.stop();
  }

  /** Hears of no touch any more: what it has answered stands no longer. */
  stop(): void {
    this.#forgetAnswer();
    this.#unwatch();
    this.#unwatch = () => undefined;
    this.#reads = NOTHING;
  }

  #watch(reader: Reader): void {
    const reads = { topics: reader.topics, orders: reader.orders, index: reader.index };
    const before = this.#reads;
    this.#reads = reads;
    if (sameList(before.topics, reads.topics) && sameList(before.orders, reads.orders)) return;
    this.#unwatch();
    const { watcher } = this.#deps;
    const cancel = watcher.watch(reads.topics, this.#touched);
    if (reads.orders.length === 0) {
      this.#unwatch = cancel;
      return;
    }
    const cancelOrders = watcher.watch(reads.orders, this.#reordered);
    this.#unwatch = () => {
      cancel();
      cancelOrders();
    };
  }

  readonly #touched = (): void => {
    this.#reordered();
    if (this.#waiters.size > 0) this.#wakeSoon();
  };

  /** Whoever reads is to see the new order, but it is no reason to wake anybody. */
  readonly #reordered = (): void => {
    this.#forgetAnswer();
    this.#deps.keeper.touched(this);
  };

  #forgetAnswer(): void {
    if (this.#answer !== undefined) this.#answer.stands = false;
    this.#answer = undefined;
  }

  #wakeSoon(): void {
    this.#touchedWhileWaking = true;
    if (this.#waking) return;
    this.#waking = true;
    // Once for the whole batch of entries that is being applied, not once an entry.
    this.#deps.keeper.soon(() => this.#wakeAll());
  }

  #wakeAll(): number {
    this.#touchedWhileWaking = false;
    if (this.#waiters.size > 0) this.#deps.keeper.wakes();
    return this.#wakeSlice([...this.#waiters], 0);
  }

  #wakeSlice(waiters: readonly Waiting[], from: number): number {
    // They may have left meanwhile: it is evaluated for nobody.
    if (this.#waiters.size === 0) {
      this.#waking = false;
      return 0;
    }
    const { keeper } = this.#deps;
    const tell = this.#evaluate();
    let told = 0;
    let at = from;
    for (; at < waiters.length && told < WAITERS_PER_SLICE; at++) {
      const waiting = waiters[at] as Waiting;
      if (this.#waiters.has(waiting) && tell(waiting)) told++;
    }
    // Touched meanwhile it is evaluated anew for each: many such have no more of a turn than all others.
    if (at < waiters.length) keeper.later(() => this.#wakeSlice(waiters, at));
    else if (this.#touchedWhileWaking) keeper.later(() => this.#wakeAll());
    else this.#waking = false;
    return told;
  }

  /** Once for a whole slice, also where it comes to an error. Returns who tells one who waits. */
  #evaluate(): (waiting: Waiting) => boolean {
    try {
      const answer = this.current();
      return (waiting) => {
        if (answer.index === waiting.waiter.seenIndex) return false;
        this.forget(waiting);
        waiting.waiter.onAnswer(answer);
        return true;
      };
    } catch (error) {
      return (waiting) => {
        this.forget(waiting);
        waiting.waiter.onError(error);
        return true;
      };
    }
  }

  /** The waits of many may be over at one time, and each for an answer that has to be evaluated. */
  #over(waiting: Waiting): void {
    if (this.isKnown) this.#settle(waiting);
    else this.#deps.keeper.soon(() => this.#settleOne(waiting));
  }

  #settleOne(waiting: Waiting): number {
    if (!this.#waiters.has(waiting)) return 0;
    this.#settle(waiting);
    return 1;
  }

  /** The wait is over: it gets what there is. */
  #settle(waiting: Waiting): void {
    let answer: Answer;
    try {
      answer = this.current();
    } catch (error) {
      this.forget(waiting);
      waiting.waiter.onError(error);
      return;
    }
    this.forget(waiting);
    waiting.waiter.onAnswer(answer);
  }

  /** Nothing, where he is told or has left. */
  forget(waiting: Waiting): void {
    waiting.cancelTimer();
    if (!this.#waiters.delete(waiting) || this.#waiters.size > 0) return;
    this.#waiters = NOBODY;
    this.#deps.keeper.left(this);
  }
}

function NOTHING_TO_CANCEL(): void {}

/** Most are waited on by nobody, and a set takes its room also when it is empty. */
const NOBODY = new Set<Waiting>();

const NOTHING: Reads = { topics: [], orders: [], index: 1 };

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}

function render(content: Content, pretty: boolean, reader: Reader): Mutable<Answer> {
  const { status = 200, json, bytes, texts, contentType = '', mark = '' } = content;
  const { index, hasHidden: isFiltered } = reader;
  const common = { index, status, isFiltered, mark, stands: true };
  if (bytes !== undefined) return { ...common, contentType, body: own(bytes) };
  if (texts !== undefined) {
    return { ...common, contentType, body: encodeTexts(texts.made, texts.holds) };
  }
  if (json === undefined) return { ...common, contentType: '', body: EMPTY };
  return { ...common, contentType: 'application/json', body: encodeJsonBytes(json, pretty) };
}

const EMPTY = Buffer.alloc(0);

/** Node cuts small buffers from larger ones, which would live on as long as an answer is kept. */
function own(bytes: Buffer): Buffer {
  if (bytes.buffer.byteLength === bytes.length) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
