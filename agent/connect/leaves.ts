/**
 * Certificates of services, made when they are first asked for, kept with their keys in memory alone, and
 * made anew before they end or when another root signs: each at a moment of its own, so that a cluster's
 * do not all ask at once.
 */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { serviceUri } from '../../lib/connect/identity.ts';
import { generatePair, keyPem, readCertificate } from '../../lib/connect/keys.ts';
import type { CaRoots, Leaf } from '../../lib/connect/model.ts';
import { makeRequest } from '../../lib/connect/request.ts';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import { Waiters } from '../../lib/waiters.ts';
import type { Authority } from './authority.ts';

/** What nobody asked for in this time is not made anew; a sidecar asks all the time. */
const IDLE_MS = 3 * 24 * 3600_000;
/** Each has a key, a certificate and a timer. Beyond them the one that was used longest ago goes. */
const MAX_LEAVES = 10_000;
/** With names of DNS, of one service for one token: by texts without end others would lose theirs. */
const MAX_NAMED = 4;
/** The part of its life after which a certificate is made anew. */
const RENEW_FROM = 0.6;
const RENEW_TO = 0.9;
/** Of the spread after a change of the root: at once nobody asks, for all others would too. */
const SPREAD_FROM = 1 / 3;
const RETRY_MS = 1000;
/** One without the names of DNS that it is to have is made anew after so long, where somebody waits for that. */
const NAMELESS_MS = 60_000;
const MAX_RETRY_MS = 60_000;
/** A timer is not set for longer, for clocks are set. */
const MAX_LOOK_MS = 3600_000;

export interface LeavesOptions {
  readonly authority: Pick<Authority, 'sign'>;
  readonly roots: () => Promise<CaRoots>;
  readonly clock: Clock;
  readonly random: Pick<Random, 'next'>;
  readonly logger: Logger;
  readonly datacenter: string;
  readonly rootChangeSpreadMs: () => number;
}

export interface Whose {
  readonly service: string;
  readonly token: string;
  /** Of what an ingress gateway's entry says: with other names it is another certificate. '' for one without names. */
  readonly ingress: string;
}

interface Keeping extends Whose {
  readonly onEnd: () => void;
}

export interface FoundLeaf {
  readonly leaf: Required<Leaf>;
  readonly isHit: boolean;
  readonly ageMs: number;
}

export class Leaves {
  readonly #options: LeavesOptions;
  /** By whose they are; who was used longest ago first. */
  readonly #kept = new Map<string, KeptLeaf>();

  constructor(options: LeavesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#kept.size;
  }

  async get(whose: Whose): Promise<FoundLeaf> {
    const kept = this.#use(whose);
    const { current } = kept;
    if (current !== undefined) return { leaf: current, isHit: true, ageMs: kept.ageMs };
    return { leaf: await kept.make(), isHit: false, ageMs: 0 };
  }

