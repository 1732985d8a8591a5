/**
 * Names of which there may be something or not, such as those of a proxy's clusters. A client may name a quarter of a
 * million that are not there: nothing is worked out for such a name, whatever changes.
 */
import type { Cancel } from '../lib/clock.ts';
import type { Account, NameOf } from './accounts.ts';
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
/** Of what was refused. */
const TRIED_AT_ONCE = 32;

/** Of one account. */
export class Parts {
  readonly #options: PartsOptions;
  #index: Index | undefined;
  readonly #users = new Map<string, Set<User>>();
  /** The names of each, where that may be written in several ways. */
  readonly #written = new Map<string, Set<string>>();
  /** Of what is not there. */
  readonly #absent = new Map<string, readonly Resource[]>();
  /** Of what is made one by one, what is there. */
  readonly #made = new Map<string, Subscribed>();
  /** And could not be made, for want of room: nobody is told that they are not there. */
  readonly #refused = new Set<string>();
  #unlisten: Cancel | undefined;
  #isTrying = false;
  /** Since all of them were tried last. */
  #isRoomNew = false;
  readonly #stop: Cancel;

  /** Throws 'busy' where too much is asked. */
  constructor(options: PartsOptions) {
    this.#options = options;
    const { among } = options;
    this.#stop = 'all' in among ? this.#among(among) : this.#apart(among);
  }

  /** Names, but those of what is made. */
  get size(): number {
    return this.#users.size - this.#made.size;
  }

  /** Calls with each change, until it is cancelled. Throws 'busy' where too much is asked. */
  subscribe(name: string, listener: (name: string) => void): Subscribed {
    const { account } = this.#options;
    let isCounted = false;
    try {
      account.subscribe(name);
      isCounted = true;
      const users = this.#users.get(name) ?? this.#begin(name);
      const user = new User(this, name, listener);
      users.add(user);
      return user;
    } catch (error) {
      if (isCounted) account.unsubscribe(name);
      this.#endWithLast();
      throw error;
    }
  }

  /** Undefined until it is known. */
  currentOf(name: string): readonly Resource[] | undefined {
    if (this.#index === undefined) return undefined;
    const found = this.#index.get(this.#is(name));
    if (found === undefined) return this.#absentOf(name);
    return 'each' in this.#options.among ? this.#made.get(name)?.current : found;
  }

  release(name: string, user: User): void {
    const users = this.#users.get(name);
    if (users?.delete(user) !== true) return;
    this.#options.account.unsubscribe(name);
    if (users.size > 0) return;
    this.#end(name);
    this.#endWithLast();
  }

  /** Nobody is there to be told any more. */
  stop(): void {
    this.#unlisten?.();
    this.#refused.clear();
    this.#stop();
  }

  #is(name: string): string {
    const { among } = this.#options;
    return 'each' in among && among.is !== undefined ? among.is(name) : name;
  }

