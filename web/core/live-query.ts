/**
 * One question to the API that never ends: it is asked, and then waits at its index until the answer is
 * another one (a blocking query). What it came to last stays, also while the server cannot be reached.
 */
import { type ReadonlySignal, signal } from '@preact/signals';
import { type Answer, Refusal, type Said } from './refusal.ts';
import { type Pace, retryMs, spread } from './retry.ts';
import type { Place } from './turns.ts';

export interface Shown<T> {
  /** The last answer there was. */
  readonly value: T | undefined;
  /** What was answered last; `coming` before that. */
  readonly standing: 'coming' | 'here' | Said;
  /** The server cannot be reached: what is shown is as it was. */
  readonly isLost: boolean;
  /** What the server said, where it refused. */
  readonly problem: string;
  /** Access control kept something back: what is not shown may yet be there. */
  readonly isPartial: boolean;
}

/** What it does not do itself, so that specs can do it. */
export interface Surroundings extends Pace {
  /** Milliseconds since some moment: it never goes back. */
  readonly now: () => number;
  /** `comes`: called as an answer comes, again and again, for it may be much. */
  readonly ask: <T>(path: string, signal: AbortSignal, comes: () => void) => Promise<Answer<T>>;
  /** Until nothing more is told: `each` is called with each answer, and without one where there is nothing new. */
  readonly listen: <T>(
    path: string,
    signal: AbortSignal,
    each: (answer?: Answer<T>) => void,
  ) => Promise<void>;
  /** For a question that waits, once there is one. Rejects once the signal says so. */
  readonly place: (signal: AbortSignal) => Promise<Place>;
  /** Told of each loss with what the server said, and of each answer: whatever was answered. */
  readonly lost: (by: LiveQuery<unknown>, said: string) => void;
  readonly answered: (by: LiveQuery<unknown>) => void;
}

const WAIT_S = 60;
const WAIT_MS = WAIT_S * 1000;
/** A server that has gone without a word is noticed after it: beyond the wait, and the sixteenth that it adds. */
const PATIENCE_MS = WAIT_MS * 1.1 + 5_000;
/** Of what is answered at once, however much it is. */
const SHORT_PATIENCE_MS = 30_000;
/** From one question to the next: where changes come without end, so many a second are enough for anyone's eyes. */
const MIN_ROUND_MS = 150;
/** The same where it is asked once more because of something else, which may come without end too. */
const NEWS_MS = 1000;
/** Until it is asked again where whoever told it has ended that. */
const TOLD_REST_MS = 2000;
/** Cut off so often in a row it asks for no longer than half a turn, and is let come: a server may be slower than a turn. */
const MOST_CUTS = 4;
const SHORT_WAIT_S = 1;
/** A right, or a thing, that is missing is seldom there soon; nor can a few paths be waited on. */
const CALM_RETRY_MS = 30_000;

/** How it is asked. */
export interface Manner<T> {
  /** Of what never changes, which is asked for until there is an answer. */
  readonly isOnce?: boolean;
  /** It has no index: the server tells it anew where it is another (`?stream`). */
  readonly isTold?: boolean;
  /** Nothing tells when it is another one but something else: it is asked for once more where that says so. */
  readonly isAtRest?: boolean;
  /** Changes alone are asked for (`?since`): what was shown before becomes what is, the same object where it is the same. */
  merged?(before: T, answer: unknown): T;
}

/** Of what is shown beside everything else. */
const MAX_SAID = 200;

const COMING: Shown<never> = {
  value: undefined,
  standing: 'coming',
  isLost: false,
  problem: '',
  isPartial: false,
};

export class LiveQuery<T> {
  readonly path: string;
  readonly #shown = signal<Shown<T>>(COMING);
  readonly #around: Surroundings;
  readonly #manner: Manner<T>;
  /** Consul's are of 64 bits, of which events use all. */
  #index = 0n;
  /** Of what is shown, where the answer to the next question may be changes of it alone. */
  #mark = '';
  #failures = 0;
  /** How often in a row its turn was over before it was answered. */
  #cuts = 0;
  #running: AbortController | undefined;
  /** When it was asked last. */
  #begun = 0;
  /** When it is asked next; undefined where it is on its way. */
  #dueAt: number | undefined;
  #isOld = false;
  #cancelTimer: () => void = () => undefined;