  /** Once it is another than the one of this index, or the wait is over. */
  async after(
    whose: Whose,
    seenIndex: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<FoundLeaf> {
    const { clock } = this.#options;
    const deadline = clock.monotonic() + waitMs;
    let isHit = true;
    for (;;) {
      const found = await this.get(whose);
      const left = deadline - clock.monotonic();
      isHit &&= found.isHit;
      if (found.leaf.ModifyIndex !== seenIndex) return { ...found, isHit };
      if (left <= 0 || signal.aborted) return { ...found, isHit: false };
      await this.#use(whose).waiters.wait(left, signal);
    }
  }

  /** What another root has signed is to be made anew, in some time. */
  rootsChanged(roots: CaRoots): void {
    for (const kept of this.#kept.values()) kept.rootsChanged(roots.ActiveRootID);
  }

  stop(): void {
    for (const kept of this.#kept.values()) kept.stop();
    this.#kept.clear();
  }

  #use(whose: Whose): KeptLeaf {
    const { token, service, ingress } = whose;
    const name = JSON.stringify([token, service, ingress]);
    if (ingress !== '' && !this.#kept.has(name)) this.#makeRoom(whose);
    const forget = () => {
      if (this.#kept.get(name) === kept) this.#kept.delete(name);
    };
    const kept = this.#kept.get(name) ?? new KeptLeaf(this.#options, { ...whose, onEnd: forget });
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    kept.used();
    const [oldest] = this.#kept.values();
    if (this.#kept.size > MAX_LEAVES) oldest?.stop();
    return kept;
  }

  /** Throws 'busy' where somebody waits for each that there is: two would take each other's place for ever. */
  #makeRoom(whose: Whose): void {
    const named = [...this.#kept.values()].filter((each) => each.isNamedLike(whose));
    if (named.length < MAX_NAMED) return;
    const idle = named.find(({ waiters }) => waiters.size === 0);
    if (idle === undefined)
      throw new ProconsulError('busy', 'too many certificates of one gateway');
    idle.stop();
  }
}

class KeptLeaf {
  readonly #options: LeavesOptions;
  readonly #whose: Keeping;
  readonly waiters: Waiters;
  #leaf: Required<Leaf> | undefined;
  #root = '';
  #making: Promise<Required<Leaf>> | undefined;
  #cancel: Cancel = () => undefined;
  /** When it is to be made anew, by the clock that certificates are valid by. */
  #dueMs = 0;
  #madeMs = 0;
  #usedMs = 0;
  #failures = 0;
  /** It is to have some, and the entry names none yet, or the server is of a version that passes over that. */
  #lacksNames = false;
  #isOver = false;

  constructor(options: LeavesOptions, whose: Keeping) {
    this.#options = options;
    this.#whose = whose;
    this.waiters = new Waiters(options.clock);
  }

  /** Of that service and token, and with names. */
  isNamedLike({ service, token }: Whose): boolean {
    const own = this.#whose;
    return own.ingress !== '' && own.service === service && own.token === token;
  }

  /** Undefined where there is none that is valid. */
  get current(): Required<Leaf> | undefined {
    const isOver = Date.parse(this.#leaf?.ValidBefore ?? '') <= this.#options.clock.now();
    return isOver ? undefined : this.#leaf;
  }

  get ageMs(): number {
    return this.#options.clock.monotonic() - this.#madeMs;
  }

  used(): void {
    this.#usedMs = this.#options.clock.monotonic();
  }

  /** One at a time, whoever asks. */
  make(): Promise<Required<Leaf>> {
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  rootsChanged(activeRoot: string): void {
    if (this.#leaf === undefined || this.#root === activeRoot) return;
    const { clock, random, rootChangeSpreadMs } = this.#options;
    const share = SPREAD_FROM + random.next() * (1 - SPREAD_FROM);
    this.#dueMs = Math.min(this.#dueMs, clock.now() + share * rootChangeSpreadMs());
    this.#look();
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel();
    this.#whose.onEnd();
    this.waiters.wakeAll();
  }

  async #make(): Promise<Required<Leaf>> {
    const { authority, clock, datacenter } = this.#options;
    const { service, token, ingress } = this.#whose;
    try {
      const { TrustDomain: trustDomain, ActiveRootID, Roots } = await this.#options.roots();
      const uri = serviceUri({ trustDomain, namespace: 'default', datacenter, service });
      const pair = await generatePair(keyKindOf(Roots.find(({ Active }) => Active)));
      const csr = await makeRequest(pair, uri);
      const { SerialNumber, CertPEM, ...rest } = await authority.sign({
        ...{ csr, token },
        forIngress: ingress !== '',
      });
      const PrivateKeyPEM = keyPem(pair.privateKey);
      const leaf = { SerialNumber, CertPEM, ...rest, PrivateKeyPEM };
      this.#leaf = ordered(leaf);
      this.#root = ActiveRootID;
      this.#madeMs = clock.monotonic();
      this.#failures = 0;
      this.#lacksNames = ingress !== '' && !hasNames(CertPEM);
      this.#dueMs = this.#lacksNames ? clock.now() + NAMELESS_MS : this.#renewalOf(leaf);
      this.#look();
      this.waiters.wakeAll();
      return this.#leaf;
    } catch (error) {
      // Nobody waits for what never was, and whoever may not have it any more is not to keep it.
      if (this.#leaf === undefined || isRefusal(error)) this.stop();
      throw error;
    }
  }

  #renewalOf({ ValidAfter, ValidBefore }: Leaf): number {
    const from = Date.parse(ValidAfter);
    const life = Date.parse(ValidBefore) - from;
    const share = RENEW_FROM + this.#options.random.next() * (RENEW_TO - RENEW_FROM);
    return from + share * life;
  }

  #look(): void {
    this.#cancel();
    if (this.#isOver) return;
    const { clock } = this.#options;
    const left = Math.max(this.#dueMs - clock.now(), 0);
    this.#cancel = clock.after(Math.min(left, MAX_LOOK_MS), () => this.#renewIfDue());
  }

  #renewIfDue(): void {
    const { clock, logger } = this.#options;
    const idleMs = this.#lacksNames ? 0 : IDLE_MS;
    if (clock.monotonic() - this.#usedMs > idleMs && this.waiters.size === 0) this.stop();
    else if (clock.now() < this.#dueMs) this.#look();
    else {
      this.make().catch((error: unknown) => {
        const { service } = this.#whose;
        logger.warn(`connect: the certificate of "${service}" stays: ${describeChain(error)}`);
        this.#dueMs = clock.now() + Math.min(RETRY_MS * 2 ** this.#failures++, MAX_RETRY_MS);
        this.#look();
      });
    }
  }
}

/** A longer one takes seconds to make, and a minute beyond 8,192. */
const MAX_RSA_BITS = 4096;

/** As those of the root, as Consul makes them. */
function keyKindOf(root: CaRoots['Roots'][number] | undefined) {
  const bits = root?.PrivateKeyBits || undefined;
  if (root?.PrivateKeyType !== 'rsa') return { type: 'ec', bits: bits ?? 256 } as const;
  return { type: 'rsa', bits: Math.min(bits ?? 2048, MAX_RSA_BITS) } as const;
}

function hasNames(cert: string): boolean {
  return readCertificate(cert).subjectAltName?.includes('DNS:') ?? false;
}

function isRefusal(error: unknown): boolean {
  return error instanceof ProconsulError && error.code === 'forbidden';
}

/** As Consul writes it: the key behind the certificate. */
function ordered({ SerialNumber, CertPEM, PrivateKeyPEM, ...rest }: Required<Leaf>) {
  return { SerialNumber, CertPEM, PrivateKeyPEM, ...rest };
}
