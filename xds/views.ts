/**
 * Who sees what: those whose tokens come to the same rights see the same, and everything is made once for all of
 * them. A token that comes to something else has another view from then on.
 */
import { type AccessControl, ANYONE, type Caller } from '../lib/acl/rights.ts';
import type { Cancel } from '../lib/clock.ts';
import { noLeader, ProconsulError } from '../lib/errors.ts';
import type { System } from '../lib/system.ts';
import { type Account, Accounts, type Most, type NameOf } from './accounts.ts';
import { type Compute, Derived } from './derived.ts';
import { Facts } from './facts.ts';
import { Pace } from './pace.ts';
import { Parts } from './parts.ts';
import { type AskAgent, MAX_QUESTIONS, Questions } from './questions.ts';
import { loadRules } from './refusable.ts';
import { Reviews } from './reviews.ts';
import { Room } from './room.ts';
import { Turns } from './turns.ts';
import { type Listener, type Made, Use } from './use.ts';
import type { Among, Key, Named, Part, Subscribed, Wanted } from './world.ts';

export interface ViewsOptions {
  readonly ask: AskAgent;
  readonly access: AccessControl;
  /** Resolves once what others acknowledged is known here too; with false where nobody can say whether it is. */
  readonly caughtUp: () => Promise<boolean>;
  readonly system: System;
  /** Of those of one address, in place of what is usual. */
  readonly most?: Partial<Most>;
  /** For all together, in place of what is usual. */
  readonly room?: Room;
}

/** A hundred times as long as any that is given out: with a longer one nobody could be asked. */
const MAX_TOKEN = 4096;

export class Views {
  readonly #options: ViewsOptions;
  readonly #byRights = new Map<string, View>();
  /** At which what has changed is worked out, and told. */
  readonly pace: Pace;
  readonly room: Room;
  readonly #accounts: Accounts;
  readonly #turns = new Turns();
  readonly #reviews: Reviews;

  constructor(options: ViewsOptions) {
    this.#options = options;
    this.#reviews = new Reviews(options.system.clock);
    this.pace = new Pace(options.system);
    this.room = options.room ?? new Room();
    this.#accounts = new Accounts({ followed: MAX_QUESTIONS / 2, ...options.most }, this.room);
  }

  /** How many resources are made, or named, and how many questions followed, for all. */
  get size(): { readonly resources: number; readonly questions: number } {
    let [resources, questions] = [0, 0];
    for (const view of this.#byRights.values()) {
      resources += view.size;
      questions += view.questions.size;
    }
    return { resources, questions };
  }

  /** How much stands in line. */
  get waiting(): number {
    return this.#turns.waiting;
  }

  /** To be called once in a second. */
  review(): void {
    this.room.review(this.#options.system.logger);
  }

  /**
   * From an address. Rejects with a ProconsulError 'forbidden' where nobody knows the token, and 'busy' where there is no
   * room. Whoever comes from another server is told nothing older than there; `before` is who it was here, where its token
   * comes to something else by now.
   */
  async enter(token: string, address: string, before?: Member): Promise<Member> {
    if (token.length > MAX_TOKEN)
      throw new ProconsulError('forbidden', `a token of more than ${MAX_TOKEN} characters`);
    const { access, caughtUp } = this.#options;
    const [caller, isCurrent] = await Promise.all([
      access.callerOf(token, address),
      before === undefined ? caughtUp() : before.isCurrent,
      // Of all that is made, which is for members alone.
      loadRules(),
    ]);
    const { account, leave } = this.#entered(address, before !== undefined);
    const view = this.#viewOf(caller);
    // All others are asked for with it: where none counts, a stranger may have sent anything for one.
    const joined = view.join(caller === ANYONE ? '' : token);
    const left = () => {
      joined();
      leave();
    };
    return new Member(view, { caller, account, isCurrent, leave: left });
  }

  /** Once for each who comes, and leaves. */
  #entered(
    address: string,
    isHere: boolean,
  ): { readonly account: Account; readonly leave: Cancel } {
    const { account, leave } = this.#accounts.enter(address);
    let left: Cancel;
    try {
      left = account.join(isHere);
    } catch (error) {
      leave();
      throw error;
    }
    let isIn = true;
    return {
      account,
      leave: () => {
        if (isIn) left();
        isIn = false;
        leave();
      },
    };
  }

