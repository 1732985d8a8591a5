/**
 * Who sees what: those whose tokens come to the same rights see the same, and everything is made once for all of
 * them. A token that comes to something else has another view from then on.
 */
import type { AccessControl, Caller } from '../lib/acl/rights.ts';
import type { Cancel } from '../lib/clock.ts';
import type { System } from '../lib/system.ts';
import { type Compute, Derived } from './derived.ts';
import { type AskAgent, Questions } from './questions.ts';

export interface ViewsOptions {
  readonly ask: AskAgent;
  readonly access: AccessControl;
  readonly system: System;
}

export class Views {
  readonly #options: ViewsOptions;
  readonly #byRights = new Map<string, View>();

  constructor(options: ViewsOptions) {
    this.#options = options;
  }

  /** How many resources are made, and how many questions followed, for all. */
  get size(): { readonly resources: number; readonly questions: number } {
    let [resources, questions] = [0, 0];
    for (const view of this.#byRights.values()) {
      resources += view.size;
      questions += view.questions.size;
    }
    return { resources, questions };
  }

  /** Rejects with a ProconsulError 'forbidden' where nobody knows the token. */
  async enter(token: string): Promise<Member> {
    const caller = await this.#options.access.callerOf(token);
    const { key } = caller.rights;
    const view =
      this.#byRights.get(key) ?? new View(this.#options, () => this.#byRights.delete(key));
    this.#byRights.set(key, view);
    return new Member(view, token, caller);
  }

  stop(): void {
    for (const view of this.#byRights.values()) view.stop();
    this.#byRights.clear();
  }
}

/** One who has entered a view, until it leaves. */
export class Member {
  readonly view: View;
  readonly caller: Caller;
  readonly leave: Cancel;

  constructor(view: View, token: string, caller: Caller) {
    this.view = view;
    this.caller = caller;
    this.leave = view.join(token);
  }
}

interface Made {
  readonly derived: Derived;
  users: number;
}

export interface Subscribed {
  readonly derived: Derived;
  readonly cancel: Cancel;
}

export class View {
  readonly questions: Questions;
  readonly #onLast: () => void;
  /** Of those who are in it, and how many have each. */
  readonly #tokens = new Map<string, number>();
  readonly #made = new Map<string, Made>();

  constructor({ ask, system }: Pick<ViewsOptions, 'ask' | 'system'>, onLast: () => void) {
    this.#onLast = onLast;
    this.questions = new Questions({ ask, system, tokens: () => this.#tokens.keys() });
  }

  get size(): number {
    return this.#made.size;
  }

  join(token: string): Cancel {
    this.#tokens.set(token, (this.#tokens.get(token) ?? 0) + 1);
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      const left = (this.#tokens.get(token) ?? 1) - 1;
      if (left > 0) this.#tokens.set(token, left);
      else this.#tokens.delete(token);
      if (this.#tokens.size === 0) this.stop();
    };
  }

  /** Calls with each change, until it is cancelled. Throws 'busy' where too much is asked. */
  subscribe(key: string, compute: Compute, listener: () => void): Subscribed {
    const made = this.#made.get(key) ?? this.#make(key, compute);
    made.users++;
    const unlisten = made.derived.listen(listener);
    let isIn = true;
    const cancel = () => {
      if (!isIn) return;
      isIn = false;
      unlisten();
      if (--made.users === 0) this.#end(key, made);
    };
    return { derived: made.derived, cancel };
  }

  /** With nobody in it there is no token to ask with. */
  stop(): void {
    for (const [key, made] of this.#made) this.#end(key, made);
    this.#onLast();
  }

  #make(key: string, compute: Compute): Made {
    const derived = new Derived(compute, this.questions);
    const made: Made = { derived, users: 0 };
    this.#made.set(key, made);
    try {
      derived.start();
    } catch (error) {
      this.#end(key, made);
      throw error;
    }
    return made;
  }

  #end(key: string, made: Made): void {
    made.derived.stop();
    if (this.#made.get(key) === made) this.#made.delete(key);
  }
}
