/** What is worked out of answers, and anew when they change. */
import type { Cancel } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import type { Account } from './accounts.ts';
import { MOST_LINES } from './lines.ts';
import { type LeaveOut, noting } from './omissions.ts';
import { type Held, keyOf, type OnAnswer, type Question, type Questions } from './questions.ts';

export interface Know {
  /** What the agent answers; undefined for what is not there, may not be seen, or is not known yet. */
  (question: Question): unknown;
  /** What many need: worked out once for all who have the same rights. Undefined until it is known. */
  readonly shared: <T>(fact: Fact<T>) => T | undefined;
  readonly omit: LeaveOut;
}

export interface Fact<T> {
  /** Facts that have the same are the same. */
  readonly key: readonly string[];
  /** Pure; undefined leaves what it was. */
  readonly of: (know: Know) => T | undefined;
}

/** Where answers come from. */
export interface Sources {
  readonly questions: Questions;
  readonly facts: FactSource;
}

export interface FactSource {
  /** As `hold` of questions. */
  hold(fact: Fact<unknown>, accounts: () => Iterable<Account>, onAnswer: OnAnswer): Held;
}

export interface WorkedOptions<T> {
  readonly sources: Sources;
  /** Of those who need it, on whose accounts questions are followed. */
  readonly accounts: () => Iterable<Account>;
  /** Pure. What it makes while it is not told everything yet, nobody sees; undefined leaves what was there. */
  readonly compute: (know: Know) => T | undefined;
  readonly take: (made: T, omit: LeaveOut) => void;
}

export class Worked<T> {
  readonly #options: WorkedOptions<T>;
  #held = new Map<string, Held>();
  /** What the last run asked for and was not told. */
  #missing = new Set<string>();
  #isRunning = false;
  #isDue = false;
  #isOver = false;
  /** It needs more than there is room for. */
  #stopWaiting: Cancel | undefined;
  /** And why. */
  #omitted: ReadonlyMap<string, string> = new Map();

  constructor(options: WorkedOptions<T>) {
    this.#options = options;
  }

  /** To be called once, before anything else. Throws 'busy' where too much is asked. */
  start(): void {
    this.#run();
  }

  /** Somebody needs it no more: nobody is to pay for what he has let go. */
  recount(): void {
    for (const held of this.#held.values()) held.recount();
  }

  stop(): void {
    this.#isOver = true;
    this.#stopWaiting?.();
    for (const { release } of this.#held.values()) release();
    this.#held.clear();
    this.#missing.clear();
    this.#leaveOut(new Map());
  }

  #run(): void {
    this.#isRunning = true;
    const before = this.#held;
    const now = new Map<string, Held>();
    const missing = new Set<string>();
    const omitted = new Map<string, string>();
    const omit = noting(omitted);
    const ask = (key: string, hold: (onAnswer: OnAnswer) => Held) => {
      const held =
        now.get(key) ?? before.get(key) ?? hold((isFirst) => this.#answered(key, isFirst));
      now.set(key, held);
      if (held.known === undefined) missing.add(key);
      return held.known?.json;
    };
    try {
      const made = this.#options.compute(this.#knowing(ask, omit));
      // Until all is known, what was needed before may be needed again.
      if (missing.size === 0 && made !== undefined) {
        for (const [key, { release }] of before) if (!now.has(key)) release();
        this.#held = now;
        this.#options.take(made, omit);
        this.#leaveOut(omitted);
      } else this.#held = new Map([...before, ...now]);
    } catch (error) {
      this.#held = new Map([...before, ...now]);
      throw error;
    } finally {
      this.#missing = missing;
      this.#isRunning = false;
    }
  }

  #knowing(
    ask: (key: string, hold: (onAnswer: OnAnswer) => Held) => unknown,
    omit: LeaveOut,
  ): Know {
    const { sources, accounts } = this.#options;
    const { questions, facts } = sources;
    const known = (question: Question) =>
      ask(keyOf(question), (onAnswer) => questions.hold(question, accounts, onAnswer));
    const shared = <F>(fact: Fact<F>) =>
      ask(`fact ${JSON.stringify(fact.key)}`, (onAnswer) => facts.hold(fact, accounts, onAnswer)) as
        | F
        | undefined;
    return Object.assign(known, { shared, omit });
  }

  /** While other answers are to come, nothing can be made of one; those that change come in numbers. */
  #answered(key: string, isFirst: boolean): void {
    if (isFirst && (!this.#missing.delete(key) || this.#missing.size > 0)) return;
    if (!this.#isRunning) this.#soon();
  }

  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const { sources, accounts } = this.#options;
    sources.questions.pace.workOut(this.#again, accounts());
  }

  /** Strangers' words may be such that nothing can be made of them: then what was there stands. */
  readonly #again = (): void => {
    this.#isDue = false;
    if (this.#isOver) return;
    const waited = this.#stopWaiting;
    this.#stopWaiting = undefined;
    waited?.();
    try {
      this.#run();
    } catch (error) {
      const isBusy = error instanceof ProconsulError && error.code === 'busy';
      if (isBusy) this.#waitForRoom();
      // Said once for as long as it waits.
      if (waited === undefined || !isBusy) this.#options.sources.questions.fault(error);
    }
  };

  /** Tried again whenever there may be some: what it follows from need not change for that. */
  #waitForRoom(): void {
    const accounts: Account[] = [];
    for (const each of this.#options.accounts()) if (accounts.push(each) === MOST_LINES) break;
    const cancels = accounts.map((each) => each.listenForRoom(() => this.#soon()));
    this.#stopWaiting = () => {
      for (const cancel of cancels) cancel();
    };
  }

  #leaveOut(omitted: ReadonlyMap<string, string>): void {
    this.#options.sources.questions.omissions.take(omitted, this.#omitted);
    this.#omitted = omitted;
  }
}
