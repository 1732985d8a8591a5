/** What one who is told has of something that is made once for all who have the same rights. */
import type { Account, NameOf } from './accounts.ts';
import type { Derived, Told } from './derived.ts';
import type { Resource } from './resource.ts';
import type { Subscribed } from './world.ts';

/** With the name that has changed: one function for all of a stream. */
export type Listener = (name: string) => void;

export interface Made {
  readonly key: string;
  readonly derived: Derived;
  /** Of what it is a name, where that has several. */
  readonly of: NameOf | undefined;
  /** How many need it, on each account. */
  readonly users: Map<Account, number>;
}

interface Using {
  readonly listener: Listener;
  readonly name: string;
  readonly over: (made: Made, account: Account, name: string) => void;
}

/** There may be a million of them. */
export class Use implements Subscribed, Told {
  readonly #made: Made;
  readonly #account: Account;
  readonly #listener: Listener;
  readonly #name: string;
  #over: Using['over'] | undefined;

  constructor(made: Made, account: Account, { listener, name, over }: Using) {
    this.#made = made;
    this.#account = account;
    this.#listener = listener;
    this.#name = name;
    this.#over = over;
  }

  get current(): readonly Resource[] | undefined {
    return this.#made.derived.current;
  }

  changed(): void {
    this.#listener(this.#name);
  }

  cancel(): void {
    const over = this.#over;
    if (over === undefined) return;
    this.#over = undefined;
    this.#made.derived.unlisten(this);
    over(this.#made, this.#account, this.#name);
  }
}
