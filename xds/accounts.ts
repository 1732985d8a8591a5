/**
 * Who has things followed, and made: of what all may ask for together, those of one address have half at most, so that there
 * is some left for the clients of others. What is made of no question at all counts too.
 */
import type { Cancel } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import { networkOf } from '../lib/ip.ts';
import { Room, TAKES } from './room.ts';

/** One of the ways to name something: whoever has other rights, or is another program, names it by the same. */
export interface NameOf {
  readonly what: string;
  readonly name: string;
}

/** What those of one address may have. */
export interface Most {
  readonly followed: number;
  /** Resources, those that proxies have by themselves too: a hundred each. */
  readonly made: number;
  /** Names of what anybody may name, however many rights they are made for: a client of gRPC comes by four to each service. */
  readonly named: number;
  /** Of all its streams, whether others have the same or not: thousands of Envoys may come from one address. */
  readonly subscribed: number;
}

/** Of the same: a service has more than a thousand names (`web`, `web.service.DC1`), and thousands of instances. */
const NAMES = 16;
const MADE = 250_000;
const NAMED = 50_000;
const SUBSCRIBED = 1_000_000;
const TOO_MANY_QUESTIONS = 'too many questions are followed for clients of this address';

export class Account {
  readonly #most: Most;
  /** What it has followed, and how often. */
  readonly #followed = new Map<object, number>();
  readonly #room: Room;
  /** Bytes, of which others may have some too. */
  #kept = 0;
  #isUnasked = false;
  #made = 0;
  #named = 0;
  #subscribed = 0;
  /** Whoever was refused something that is asked for still. */
  readonly #refused = new Set<() => void>();
  #isOffering = false;
  #isToOffer = false;
  /** The names of each thing that has several, and how many resources have each. */
  readonly #of = new Map<string, Map<string, number>>();

  constructor(most: Pick<Most, 'followed'> & Partial<Most>, room = new Room()) {
    this.#most = { made: MADE, named: NAMED, subscribed: SUBSCRIBED, ...most };
    this.#room = room;
  }

  /** Of one who is told, until it is left. Throws 'busy' where there is no room; `isHere`: he was somebody else before. */
  join(isHere: boolean): Cancel {
    if (!isHere) this.#admit(TAKES.member);
    this.keep(TAKES.member);
    return () => this.keep(-TAKES.member);
  }

