/**
 * Answers that are shared: evaluated once and serialised once for a change, whoever and however
 * many ask. This is also what a blocking query waits on.
 *
 * Two sets, and a live answer is in one, in both, or gone: those that may be asked for again,
 * bounded by what they take, and those that are waited on, which keep no body once there is no room.
 */
import { ByteCache } from '../../lib/byte-cache.ts';
import type { Cancel, Clock } from '../../lib/clock.ts';
import { ROOM_BYTES } from '../../lib/head-room.ts';
import { hasRoom, inLine, inRoom, type Looker, lookedFor } from '../../lib/looking.ts';
import { Work } from '../../lib/slices.ts';
import type { State } from '../state/state.ts';
import {
  type Answer,
  type AnswerKeeper,
  LiveAnswer,
  type LiveAnswerDeps,
  type Wait,
  type Waiter,
  type Waiting,
  type Wake,
} from './live-answer.ts';
import type { Question } from './query.ts';
import type { Watcher } from './watcher.ts';

/** Room for ready answers; what was not asked for longest goes first. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;
/** The longest that a poller is likely to rest; what was asked once and never again goes then. */
const MAX_IDLE_MS = 5 * 60_000;
/** What an answer keeps alive beside its body and key: itself, its query, and its place in Watcher. */
const ANSWER_OVERHEAD_BYTES = 3072 + ROOM_BYTES;

const WAKES_PER_TURN = 64;
/** And no more where they have taken as long. */
const WAKES_MS = 5;
/** Nor where they have told as many: what is written to each takes its time too. */
const TOLD_PER_TURN = 64;

export interface AnswersOptions {
  readonly state: () => State;
  readonly watcher: Watcher;
  readonly clock: Clock;
  readonly maxBytes?: number;
}

export class Answers implements AnswerKeeper {
  readonly #deps: LiveAnswerDeps;
  /** By the query's key. */
  readonly #kept: ByteCache<string, LiveAnswer>;
  readonly #waited = new Map<string, LiveAnswer>();
  readonly #toWake: Wake[] = [];
  /** How often an answer was asked for, was evaluated, and was evaluated for those who wait. */
  reads = 0;
  evaluations = 0;
  wakeUps = 0;

