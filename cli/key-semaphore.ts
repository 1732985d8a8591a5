/**
 * A lock that several may hold at once, as Consul's clients take it: each contends by a key of its own that
 * its session holds, and those that have a place are written into one key, by CAS.
 */
import { ProconsulError } from '../lib/errors.ts';
import { decodeJson } from '../lib/json.ts';
import { type ApiClient, encodePath } from './api-client.ts';
import type { KvPair } from './commands/kv-get.ts';
import { type HeldLock, type LockOptions, LockSession, waitingFrom } from './lock-session.ts';

/** Marks the keys of a semaphore: every client of Consul writes this number. */
const SEMAPHORE_FLAGS = '16210313421097356768';
const FLAGS = ['flags', SEMAPHORE_FLAGS] as const;

export interface KeySemaphoreOptions extends LockOptions {
  readonly prefix: string;
  /** How many may hold it. */
  readonly limit: number;
}

/** What the key says that all of them share. */
interface Places {
  readonly Limit: number;
  /** By session. */
  readonly Holders: Readonly<Record<string, boolean>>;
}

export class KeySemaphore implements HeldLock {
  readonly #limit: number;
  readonly #folder: string;
  readonly #session: LockSession;
  #held = false;

  constructor(options: KeySemaphoreOptions) {
    this.#limit = options.limit;
    this.#folder = `/v1/kv/${encodePath(options.prefix)}/`;
    this.#session = new LockSession(options);
  }

  get lost(): AbortSignal {
    return this.#session.lost;
  }

  async acquire(timeoutMs: number): Promise<boolean> {
    // With its session goes the key by which it contends.
    this.#held = await this.#session.acquire(timeoutMs, { Behavior: 'delete' }, this);
    return this.#held;
  }

  async contend(api: ApiClient, stop: AbortSignal): Promise<boolean> {
    const query = [['acquire', this.#session.id] as const, FLAGS];
    const own = await api.send({ method: 'PUT', path: this.#folder + this.#session.id, query });
    if (own.json !== true) throw new ProconsulError('rejected', 'failed to make contender entry');
    let index = '0';
    while (!stop.aborted) {
      const seen = await this.#read(api, index);
      index = seen.index;
      if (seen.holders.size >= this.#limit) continue;
      seen.holders.add(this.#session.id);
      if (await this.#write(api, seen)) return true;
      // Somebody was faster: what is there now is looked at at once.
      index = '0';
    }
    return false;
  }

  async look(api: ApiClient, index: string) {
    const seen = await this.#read(api, index);
    return { holds: seen.holders.has(this.#session.id), index: seen.index };
  }

  async release(): Promise<boolean> {
    const api = await this.#session.close();
    if (api === undefined) return false;
    if (this.#held) {
      while (!(await this.#leave(api)));
    }
    await this.#session.destroy(api);
    return this.#held && (await this.#remove(api));
  }

  /** Whether it has no place any more. */
  async #leave(api: ApiClient): Promise<boolean> {
    const seen = await this.#read(api, '0');
    return !seen.holders.delete(this.#session.id) || (await this.#write(api, seen));
  }

  async #remove(api: ApiClient): Promise<boolean> {
    const seen = await this.#read(api, '0');
    if (seen.lock === undefined || seen.holders.size > 0) return false;
    const cas = [['cas', String(seen.lock.ModifyIndex)] as const];
    const path = `${this.#folder}.lock`;
    return (await api.send({ method: 'DELETE', path, query: cas })).json === true;
  }

  /** Those that have a place and live. */
  async #read(api: ApiClient, index: string) {
    const query = [['recurse', ''] as const, ...waitingFrom(index)];
    const answer = await api.send({ method: 'GET', path: this.#folder, query, accept: [404] });
    const pairs = answer.status === 404 ? [] : (answer.json as readonly KvPair[]);
    const lock = pairs.find(({ Key }) => Key.endsWith('/.lock'));
    const living = new Set(pairs.map(({ Session }) => Session).filter(Boolean));
    const held = Object.keys(lock === undefined ? {} : this.#placesOf(lock).Holders);
    const holders = new Set(held.filter((session) => living.has(session)));
    return { lock, holders, index: answer.index };
  }

  #placesOf({ Flags, Value }: KvPair): Places {
    if (String(Flags) !== SEMAPHORE_FLAGS) {
      throw new ProconsulError('rejected', 'Existing key does not match semaphore use');
    }
    const places = decodeJson(Buffer.from(Value ?? '', 'base64').toString()) as Places;
    if (places.Limit === this.#limit) return places;
    const limits = `(lock: ${places.Limit}, local: ${this.#limit})`;
    throw new ProconsulError('rejected', `semaphore limit conflict ${limits}`);
  }

  async #write(api: ApiClient, { lock, holders }: Seen): Promise<boolean> {
    const Holders = Object.fromEntries([...holders].map((session) => [session, true]));
    const written = await api.send({
      method: 'PUT',
      path: `${this.#folder}.lock`,
      query: [['cas', String(lock?.ModifyIndex ?? 0)], FLAGS],
      body: JSON.stringify({ Limit: this.#limit, Holders }),
    });
    return written.json === true;
  }
}

interface Seen {
  readonly lock: KvPair | undefined;
  readonly holders: ReadonlySet<string>;
}