  /** Of a resource that nobody on it has yet. Throws 'busy' where that is one too many. */
  make(of: NameOf | undefined): void {
    const { made, named } = this.#most;
    if (this.#made >= made) throw tooMuch(`${made} resources`);
    const names = of && this.#of.get(of.what);
    if (of !== undefined && names?.has(of.name) !== true) {
      if (this.#named >= named) throw tooMuch(`${named} names`);
      if (names !== undefined && names.size >= NAMES) throw tooMuch(`${NAMES} names of the same`);
    }
    this.remake(of);
  }

  /** Of one that it had a moment ago: never throws. */
  remake(of: NameOf | undefined): void {
    this.#made++;
    if (of === undefined) return;
    const names = this.#of.get(of.what) ?? new Map<string, number>();
    const there = names.get(of.name) ?? 0;
    if (there === 0) this.#named++;
    this.#of.set(of.what, names.set(of.name, there + 1));
  }

  /** Nobody on it has such a one any more. */
  unmake(of: NameOf | undefined): void {
    this.#made--;
    this.#offer();
    const names = of && this.#of.get(of.what);
    if (names === undefined) return;
    const left = (names.get(of?.name ?? '') ?? 1) - 1;
    if (left > 0) names.set(of?.name ?? '', left);
    else if (names.delete(of?.name ?? '')) this.#named--;
    if (names.size === 0) this.#of.delete(of?.what ?? '');
  }

  /** To a name. Throws 'busy' where it is one too many. */
  subscribe(name = ''): void {
    if (this.#subscribed >= this.#most.subscribed)
      throw tooMuch(`${this.#subscribed} subscriptions`);
    const bytes = nameBytes(name);
    this.#admit(bytes);
    this.#subscribed++;
    this.keep(bytes);
  }

  unsubscribe(name = ''): void {
    this.#subscribed--;
    this.keep(-nameBytes(name));
    this.#offer();
  }

  /** What is there needs no leave: less than nothing is given back. */
  keep(bytes: number): void {
    this.#kept += bytes;
    this.#room.take(bytes);
  }

  /** As `keep`, of what counts once for all who have it. */
  share(bytes: number): void {
    this.#kept += bytes;
  }

  /** What comes to be of something that was asked for: no room is asked for it. */
  unasked<T>(change: () => T): T {
    const before = this.#isUnasked;
    this.#isUnasked = true;
    try {
      return change();
    } finally {
      this.#isUnasked = before;
    }
  }

  #admit(more: number): void {
    const why = this.#isUnasked ? undefined : this.#room.refusal(this.#kept, more);
    if (why !== undefined) throw new ProconsulError('busy', why);
  }

  /** Calls as room comes, until it is cancelled. */
  listenForRoom(listener: () => void): Cancel {
    this.#refused.add(listener);
    return () => void this.#refused.delete(listener);
  }

  /** What is refused anew makes no room. */
  quietly(attempt: () => void): void {
    const before = this.#isOffering;
    this.#isOffering = true;
    try {
      attempt();
    } finally {
      this.#isOffering = before;
    }
  }

  /** Once for all that ends together. */
  #offer(): void {
    if (this.#refused.size === 0 || this.#isOffering || this.#isToOffer) return;
    this.#isToOffer = true;
    setImmediate(() => {
      this.#isToOffer = false;
      for (const listener of [...this.#refused]) listener();
    });
  }

  get size(): number {
    return this.#followed.size;
  }

  /** Why it would be one too many; `what`: undefined for what nobody has followed yet. */
  refusal(what: object | undefined): string | undefined {
    if (what !== undefined && this.#followed.has(what)) return undefined;
    return this.#followed.size < this.#most.followed ? undefined : TOO_MANY_QUESTIONS;
  }

  take(what: object): void {
    const times = this.#followed.get(what) ?? 0;
    if (times === 0) this.share(TAKES.question);
    this.#followed.set(what, times + 1);
  }

  giveBack(what: object): void {
    const left = (this.#followed.get(what) ?? 1) - 1;
    if (left > 0) this.#followed.set(what, left);
    else if (this.#followed.delete(what)) this.share(-TAKES.question);
    this.#offer();
  }
}

function tooMuch(what: string): ProconsulError {
  return new ProconsulError('busy', `clients of this address have ${what} already`);
}

function nameBytes(name: string): number {
  return TAKES.name + TAKES.nameLetter * name.length;
}

/** Throws 'busy' where none of them admits it. */
export function whoPays(accounts: Iterable<Account>, what: object | undefined): Account {
  let refusal = TOO_MANY_QUESTIONS;
  for (const account of accounts) {
    const why = account.refusal(what);
    if (why === undefined) return account;
    refusal = why;
  }
  throw new ProconsulError('busy', refusal);
}

/** By address, for as long as anybody is there. */
export class Accounts {
  readonly #most: Pick<Most, 'followed'> & Partial<Most>;
  readonly #room: Room;
  readonly #open = new Map<string, { readonly account: Account; members: number }>();

  constructor(most: Pick<Most, 'followed'> & Partial<Most>, room: Room) {
    this.#most = most;
    this.#room = room;
  }

  get size(): number {
    return this.#open.size;
  }

  enter(from: string): { readonly account: Account; readonly leave: () => void } {
    const address = networkOf(from);
    const account = this.#open.get(address)?.account ?? new Account(this.#most, this.#room);
    const open = this.#open.get(address) ?? { account, members: 0 };
    open.members++;
    this.#open.set(address, open);
    let isIn = true;
    const leave = () => {
      if (!isIn) return;
      isIn = false;
      if (--open.members === 0) this.#open.delete(address);
    };
    return { account, leave };
  }
}
