/**
 * Names of which there may be something or not, such as those of a proxy's clusters. A client may name a quarter of a
 * million that are not there: nothing is worked out for such a name, whatever changes.
 */
import type { Cancel } from '../lib/clock.ts';
import type { Account } from './accounts.ts';
import type { Resource } from './resource.ts';
import { type Sources, Worked } from './worked.ts';
import type { Among, Apart, Named, Subscribed, Whole } from './world.ts';

export interface PartsOptions {
  readonly among: Among;
  readonly account: Account;
  readonly sources: Sources;
  /** On that account. Throws 'busy' where too much is asked. */
  readonly subscribe: (named: Named, listener: () => void) => Subscribed;
  readonly onLast: Cancel;
}

/** What there is, by its names; of what is made one by one, nothing more than that it is there. */
type Index = ReadonlyMap<string, readonly Resource[]>;

const NONE: readonly Resource[] = [];

/** Of one account. */
export class Parts {
  readonly #options: PartsOptions;
  #index: Index | undefined;
  readonly #users = new Map<string, Set<User>>();
  /** Of what is made one by one, what is there. */
  readonly #made = new Map<string, Subscribed>();
  /** And could not be made. */
  readonly #refused = new Set<string>();
  /** Nobody asks for those that use it any more. */
  readonly stop: Cancel;

  /** Throws 'busy' where too much is asked. */
  constructor(options: PartsOptions) {
    this.#options = options;
    const { among } = options;
    this.stop = 'all' in among ? this.#among(among) : this.#apart(among);
  }

  /** Names, but those of what is made. */
  get size(): number {
    return this.#users.size - this.#made.size;
  }

  /** Calls with each change, until it is cancelled. Throws 'busy' where too much is asked. */
  subscribe(name: string, listener: () => void): Subscribed {
    const { account } = this.#options;
    account.subscribe();
    try {
      const users = this.#users.get(name) ?? this.#begin(name);
      const user = new User(this, name, listener);
      users.add(user);
      return user;
    } catch (error) {
      account.unsubscribe();
      this.#endWithLast();
      throw error;
    }
  }

  /** Undefined until it is known. */
  currentOf(name: string): readonly Resource[] | undefined {
    if (this.#index === undefined) return undefined;
    const found = this.#index.get(name);
    if (found === undefined) return NONE;
    const made = this.#made.get(name);
    return made === undefined ? found : made.current;
  }

  release(name: string, user: User): void {
    const users = this.#users.get(name);
    if (users?.delete(user) !== true) return;
    this.#options.account.unsubscribe();
    if (users.size > 0) return;
    this.#end(name);
    this.#endWithLast();
  }

  #begin(name: string): Set<User> {
    const users = new Set<User>();
    this.#options.account.make(undefined);
    this.#users.set(name, users);
    try {
      this.#follow(name);
    } catch (error) {
      this.#end(name);
      throw error;
    }
    return users;
  }

  #end(name: string): void {
    this.#users.delete(name);
    this.#options.account.unmake(undefined);
    this.#letGo(name);
  }

  #endWithLast(): void {
    if (this.#users.size > 0) return;
    this.stop();
    this.#options.onLast();
  }

  #among({ all }: Whole): Cancel {
    const look = () => {
      const { current } = subscribed;
      if (current !== undefined) this.#take(new Map(current.map((each) => [each.name, [each]])));
    };
    const subscribed = this.#options.subscribe(all, look);
    look();
    return () => subscribed.cancel();
  }

  #apart({ names }: Apart): Cancel {
    const { account, sources } = this.#options;
    const worked = new Worked<Index>({
      sources,
      accounts: () => [account],
      compute: (know) => {
        const found = names(know);
        return found && new Map([...found].map((name) => [name, NONE]));
      },
      take: (index) => this.#take(index),
    });
    try {
      worked.start();
    } catch (error) {
      worked.stop();
      throw error;
    }
    return () => worked.stop();
  }

  /** However many names there are, those alone are looked at of which something changes. */
  #take(now: Index): void {
    const before = this.#index;
    this.#index = now;
    const changed = before === undefined ? this.#users.keys() : differing(before, now);
    const named = [...changed].filter((name) => this.#users.has(name));
    this.#followAgain([...named, ...this.#refused]);
    for (const name of named) this.#tell(name);
  }

  #followAgain(names: readonly string[]): void {
    const errors = names.flatMap((name) => {
      try {
        if (this.#index?.has(name) === true) this.#follow(name);
        else this.#letGo(name);
        return [];
      } catch (error) {
        this.#refused.add(name);
        return [error];
      }
    });
    // Where the first is too much, all that come after it are.
    if (errors.length > 0) this.#options.sources.questions.fault(errors[0]);
  }

  #follow(name: string): void {
    const { among, subscribe } = this.#options;
    const isThere = this.#index?.has(name) === true;
    if ('all' in among || !isThere || this.#made.has(name)) return;
    const made = subscribe(among.each(name), () => this.#tell(name));
    this.#made.set(name, made);
    this.#refused.delete(name);
  }

  #letGo(name: string): void {
    this.#refused.delete(name);
    this.#made.get(name)?.cancel();
    this.#made.delete(name);
  }

  #tell(name: string): void {
    for (const user of this.#users.get(name) ?? []) user.listener();
  }
}

/** There may be hundreds of thousands: nothing that can be told of a name is kept with each. */
class User implements Subscribed {
  readonly #parts: Parts;
  readonly #name: string;
  readonly listener: () => void;

  constructor(parts: Parts, name: string, listener: () => void) {
    this.#parts = parts;
    this.#name = name;
    this.listener = listener;
  }

  get current(): readonly Resource[] | undefined {
    return this.#parts.currentOf(this.#name);
  }

  cancel(): void {
    this.#parts.release(this.#name, this);
  }
}

/** What is the same is the same object. */
function differing(before: Index, now: Index): readonly string[] {
  const isOther = (name: string) => before.get(name)?.[0] !== now.get(name)?.[0];
  const here = [...now.keys()].filter((name) => !before.has(name) || isOther(name));
  return [...here, ...[...before.keys()].filter((name) => !now.has(name))];
}