  constructor(options: AnswersOptions) {
    const { state, watcher, clock, maxBytes = MAX_ANSWER_BYTES } = options;
    // One for all live answers: there may be very many.
    this.#deps = { state, watcher, clock, keeper: this };
    this.#kept = new ByteCache({
      maxBytes,
      idle: { maxMs: MAX_IDLE_MS, clock },
      onEvict: (live) => live.shed(),
    });
  }

  /** How many answers are kept, and their room. */
  get size(): { answers: number; bytes: number } {
    return { answers: this.#kept.size, bytes: this.#kept.bytes };
  }

  /** How many wait. */
  get waiting(): number {
    let waiting = 0;
    for (const live of this.#waited.values()) waiting += live.waiting;
    return waiting;
  }

  /** The answer as the state stands. Of a query that throws nothing is kept. */
  read(query: Question): Answer {
    this.reads++;
    const live = this.#find(query);
    try {
      return live.current();
    } catch (error) {
      this.#kept.delete(query.key);
      if (live.waiting === 0) live.stop();
      throw error;
    }
  }

  /** As `read`, in line where it has to be evaluated and the turn has no room for it. */
  readInRoom(query: Question, asking: Looker): Answer | Promise<Answer> {
    const isAtHand = hasRoom() || this.knows(query);
    return isAtHand ? this.read(query) : inLine(asking, () => this.read(query));
  }

  /** What somebody looks up by himself, as if it were an answer's evaluation: what it takes is counted. */
  inRoom<T>(asking: Looker, look: () => T): T | Promise<T> {
    return inRoom(asking, this.#deps.clock, look);
  }

  /** Whether it is there, and need not be evaluated. */
  knows(query: Question): boolean {
    const live = this.#kept.peek(query.key)?.value ?? this.#waited.get(query.key);
    return live?.isKnown === true;
  }

  /** For whom an answer from a cache is good enough: whether it was kept for such a one before. */
  wasCached(query: Question): boolean {
    const live = this.#find(query);
    const { cached } = live;
    live.cached = true;
    return cached;
  }

  /**
   * Tells the waiter as soon as the answer is another than it has seen, or whatever it is when the
   * wait is over; never at once. Once it has left, it is told nothing.
   */
  wait(query: Question, waiter: Waiter): Waiting {
    this.read(query);
    const live = this.#find(query);
    this.#waited.set(query.key, live);
    return live.wait(waiter);
  }

  /** As `wait`, for one who shares it with nobody. Once the signal aborts it never settles. */
  next(query: Question, wait: Wait, gone: AbortSignal): Promise<Answer> {
    let cancel: Cancel = () => undefined;
    const next = new Promise<Answer>((onAnswer, onError) => {
      const waiting = this.wait(query, { ...wait, onAnswer, onError });
      cancel = () => waiting.leave();
      gone.addEventListener('abort', cancel, { once: true });
      if (gone.aborted) cancel();
    });
    // The signal may be that of someone who waits again and again.
    return next.finally(() => gone.removeEventListener('abort', cancel));
  }

  /** Answers all who wait with what there is: the server stops. */
  release(): void {
    for (const live of [...this.#waited.values()]) live.release();
  }

  /** The same, some in a turn: its state was replaced. */
  releaseSoon(): void {
    for (const live of [...this.#waited.values()]) live.releaseSoon();
  }

  rendered(live: LiveAnswer, { body }: Answer): void {
    const isMade = !(body instanceof Work);
    // Of a large one it is told twice.
    if (isMade) this.evaluations++;
    // Nobody may ever want it again: until it is made it keeps its rows.
    this.#account(live, isMade ? body.length : body.holds);
  }

  touched(live: LiveAnswer): void {
    const { key } = live.query;
    const kept = this.#kept.peek(key);
    if (kept === undefined) return;
    // Whoever asks again has it evaluated anew in any case; until then no other write need touch it.
    if (live.waiting === 0 && !live.cached) {
      this.#kept.delete(key);
      live.stop();
    } else kept.resize(sizeOf(key, 0));
  }

  soon(wake: Wake): void {
    if (this.#toWake.push(wake) > 1) return;
    const some = () => this.#wakeSome();
    // Between two timers of one turn there are microtasks: each would have a budget of its own.
    if (lookedFor() < WAKES_MS) queueMicrotask(some);
    else setImmediate(some);
  }

  later(wake: Wake): void {
    if (this.#toWake.push(wake) === 1) setImmediate(() => this.#wakeSome());
  }

  wakes(): void {
    this.wakeUps++;
  }

  /** Some in a turn: one entry may touch ten thousand answers, and each is evaluated anew. */
  #wakeSome(): void {
    const rest = this.#toWake;
    const from = lookedFor();
    // What they leave for later is for a later turn.
    const most = Math.min(rest.length, WAKES_PER_TURN);
    let [woken, told] = [0, 0];
    do told += rest[woken++]?.() ?? 0;
    while (woken < most && told < TOLD_PER_TURN && lookedFor() - from < WAKES_MS);
    rest.splice(0, woken);
    if (rest.length > 0) setImmediate(() => this.#wakeSome());
  }

  left(live: LiveAnswer): void {
    const { key } = live.query;
    this.#waited.delete(key);
    if (this.#kept.get(key) === undefined) live.stop();
  }

  #account(live: LiveAnswer, bodyBytes: number): void {
    const { key } = live.query;
    const bytes = sizeOf(key, bodyBytes);
    const kept = this.#kept.get(key);
    if (kept === undefined) this.#kept.keep(key, live, bytes);
    else kept.resize(bytes);
  }

  #find(query: Question): LiveAnswer {
    const known = this.#kept.get(query.key)?.value ?? this.#waited.get(query.key);
    return known ?? new LiveAnswer(query, this.#deps);
  }
}

function sizeOf(key: string, bodyBytes: number): number {
  return bodyBytes + 2 * key.length + ANSWER_OVERHEAD_BYTES;
}
