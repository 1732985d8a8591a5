/**
 * Who has things followed, and made: of what all may ask for together, those of one address have half at most, so that there
 * is some left for the clients of others. What is made of no question at all counts too.
 */
import type { Cancel } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import { networkOf } from '../lib/ip.ts';

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

export class Account {
  readonly #most: Most;
  /** What it has followed, and how often. */
  readonly #followed = new Map<object, number>();
  #made = 0;
  #named = 0;
  #subscribed = 0;
  /** Whoever was refused something that is asked for still. */
  readonly #refused = new Set<() => void>();
  #isOffering = false;
  #isToOffer = false;
  /** The names of each thing that has several, and how many resources have each. */
  readonly #of = new Map<string, Map<string, number>>();

  constructor(most: Pick<Most, 'followed'> & Partial<Most>) {
    this.#most = { made: MADE, named: NAMED, subscribed: SUBSCRIBED, ...most };
  }

  /** Of a resource that nobody on it has yet. Throws 'busy' where that is one too many. */
  make(of: NameOf | undefined): void {
    const { made, named } = this.#most;
    if (this.#made >= made) throw tooMuch(`${made} resources`);
    if (of !== undefined) {
      const names = this.#of.get(of.what) ?? new Map<string, number>();
      const there = names.get(of.name) ?? 0;
      if (there === 0 && this.#named >= named) throw tooMuch(`${named} names`);
      if (there === 0 && names.size >= NAMES) throw tooMuch(`${names.size} names of the same`);
      if (there === 0) this.#named++;
      this.#of.set(of.what, names.set(of.name, there + 1));
    }
    this.#made++;
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

  /** Throws 'busy' where it is one too many. */
  subscribe(): void {
    if (this.#subscribed >= this.#most.subscribed)
      throw tooMuch(`${this.#subscribed} subscriptions`);
    this.#subscribed++;
  }

  unsubscribe(): void {
    this.#subscribed--;
    this.#offer();
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

  /** Whether it would not be one too many; undefined for what nobody has followed yet. */
  admits(what: object | undefined): boolean {
    return (
      this.#followed.size < this.#most.followed || (what !== undefined && this.#followed.has(what))
    );
  }

  take(what: object): void {
    this.#followed.set(what, (this.#followed.get(what) ?? 0) + 1);
  }

  giveBack(what: object): void {
    const left = (this.#followed.get(what) ?? 1) - 1;
    if (left > 0) this.#followed.set(what, left);
    else this.#followed.delete(what);
    this.#offer();
  }
}

function tooMuch(what: string): ProconsulError {
  return new ProconsulError('busy', `clients of this address have ${what} already`);
}

/** Throws 'busy' where none of them admits it. */
export function whoPays(accounts: Iterable<Account>, what: object | undefined): Account {
  for (const account of accounts) if (account.admits(what)) return account;
  const why = 'too many questions are followed for clients of this address';
  throw new ProconsulError('busy', why);
}

/** By address, for as long as anybody is there. */
export class Accounts {
  readonly #most: Pick<Most, 'followed'> & Partial<Most>;
  readonly #open = new Map<string, { readonly account: Account; members: number }>();

  constructor(most: Pick<Most, 'followed'> & Partial<Most>) {
    this.#most = most;
  }

  get size(): number {
    return this.#open.size;
  }

  enter(from: string): { readonly account: Account; readonly leave: () => void } {
    const address = networkOf(from);
    const open = this.#open.get(address) ?? { account: new Account(this.#most), members: 0 };
    open.members++;
    this.#open.set(address, open);
    let isIn = true;
    const leave = () => {
      if (!isIn) return;
      isIn = false;
      if (--open.members === 0) this.#open.delete(address);
    };
    return { account: open.account, leave };
  }
}