  constructor(path: string, around: Surroundings, manner: Manner<T> = {}) {
    this.path = path;
    this.#around = around;
    this.#manner = manner;
  }

  get shown(): ReadonlySignal<Shown<T>> {
    return this.#shown;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** It is answered for good. */
  get isDone(): boolean {
    return this.#manner.isOnce === true && this.#shown.peek().standing === 'here';
  }

  /** Asks at once, whatever it has waited for: whoever comes back wants to see what is. */
  start(): void {
    this.stop();
    this.#running = new AbortController();
    this.#index = 0n;
    this.#cuts = 0;
    void this.#round(this.#running);
  }

  /**
   * What it says may be another one by now. A question on its way may be from before, and is let end: however often
   * this is said, answers come.
   */
  askOnceMore(): void {
    const running = this.#running;
    if (running === undefined) {
      this.start();
      return;
    }
    if (this.#isOld) return;
    this.#isOld = true;
    if (this.#dueAt === undefined) return;
    this.#cancelTimer();
    this.#rest(running, this.#dueAt - this.#around.now());
  }

  /** Asks nothing any more. What it came to stays. */
  stop(): void {
    this.#cancelTimer();
    this.#dueAt = undefined;
    this.#isOld = false;
    this.#running?.abort();
    this.#running = undefined;
  }

  /** As if nothing had been answered yet. */
  forget(): void {
    this.#mark = '';
    this.#shown.value = COMING;
  }

  async #round(running: AbortController): Promise<void> {
    const { place, now } = this.#around;
    this.#dueAt = undefined;
    const isWaiting = this.#manner.isTold || this.#index > 0n;
    const held = isWaiting ? await place(running.signal).catch(() => undefined) : undefined;
    if (running.signal.aborted) {
      held?.leave();
      return;
    }
    const begun = now();
    this.#begun = begun;
    this.#isOld = false;
    const leftMs = await this.#turn(running, held);
    held?.leave();
    if (running.signal.aborted || this.isDone) return;
    const paceMs = Math.max(0, begun + MIN_ROUND_MS - now());
    this.#rest(running, Math.max(leftMs, paceMs));
  }

  /** Until it is answered, or it is the turn of another question. How long it rests then. */
  async #turn(running: AbortController, held: Place | undefined): Promise<number> {
    if (held?.over.aborted) return 0;
    const { after } = this.#around;
    // Of its own, so that giving up a silent server is not an end.
    const asking = new AbortController();
    const end = () => asking.abort();
    const turn = cutting(held, end);
    const giveUp = () => asking.abort(new Refusal('lost', 0, ''));
    running.signal.addEventListener('abort', end);
    let cancelPatience = after(this.#index === 0n ? SHORT_PATIENCE_MS : PATIENCE_MS, giveUp);
    const heard = () => {
      cancelPatience();
      cancelPatience = after(PATIENCE_MS, giveUp);
    };
    // Asked anew it would take as long: its place goes to another by itself.
    const comes = () => {
      heard();
      turn.comes();
    };
    // Between two lines.
    const waits = () => {
      heard();
      turn.waits();
    };
    if (this.#manner.isTold || this.#cuts >= MOST_CUTS) turn.comes();
    try {
      if (this.#manner.isTold) return await this.#listen(running, asking, waits);
      return await this.#ask(running, asking.signal, comes);
    } catch (error) {
      if (running.signal.aborted) return 0;
      if (!turn.isCut()) return this.#fail(error);
      this.#cuts++;
      return 0;
    } finally {
      running.signal.removeEventListener('abort', end);
      turn.ends();
      cancelPatience();
    }
  }

  /** How long it rests then. */
  async #ask(running: AbortController, asking: AbortSignal, comes: () => void): Promise<number> {
    const answer = await this.#around.ask<T>(this.#target(), asking, comes);
    if (running.signal.aborted) return 0;
    this.#take(answer);
    if (this.#manner.isAtRest) return Number.POSITIVE_INFINITY;
    return answer.index === 0n ? spread(CALM_RETRY_MS, this.#around.random()) : 0;
  }

  /** The same. `waits`: called after each line. */
  async #listen(
    running: AbortController,
    asking: AbortController,
    waits: () => void,
  ): Promise<number> {
    const { listen, random } = this.#around;
    try {
      await listen<T>(this.path, asking.signal, (answer) => {
        if (answer !== undefined && !running.signal.aborted) this.#take(answer);
        waits();
      });
    } catch (error) {
      if (isBusy(error)) return this.#isFull(error);
      throw error;
    }
    return spread(TOLD_REST_MS, random());
  }

  /** The server is there, and answers all else. */
  #isFull({ message }: Refusal): number {
    const { value, standing } = this.#shown.peek();
    const known = standing === 'coming' ? { standing: 'refused' as const, problem: message } : {};
    this.#shown.value = { ...this.#shown.peek(), value, ...known, isLost: false };
    this.#around.answered(this);
    return spread(CALM_RETRY_MS, this.#around.random());
  }

  /** And then asks. */
  #rest(running: AbortController, restMs: number): void {
    const { after, now } = this.#around;
    const newsMs = this.#begun + NEWS_MS - now();
    const ms = this.#isOld ? Math.min(restMs, newsMs) : restMs;
    this.#dueAt = now() + ms;
    if (ms <= 0) void this.#round(running);
    else if (ms < Number.POSITIVE_INFINITY)
      this.#cancelTimer = after(ms, () => void this.#round(running));
  }

  #target(): string {
    if (this.#index === 0n) return this.path;
    const query = this.path.includes('?') ? '&' : '?';
    const since = this.#mark === '' ? '' : `&since=${this.#mark}`;
    const waitS = this.#cuts < MOST_CUTS ? WAIT_S : SHORT_WAIT_S;
    return `${this.path}${query}index=${this.#index}&wait=${waitS}s${since}`;
  }

  #take({ value: answer, index: told, isPartial, mark }: Answer<T>): void {
    const { standing, isLost, value: before } = this.#shown.peek();
    const { merged, isAtRest } = this.#manner;
    const index = isAtRest ? 0n : told;
    const value = merged && before !== undefined ? merged(before, answer) : answer;
    // Without an index nobody says whether it is the same.
    const isOther = index === 0n || index !== this.#index;
    const isNews = merged === undefined ? isOther : value !== before;
    // A server that was restored, or another one: it is asked anew, lest it waits for what has been.
    this.#index = index < this.#index ? 0n : index;
    this.#mark = merged === undefined ? '' : mark;
    this.#failures = 0;
    this.#cuts = 0;
    if (isNews || standing !== 'here' || isLost || isPartial !== this.#shown.peek().isPartial) {
      this.#shown.value = { value, standing: 'here', isLost: false, problem: '', isPartial };
    }
    this.#around.answered(this);
  }

  /** How long it is not asked again. */
  #fail(error: unknown): number {
    const { random } = this.#around;
    this.#cuts = 0;
    if (!(error instanceof Refusal) || error.why === 'lost') {
      this.#index = 0n;
      this.#shown.value = { ...this.#shown.peek(), isLost: true };
      this.#around.lost(this, saidBy(error));
      return retryMs(this.#failures++, random());
    }
    const { why: standing, message: problem, index } = error;
    this.#index = standing === 'missing' ? index : 0n;
    this.#mark = '';
    this.#failures = 0;
    this.#shown.value = { value: undefined, standing, isLost: false, problem, isPartial: false };
    this.#around.answered(this);
    return this.#index > 0n ? 0 : spread(CALM_RETRY_MS, random());
  }
}

/** Ends a question whose turn is over while it waits. */
function cutting(held: Place | undefined, end: () => void) {
  let isCut = false;
  const cut = () => {
    isCut = true;
    end();
  };
  const ends = () => held?.over.removeEventListener('abort', cut);
  held?.over.addEventListener('abort', cut);
  return {
    comes: () => {
      ends();
      held?.comes();
    },
    waits: () => {
      held?.waits();
      if (held?.over.aborted) cut();
      else held?.over.addEventListener('abort', cut);
    },
    ends,
    isCut: () => isCut,
  };
}

/** Too many listen already. */
function isBusy(error: unknown): error is Refusal {
  return error instanceof Refusal && error.status === 429;
}

/** Where nobody answered, a browser says so in words of its own. */
function saidBy(error: unknown): string {
  if (!(error instanceof Refusal) || error.status === 0) return '';
  return error.message.slice(0, MAX_SAID);
}