  #viewOf({ rights: { key } }: Caller): View {
    const { pace, room } = this;
    const shared = { pace, room, turns: this.#turns, reviews: this.#reviews };
    const options = { ...this.#options, ...shared };
    const view = this.#byRights.get(key) ?? new View(options, () => this.#byRights.delete(key));
    this.#byRights.set(key, view);
    return view;
  }

  stop(): void {
    for (const view of this.#byRights.values()) view.stop();
    this.#byRights.clear();
  }
}

export interface Entered {
  readonly caller: Caller;
  /** On which it has questions followed. */
  readonly account: Account;
  /** Whether what is known here was as new as anywhere when it came. */
  readonly isCurrent: boolean;
  readonly leave: Cancel;
}

/** One who has entered a view, until it leaves. */
export class Member {
  readonly view: View;
  readonly #entered: Entered;

  constructor(view: View, entered: Entered) {
    this.view = view;
    this.#entered = entered;
  }

  get caller(): Caller {
    return this.#entered.caller;
  }

  get account(): Account {
    return this.#entered.account;
  }

  get turns(): Turns {
    return this.view.turns;
  }

  get isCurrent(): boolean {
    return this.#entered.isCurrent;
  }

  /** Throws 'unavailable' where it may be told something older than it has: it is to turn to another server. */
  comesWithSomething(): void {
    if (!this.isCurrent) throw noLeader();
  }

  leave(): void {
    this.#entered.leave();
  }

  /** Calls with each change, by that name, until it is cancelled. Throws 'busy' where too much is asked. */
  subscribeTo(wanted: Wanted, listener: Listener, name = ''): Subscribed {
    const { account, view } = this;
    if ('among' in wanted) return view.subscribeToPart(wanted, account, listener);
    const { key, compute, of } = wanted;
    return view.subscribe({ key, compute, of, account, name }, listener);
  }

  /** To something by itself. */
  subscribe(key: Key, compute: Compute, listener: () => void, of?: NameOf): Subscribed {
    return this.view.subscribe({ key, compute, of, account: this.account, name: '' }, listener);
  }
}

interface Whole {
  readonly key: Key;
  readonly compute: Compute;
  readonly of: NameOf | undefined;
  readonly account: Account;
  /** By which whoever wants it is told. */
  readonly name: string;
}

interface ViewRules extends Pick<ViewsOptions, 'ask' | 'system'> {
  readonly turns: Turns;
  readonly reviews: Reviews;
  readonly pace: Pace;
  readonly room: Room;
}

class View {
  readonly questions: Questions;
  readonly turns: Turns;
  readonly #room: Room;
  readonly #facts: Facts;
  readonly #onLast: () => void;
  /** Of those who are in it, and how many have each. */
  readonly #tokens = new Map<string, number>();
  readonly #made = new Map<string, Made>();
  readonly #parts = new Map<string, Map<Account, Parts>>();

  constructor({ room, ...rules }: ViewRules, onLast: () => void) {
    this.#onLast = onLast;
    this.#room = room;
    this.turns = rules.turns;
    this.questions = new Questions({ ...rules, room, tokens: () => this.#tokens.keys() });
    this.#facts = new Facts(this.questions);
  }

  get size(): number {
    let size = this.#made.size;
    for (const each of this.#parts.values()) for (const parts of each.values()) size += parts.size;
    return size;
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

  subscribe(wanted: Whole, listener: Listener): Subscribed {
    const { account, name } = wanted;
    const made = this.#subscribed(JSON.stringify(wanted.key), wanted);
    const { users, derived } = made;
    const isNew = !users.has(account);
    users.set(account, (users.get(account) ?? 0) + 1);
    // What is asked for it waits in the line of others, who may have much else in theirs.
    if (isNew && derived.current === undefined) derived.recount();
    const use = new Use(made, account, { listener, name, over: this.#over });
    derived.listen(use);
    return use;
  }

  readonly #over = (made: Made, account: Account, name: string): void => {
    const { key, of, users, derived } = made;
    const left = (users.get(account) ?? 1) - 1;
    if (left > 0) users.set(account, left);
    else users.delete(account);
    account.unsubscribe(name);
    if (left === 0) {
      account.unmake(of);
      account.share(-derived.bytes);
    }
    if (users.size === 0) this.#end(key, made);
    else if (left === 0) derived.recount();
  };

  subscribeToPart({ name, among }: Part, account: Account, listener: Listener): Subscribed {
    const key = JSON.stringify('all' in among ? among.all.key : among.key);
    const parts = this.#parts.get(key)?.get(account) ?? this.#partsOf(key, among, account);
    return parts.subscribe(name, listener);
  }

  #partsOf(key: string, among: Among, account: Account): Parts {
    const onLast = () => {
      const byAccount = this.#parts.get(key);
      byAccount?.delete(account);
      if (byAccount?.size === 0) this.#parts.delete(key);
    };
    const subscribe = ({ key: whose, compute, of }: Named, told: () => void) =>
      account.unasked(() => this.subscribe({ key: whose, compute, of, account, name: '' }, told));
    const sources = { questions: this.questions, facts: this.#facts };
    const parts = new Parts({ among, account, sources, subscribe, onLast });
    const byAccount = this.#parts.get(key) ?? new Map<Account, Parts>();
    this.#parts.set(key, byAccount.set(account, parts));
    return parts;
  }

  /** What it has, on its account; made where nobody has it. */
  #subscribed(key: string, wanted: Whole): Made {
    const { account, of, name } = wanted;
    const there = this.#made.get(key);
    const isFirst = there?.users.has(account) !== true;
    account.subscribe(name);
    let isMade = false;
    try {
      if (isFirst) account.make(of);
      isMade = isFirst;
      if (isFirst && there !== undefined) account.share(there.derived.bytes);
      return there ?? this.#make(key, wanted);
    } catch (error) {
      account.unsubscribe(name);
      if (isMade) account.unmake(of);
      throw error;
    }
  }

  /** With nobody in it there is no token to ask with. */
  stop(): void {
    for (const [key, made] of this.#made) this.#end(key, made);
    for (const each of this.#parts.values()) for (const parts of each.values()) parts.stop();
    this.#parts.clear();
    this.#onLast();
  }

  #make(key: string, { compute, account, of }: Whole): Made {
    const users = new Map([[account, 0]]);
    const sources = { questions: this.questions, facts: this.#facts };
    const derived = new Derived({
      compute,
      sources,
      accounts: () => users.keys(),
      room: this.#room,
    });
    const made: Made = { key, derived, of, users };
    this.#made.set(key, made);
    try {
      derived.start();
    } catch (error) {
      account.share(-derived.bytes);
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