  /** As its account counts it, whether it is there or not. */
  #of(name: string): NameOf | undefined {
    const { among } = this.#options;
    return 'each' in among ? among.each(name).of : undefined;
  }

  #absentOf(name: string): readonly Resource[] {
    const { among } = this.#options;
    if (!('each' in among) || among.absent === undefined) return NONE;
    const there = this.#absent.get(name);
    if (there !== undefined) return there;
    const absent = [among.absent(name)];
    for (const { bytes } of absent) this.#options.account.keep(bytes);
    this.#absent.set(name, absent);
    return absent;
  }

  #forgetAbsent(name: string): void {
    for (const { bytes } of this.#absent.get(name) ?? []) this.#options.account.keep(-bytes);
    this.#absent.delete(name);
  }

  #begin(name: string): Set<User> {
    if (this.#isToMake(name)) this.#make(name);
    else this.#options.account.make(this.#of(name));
    const users = new Set<User>();
    this.#users.set(name, users);
    const is = this.#is(name);
    if (is !== name) this.#written.set(is, (this.#written.get(is) ?? new Set()).add(name));
    return users;
  }

  #end(name: string): void {
    this.#users.delete(name);
    this.#forgetAbsent(name);
    const is = this.#is(name);
    const written = this.#written.get(is);
    written?.delete(name);
    if (written?.size === 0) this.#written.delete(is);
    this.#refused.delete(name);
    const made = this.#made.get(name);
    this.#made.delete(name);
    // What is made stands for its name in the account.
    if (made === undefined) this.#options.account.unmake(this.#of(name));
    else made.cancel();
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

  #apart({ names, of }: Apart): Cancel {
    const { account, sources } = this.#options;
    if (of !== undefined) account.make(of);
    let isMade = of !== undefined;
    const stop = () => {
      worked.stop();
      if (isMade) account.unmake(of);
      isMade = false;
    };
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
      stop();
      throw error;
    }
    return stop;
  }

  /** However many names there are, those alone are looked at of which something changes. */
  #take(now: Index): void {
    const before = this.#index;
    this.#index = now;
    const named =
      before === undefined
        ? [...this.#users.keys()]
        : differing(before, now).flatMap((each) => this.#namesOf(each));
    let refused: unknown;
    for (const name of [...named, ...this.#refused]) {
      const why = this.#isToMake(name) ? this.#tryToMake(name) : undefined;
      refused ??= why;
      if (!now.has(this.#is(name))) this.#letGo(name);
    }
    if (refused !== undefined) {
      const what = 'there is no room for all that has come to be';
      this.#options.sources.questions.fault(refused, what);
    }
    this.#listenForRoom();
    for (const name of named) this.#tell(name);
  }

  /** Those that are asked for. */
  #namesOf(is: string): readonly string[] {
    return [...(this.#users.has(is) ? [is] : []), ...(this.#written.get(is) ?? [])];
  }

  #isToMake(name: string): boolean {
    const isApart = 'each' in this.#options.among;
    return isApart && this.#index?.has(this.#is(name)) === true && !this.#made.has(name);
  }

  /** Why not, where it is refused. */
  #tryToMake(name: string): unknown {
    const { account } = this.#options;
    let why: unknown;
    account.quietly(() => {
      account.unmake(this.#of(name));
      try {
        this.#make(name);
        this.#refused.delete(name);
      } catch (error) {
        account.remake(this.#of(name));
        this.#refused.add(name);
        why = error;
      }
    });
    return why;
  }

  #make(name: string): void {
    const { among, subscribe } = this.#options;
    this.#forgetAbsent(name);
    if ('each' in among)
      this.#made.set(
        name,
        subscribe(among.each(name), () => this.#tell(name)),
      );
  }

  #letGo(name: string): void {
    this.#refused.delete(name);
    const made = this.#made.get(name);
    if (made === undefined) return;
    this.#made.delete(name);
    made.cancel();
    this.#options.account.remake(this.#of(name));
  }

  #listenForRoom(): void {
    if (this.#refused.size === 0) {
      this.#unlisten?.();
      this.#unlisten = undefined;
      return;
    }
    this.#unlisten ??= this.#options.account.listenForRoom(() => {
      this.#isRoomNew = true;
      if (!this.#isTrying) this.#tryAll();
    });
  }

  /** Each of those that were refused: where there is none for one, another may need nothing but what is followed already. */
  #tryAll(): void {
    this.#isTrying = true;
    this.#isRoomNew = false;
    const names = [...this.#refused];
    const some = () => {
      for (const name of names.splice(0, TRIED_AT_ONCE)) {
        if (this.#refused.has(name) && this.#tryToMake(name) === undefined) this.#tell(name);
      }
      if (names.length > 0) return void setImmediate(some);
      this.#isTrying = false;
      this.#listenForRoom();
      if (this.#isRoomNew && this.#refused.size > 0) this.#tryAll();
    };
    some();
  }

  #tell(name: string): void {
    for (const user of this.#users.get(name) ?? []) user.listener(name);
  }
}

/** There may be hundreds of thousands: nothing that can be told of a name is kept with each. */
class User implements Subscribed {
  readonly #parts: Parts;
  readonly #name: string;
  readonly listener: (name: string) => void;

  constructor(parts: Parts, name: string, listener: (name: string) => void) {
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
