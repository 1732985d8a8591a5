/**
 * Who asks: from a token's secret to its rights, from the state. Rights are compiled once for all
 * tokens that come to the same, and who asked lately is known until anything of access control has
 * changed; even then it mostly comes to the same rights again, and whatever those stand for stays.
 */
import { ANONYMOUS_TOKEN } from '../../lib/acl/builtin.ts';
import { type DefaultPolicy, type RuleSet, rightsKey } from '../../lib/acl/compile-rights.ts';
import { ANONYMOUS_ACCESSOR_ID, ANONYMOUS_SECRET, type Token } from '../../lib/acl/model.ts';
import { refuseRoot, tokenNotFound } from '../../lib/acl/refusals.ts';
import type { ResolvedToken } from '../../lib/acl/resolving.ts';
import type { AccessControl, Caller, Rights, TokenFacts } from '../../lib/acl/rights.ts';
import { RightsCache } from '../../lib/acl/rights-cache.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Readiness } from '../readiness.ts';
import type { State } from '../state/state.ts';
import { ruleSetsOf } from './grants.ts';

/** Who was here longest ago is worked out anew when it asks again. */
const MAX_CALLERS = 10_000;
const MAX_RIGHTS_BYTES = 64 * 1024 * 1024;

/** Until a leader has put the anonymous token in: it has no rights either. */
const NOBODY: Token = {
  ...ANONYMOUS_TOKEN,
  createdAt: 0,
  expiresAt: 0,
  CreateIndex: 0,
  ModifyIndex: 0,
};

export interface ResolverDeps {
  readonly state: () => State;
  readonly readiness: Pick<Readiness, 'ready'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly datacenter: string;
  readonly defaultPolicy: DefaultPolicy;
  /** acl.report_filtered. */
  readonly reportsFiltered: boolean;
}

export class Resolver implements AccessControl {
  readonly #deps: ResolverDeps;
  /** By secret, the oldest first. */
  readonly #callers = new Map<string, Caller>();
  readonly #rights: RightsCache;

  constructor(deps: ResolverDeps) {
    this.#deps = deps;
    const onEvict = () => this.#callers.clear();
    const { defaultPolicy } = deps;
    this.#rights = new RightsCache({ maxBytes: MAX_RIGHTS_BYTES, defaultPolicy, onEvict });
  }

  get reportsFiltered(): boolean {
    return this.#deps.reportsFiltered;
  }

  callerOf(token: string): Caller | Promise<Caller> {
    const secret = token === '' ? ANONYMOUS_SECRET : token;
    const known = this.#callers.get(secret);
    if (known?.stands() === true) return known;
    return this.#find(secret) ?? this.#findLater(secret);
  }

  /** What an agent asks, which has no state: who the token is, and by which rules. */
  async resolve(token: string, known: string): Promise<ResolvedToken> {
    const secret = token === '' ? ANONYMOUS_SECRET : token;
    // Throws where nobody knows it.
    await this.callerOf(token);
    const look = this.look(secret);
    if (look === undefined) throw tokenNotFound();
    const { row, key, sets } = look;
    const { AccessorID, Description, createdAt: CreatedAt, expiresAt: ExpiresAt } = row;
    const said = { AccessorID, ExpiresAt, Description, CreatedAt, Digest: key };
    return key === known ? said : { ...said, Rules: sets };
  }

  /** What a token comes to now; undefined where it is unknown, or has expired. */
  look(secret: string): Look | undefined {
    const { state, clock, datacenter, defaultPolicy } = this.#deps;
    const now = state();
    const row = now.acl.tokens.get(secret) ?? (secret === ANONYMOUS_SECRET ? NOBODY : undefined);
    if (row === undefined || isExpired(row, now, clock)) return undefined;
    const sets = ruleSetsOf(now.acl, row, datacenter);
    const key = rightsKey(sets, defaultPolicy);
    return { row, sets, key, state: now, changes: now.acl.changes };
  }

  /** Whether nothing of access control has changed since, and the token has not expired. */
  isCurrent({ row, state, changes }: Look): boolean {
    const now = this.#deps.state();
    if (now !== state || now.acl.changes !== changes) return false;
    return row.expiresAt === 0 || !isExpired(row, now, this.#deps.clock);
  }

  #find(secret: string): Caller | Promise<Caller> | undefined {
    refuseRoot(secret);
    const look = this.look(secret);
    if (look === undefined) {
      this.#callers.delete(secret);
      return undefined;
    }
    const rights = this.#rights.of(look.key, look.sets);
    return rights instanceof Promise
      ? rights.then((found) => this.#still(secret, this.#known(secret, look, found)))
      : this.#known(secret, look, rights);
  }

  #known(secret: string, look: Look, rights: Rights): Caller {
    const caller = new TokenCaller(this, look, rights);
    this.#keep(secret, caller);
    return caller;
  }

  /** It took a while: he may be another by now. */
  #still(secret: string, caller: Caller): Caller | Promise<Caller> {
    return caller.stands() ? caller : this.callerOf(secret);
  }

  #keep(secret: string, caller: Caller): void {
    this.#callers.delete(secret);
    this.#callers.set(secret, caller);
    const [oldest] = this.#callers.keys();
    if (this.#callers.size > MAX_CALLERS && oldest !== undefined) this.#callers.delete(oldest);
  }

  /** It may have been made just now, by another server. */
  async #findLater(secret: string): Promise<Caller> {
    await this.#deps.readiness.ready('leader');
    return this.#find(secret) ?? Promise.reject(tokenNotFound());
  }
}

/** What is known of a token, and as of when. */
interface Look {
  readonly row: Token;
  readonly sets: readonly RuleSet[];
  /** Of the rights that these come to. */
  readonly key: string;
  readonly state: State;
  readonly changes: number;
}

class TokenCaller implements Caller {
  readonly rights: Rights;
  readonly accessorId: string;
  readonly hearsOfHidden: boolean;
  readonly token: TokenFacts;
  readonly #resolver: Resolver;
  #look: Look;

  constructor(resolver: Resolver, look: Look, rights: Rights) {
    this.rights = rights;
    this.accessorId = look.row.AccessorID;
    this.hearsOfHidden = resolver.reportsFiltered && this.accessorId !== ANONYMOUS_ACCESSOR_ID;
    const { Description: description, createdAt, expiresAt } = look.row;
    this.token = { description, createdAt, expiresAt };
    this.#resolver = resolver;
    this.#look = look;
  }

  stands(): boolean {
    if (this.#resolver.isCurrent(this.#look)) return true;
    const look = this.#resolver.look(this.#look.row.SecretID);
    if (look === undefined || look.row.AccessorID !== this.accessorId) return false;
    if (look.key !== this.rights.key) return false;
    this.#look = look;
    return true;
  }
}

/** By the later of two clocks: a server whose own is slow must not let in who was to be out. */
function isExpired({ expiresAt }: Token, { t }: State, clock: Pick<Clock, 'now'>): boolean {
  return expiresAt !== 0 && Math.max(clock.now(), t) >= expiresAt;
}
