/** What many resources follow from, such as where all calls of one proxy may end: each would work it out by itself. */
import type { Account } from './accounts.ts';
import type { Held, OnAnswer, Questions } from './questions.ts';
import { type Fact, type FactSource, Worked } from './worked.ts';

export class Facts implements FactSource {
  readonly #questions: Questions;
  readonly #shared = new Map<string, SharedFact>();

  constructor(questions: Questions) {
    this.#questions = questions;
  }

  hold(fact: Fact<unknown>, accounts: () => Iterable<Account>, onAnswer: OnAnswer): Held {
    const key = JSON.stringify(fact.key);
    const shared = this.#shared.get(key) ?? this.#share(key, fact);
    return shared.hold(accounts, onAnswer);
  }

  #share(key: string, fact: Fact<unknown>): SharedFact {
    const sources = { questions: this.#questions, facts: this };
    const shared = new SharedFact(fact, sources, () => this.#shared.delete(key));
    this.#shared.set(key, shared);
    return shared;
  }
}

interface User {
  readonly accounts: () => Iterable<Account>;
  readonly onAnswer: OnAnswer;
}

class SharedFact {
  readonly #users = new Set<User>();
  readonly #worked: Worked<unknown>;
  readonly #onLast: () => void;
  #known: { readonly json: unknown } | undefined;
  #isBegun = false;
  #isToRecount = false;

  constructor(
    fact: Fact<unknown>,
    sources: { readonly questions: Questions; readonly facts: FactSource },
    onLast: () => void,
  ) {
    this.#onLast = onLast;
    this.#worked = new Worked({
      sources,
      accounts: () => this.#accounts(),
      compute: fact.of,
      take: (made) => this.#take(made),
    });
  }

  /** Throws as questions do. */
  hold(accounts: () => Iterable<Account>, onAnswer: OnAnswer): Held {
    const user: User = { accounts, onAnswer };
    this.#users.add(user);
    const known = () => this.#known;
    const release = () => this.#release(user);
    try {
      if (!this.#isBegun) this.#begin();
      // What is asked for it stands in the lines of others, who may have much else in theirs.
      else if (this.#known === undefined) this.#recountSoon();
    } catch (error) {
      release();
      throw error;
    }
    return {
      get known() {
        return known();
      },
      release,
      recount: () => this.#recountSoon(),
    };
  }

  #begin(): void {
    this.#isBegun = true;
    this.#worked.start();
  }

  #release(user: User): void {
    if (!this.#users.delete(user)) return;
    if (this.#users.size > 0) {
      this.#recountSoon();
      return;
    }
    this.#worked.stop();
    this.#onLast();
  }

  /** Once for all who come or leave together. */
  #recountSoon(): void {
    if (this.#isToRecount) return;
    this.#isToRecount = true;
    setImmediate(() => {
      this.#isToRecount = false;
      if (this.#users.size > 0) this.#worked.recount();
    });
  }

  /** Each once: thousands who use it may be of one. */
  *#accounts(): Iterable<Account> {
    const seen = new Set<Account>();
    for (const { accounts } of this.#users) {
      for (const account of accounts()) {
        if (seen.has(account)) continue;
        seen.add(account);
        yield account;
      }
    }
  }

  #take(made: unknown): void {
    const isFirst = this.#known === undefined;
    this.#known = { json: made };
    for (const { onAnswer } of [...this.#users]) onAnswer(isFirst);
  }
}
