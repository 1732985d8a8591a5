/** Resources that follow from what is known, and are made anew when that changes. */
import type { Cancel } from '../lib/clock.ts';
import type { Account } from './accounts.ts';
import { type LeaveOut, noting } from './omissions.ts';
import { type Held, keyOf, type Question, type Questions } from './questions.ts';
import { resourceFault } from './refusable.ts';
import { MAX_NAME, type Resource } from './resource.ts';

export interface Know {
  /** What the agent answers; undefined for what is not there, may not be seen, or is not known yet. */
  (question: Question): unknown;
  readonly omit: LeaveOut;
}

/** Pure. What it makes while it is not told everything yet, nobody sees; undefined leaves what was there. */
export type Compute = (know: Know) => readonly Resource[] | undefined;

export class Derived {
  readonly #compute: Compute;
  readonly #questions: Questions;
  readonly #listeners = new Set<() => void>();
  readonly #accounts: () => Iterable<Account>;
  #held = new Map<string, Held>();
  #isRunning = false;
  #current: readonly Resource[] | undefined;
  /** And why. */
  #omitted: ReadonlyMap<string, string> = new Map();

  /** Of those who need them, on whose accounts questions are followed. */
  constructor(compute: Compute, questions: Questions, accounts: () => Iterable<Account>) {
    this.#compute = compute;
    this.#questions = questions;
    this.#accounts = accounts;
  }

  /** Undefined until all is known that they follow from. What is the same is the same object as before. */
  get current(): readonly Resource[] | undefined {
    return this.#current;
  }

  get listening(): number {
    return this.#listeners.size;
  }

  /** Called when they have changed, or are known at last; never at once. */
  listen(listener: () => void): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** To be called once, before anything else. Throws 'busy' where too much is asked. */
  start(): void {
    this.#run();
  }

  /** Nobody needs them any more on that account. */
  leave(account: Account): void {
    for (const held of this.#held.values()) held.leave(account);
  }

  stop(): void {
    for (const { release } of this.#held.values()) release();
    this.#held.clear();
    this.#leaveOut(new Map());
  }

  #run(): void {
    this.#isRunning = true;
    const before = this.#held;
    const now = new Map<string, Held>();
    let isWhole = true;
    const omitted = new Map<string, string>();
    const omit = noting(omitted);
    const ask = (question: Question) => {
      const key = keyOf(question);
      const held = now.get(key) ?? before.get(key) ?? this.#hold(question);
      now.set(key, held);
      if (held.known === undefined) isWhole = false;
      return held.known?.json;
    };
    try {
      const made = this.#compute(Object.assign(ask, { omit }));
      // Until all is known, what was needed before may be needed again.
      if (isWhole && made !== undefined) {
        for (const [key, { release }] of before) if (!now.has(key)) release();
        this.#held = now;
        this.#take(made, omit);
        this.#leaveOut(omitted);
      } else this.#held = new Map([...before, ...now]);
    } catch (error) {
      this.#held = new Map([...before, ...now]);
      throw error;
    } finally {
      this.#isRunning = false;
    }
  }

  #hold(question: Question): Held {
    return this.#questions.hold(question, this.#accounts, this.#again);
  }

  /** Strangers' words may be such that nothing can be made of them: then what was there stands. */
  readonly #again = (): void => {
    if (this.#isRunning) return;
    try {
      this.#run();
    } catch (error) {
      this.#questions.fault(error);
    }
  };

  #leaveOut(omitted: ReadonlyMap<string, string>): void {
    this.#questions.omissions.take(omitted, this.#omitted);
    this.#omitted = omitted;
  }

  #take(made: readonly Resource[], omit: LeaveOut): void {
    const before = new Map(this.#current?.map((each) => [each.name, each]));
    const next = made.flatMap((each) => {
      const same = before.get(each.name);
      if (same?.version === each.version) return [same];
      const fault = nameFault(each) ?? resourceFault(each.kind, each.message);
      if (fault === undefined) return [each];
      // A client would refuse all that comes with it: what it was before stands.
      omit(`${each.kind} ${JSON.stringify(each.name)}`, fault);
      return same ?? [];
    });
    const isSame =
      this.#current !== undefined &&
      next.length === this.#current.length &&
      next.every((each, i) => each === this.#current?.[i]);
    if (isSame) return;
    this.#current = next;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** What a client would ask for next, and not be told: its stream would end for that, again and again. */
function nameFault({ name, uses }: Resource): string | undefined {
  const isLong = [name, ...uses].some((each) => each.length > MAX_NAME);
  return isLong ? `its name has more than ${MAX_NAME} characters` : undefined;
}
