/**
 * Who asks, where the servers have to be asked for it. What they say is good for a while; once none
 * of them can be asked, `acl.down_policy` says what counts. Whoever sends tokens that nobody knows
 * takes room and requests from others like him alone, and from those at his own address first.
 */
import { compileRights, type DefaultPolicy } from '../../lib/acl/compile-rights.ts';
import { ANONYMOUS_ACCESSOR_ID } from '../../lib/acl/model.ts';
import { refuseRoot, tokenNotFound } from '../../lib/acl/refusals.ts';
import type { ResolvedToken } from '../../lib/acl/resolving.ts';
import type { AccessControl, Caller, Rights, TokenFacts } from '../../lib/acl/rights.ts';
import { RightsCache } from '../../lib/acl/rights-cache.ts';
import type { Clock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { Places } from './places.ts';

export type DownPolicy = 'allow' | 'deny' | 'extend-cache' | 'async-cache';

export interface RemotePolicy {
  readonly defaultPolicy: DefaultPolicy;
  readonly downPolicy: DownPolicy;
  readonly reportsFiltered: boolean;
  /** How long what a server has said is good. */
  readonly ttlMs: number;
}

export interface RemoteAccessOptions {
  /** Undefined where nobody knows the token. Rejects where no server could be asked. */
  readonly ask: (token: string, known: string) => Promise<ResolvedToken | undefined>;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly policy: RemotePolicy;
}

/** Who was here longest ago is asked about again. */
const MAX_KNOWN = 10_000;
const MAX_UNKNOWN = 10_000;
const MAX_RIGHTS_BYTES = 32 * 1024 * 1024;

/** A token that nobody knows may be made at any moment, and is then to be let in soon. */
const UNKNOWN_MS = { least: 1000, most: 5000 };
/** So long the servers are left alone after none of them could be asked about a token. */
const DOWN_MS = 2000;

/** How many tokens are asked about at once that were never known here, and by how many addresses. */
const STRANGERS = { all: 64, perAddress: 8 };
const KNOWN = { all: 256, perAddress: 256 };

export class RemoteAccess implements AccessControl {
  readonly #options: RemoteAccessOptions;
  /** By token, the oldest first. */
  readonly #known = new Map<string, KnownCaller>();
  /** Until when a token counts as unknown. */
  readonly #unknown = new Map<string, number>();
  readonly #asking = new Map<string, Promise<Caller>>();
  readonly #rights: RightsCache;
  readonly #placesForStrangers = new Places(STRANGERS);
  readonly #placesForKnown = new Places(KNOWN);

  constructor(options: RemoteAccessOptions) {
    this.#options = options;
    const onEvict = () => this.#known.clear();
    const { defaultPolicy } = options.policy;
    this.#rights = new RightsCache({ maxBytes: MAX_RIGHTS_BYTES, defaultPolicy, onEvict });
  }

  callerOf(token: string, from = ''): Caller | Promise<Caller> {
    refuseRoot(token);
    const { clock, policy } = this.#options;
    const known = this.#known.get(token);
    if (known?.stands() === true) return known;
    const now = clock.monotonic();
    if ((this.#unknown.get(token) ?? now) > now) throw tokenNotFound();
    const asked = this.#asking.get(token) ?? this.#ask(token, from, known);
    const isWaited = known === undefined || known.isExpired || known.isDoubted;
    if (policy.downPolicy !== 'async-cache' || isWaited) return asked;
    asked.catch(() => undefined);
    return known;
  }

  /** A server says that nobody knows it: whatever was heard of it before, one is asked anew. */
  doubt(token: string): void {
    this.#known.get(token)?.doubt();
  }

  /** How many tokens are remembered, and asked about. */
  get load(): { readonly known: number; readonly unknown: number; readonly asking: number } {
    return { known: this.#known.size, unknown: this.#unknown.size, asking: this.#asking.size };
  }

  /** Once for all who ask with this token meanwhile. */
  #ask(token: string, from: string, known: KnownCaller | undefined): Promise<Caller> {
    const places = known === undefined ? this.#placesForStrangers : this.#placesForKnown;
    const release = places.take(from);
    const asked = (release === undefined ? Promise.reject(tooMany()) : this.#found(token, known))
      .catch((error: unknown) => this.#withoutServers(token, known, error))
      .finally(() => {
        release?.();
        this.#asking.delete(token);
      });
    this.#asking.set(token, asked);
    return asked;
  }

  async #found(token: string, known: KnownCaller | undefined): Promise<Caller> {
    const { ask, clock, policy } = this.#options;
    const answer = await ask(token, known?.digest ?? '');
    if (answer === undefined) {
      this.#known.delete(token);
      const ms = Math.min(Math.max(policy.ttlMs, UNKNOWN_MS.least), UNKNOWN_MS.most);
      keep(this.#unknown, token, clock.monotonic() + ms, MAX_UNKNOWN);
      throw tokenNotFound();
    }
    const rights = await this.#rightsOf(answer, known);
    const caller = new KnownCaller(clock, {
      accessorId: answer.AccessorID,
      hearsOfHidden: policy.reportsFiltered && answer.AccessorID !== ANONYMOUS_ACCESSOR_ID,
      token: factsOf(answer),
      digest: answer.Digest,
      rights,
      until: clock.monotonic() + policy.ttlMs,
    });
    this.#unknown.delete(token);
    keep(this.#known, token, caller, MAX_KNOWN);
    return caller;
  }

  #rightsOf(
    { Digest, Rules }: ResolvedToken,
    known: KnownCaller | undefined,
  ): Rights | Promise<Rights> {
    if (Rules === undefined) {
      if (known?.digest === Digest) return known.rights;
      throw new ProconsulError('unavailable', 'what answers is no server');
    }
    return this.#rights.of(Digest, Rules);
  }

  /** What counts where nobody can say. A refusal stands, and so does that too much is asked. */
  #withoutServers(token: string, known: KnownCaller | undefined, error: unknown): Caller {
    if (!(error instanceof ProconsulError) || error.code !== 'unavailable') throw error;
    const { clock, policy } = this.#options;
    const { downPolicy } = policy;
    if (downPolicy === 'allow' || downPolicy === 'deny') return without(downPolicy);
    if (known === undefined) return without('deny');
    if (known.isExpired || known.isDoubted) throw tokenNotFound();
    known.believeUntil(clock.monotonic() + DOWN_MS);
    keep(this.#known, token, known, MAX_KNOWN);
    return known;
  }
}

interface Look {
  readonly accessorId: string;
  readonly hearsOfHidden: boolean;
  readonly token: TokenFacts;
  readonly digest: string;
  readonly rights: Rights;
  readonly until: number;
}

class KnownCaller implements Caller {
  readonly rights: Rights;
  readonly token: TokenFacts;
  readonly accessorId: string;
  readonly hearsOfHidden: boolean;
  readonly digest: string;
  readonly #clock: RemoteAccessOptions['clock'];
  #until: number;
  /** A server has said that nobody knows it. */
  isDoubted = false;

  constructor(clock: RemoteAccessOptions['clock'], look: Look) {
    this.rights = look.rights;
    this.accessorId = look.accessorId;
    this.hearsOfHidden = look.hearsOfHidden;
    this.digest = look.digest;
    this.#clock = clock;
    this.token = look.token;
    this.#until = look.until;
  }

  get isExpired(): boolean {
    const { expiresAt } = this.token;
    return expiresAt !== 0 && this.#clock.now() >= expiresAt;
  }

  stands(): boolean {
    return !this.isDoubted && this.#clock.monotonic() < this.#until && !this.isExpired;
  }

  believeUntil(until: number): void {
    this.#until = until;
  }

  doubt(): void {
    this.isDoubted = true;
  }
}

/** An older server says nothing of the first two. */
function factsOf({ Description = '', CreatedAt = 0, ExpiresAt }: ResolvedToken): TokenFacts {
  return { description: Description, createdAt: CreatedAt, expiresAt: ExpiresAt };
}

/** Good for this one request: the next one may find a server. */
function without(policy: DefaultPolicy): Caller {
  const rights = compileRights([], policy);
  return { rights, accessorId: '', hearsOfHidden: false, stands: () => false };
}

function tooMany(): ProconsulError {
  return new ProconsulError('busy', 'Too many requests: too many tokens are being looked up');
}

/** What is new goes to the end; the first has to make room. */
function keep<V>(map: Map<string, V>, key: string, value: V, max: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}
