/**
 * Who has things followed: of what all may ask for together, those of one address have half at most, so that there
 * is some left for the clients of others.
 */
import { ProconsulError } from '../lib/errors.ts';
import { ipBytes } from '../lib/ip.ts';

export class Account {
  readonly #most: number;
  /** What it has followed, and how often. */
  readonly #followed = new Map<object, number>();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#followed.size;
  }

  /** Whether it would not be one too many; undefined for what nobody has followed yet. */
  admits(what: object | undefined): boolean {
    return this.#followed.size < this.#most || (what !== undefined && this.#followed.has(what));
  }

  take(what: object): void {
    this.#followed.set(what, (this.#followed.get(what) ?? 0) + 1);
  }

  giveBack(what: object): void {
    const left = (this.#followed.get(what) ?? 1) - 1;
    if (left > 0) this.#followed.set(what, left);
    else this.#followed.delete(what);
  }
}

/** Bytes of an address of IPv6 that a network has from its provider: who is given it has all of the others in it. */
const NETWORK_BYTES = 8;
const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/** Whose an address is; what is none is its own. */
export function networkOf(address: string): string {
  const bytes = ipBytes(address.replace(/^\[|\]$/g, ''));
  const isMapped = bytes?.subarray(0, MAPPED.length).equals(MAPPED) === true;
  if (bytes?.length !== 16 || isMapped) return address;
  return `${bytes.subarray(0, NETWORK_BYTES).toString('hex')}/64`;
}

/** Throws 'busy' where none of them admits it. */
export function whoPays(accounts: Iterable<Account>, what: object | undefined): Account {
  for (const account of accounts) if (account.admits(what)) return account;
  const why = 'too many questions are followed for clients of this address';
  throw new ProconsulError('busy', why);
}

/** By address, for as long as anybody is there. */
export class Accounts {
  readonly #most: number;
  readonly #open = new Map<string, { readonly account: Account; members: number }>();

  constructor(most: number) {
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
