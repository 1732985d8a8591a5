/** A lock on a key as Consul's clients take it: others that lock the same key respect it. */
import { pause } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import { type ApiClient, encodePath } from './api-client.ts';
import type { KvPair } from './commands/kv-get.ts';
import {
  type HeldLock,
  inTime,
  type LockOptions,
  LockSession,
  waitingFrom,
} from './lock-session.ts';

/** Marks a key as a lock: every client of Consul writes this number. */
const LOCK_FLAGS = '3304740253564472344';
/** While the server keeps a lock back whose holder was lost (the lock-delay). */
const DELAYED_MS = 5000;
const FLAGS = ['flags', LOCK_FLAGS] as const;

export interface KeyLockOptions extends LockOptions {
  readonly key: string;
  /** What its session says beyond its name and TTL, as on what it rests. */
  readonly behavior?: object;
}

export class KeyLock implements HeldLock {
  readonly #options: KeyLockOptions;
  readonly #path: string;
  readonly #session: LockSession;
  #held = false;

  constructor(options: KeyLockOptions) {
    this.#options = options;
    this.#path = `/v1/kv/${encodePath(options.key)}`;
    this.#session = new LockSession(options);
  }

  get lost(): AbortSignal {
    return this.#session.lost;
  }

  /** That the key is held by; '' before there is one. */
  get session(): string {
    return this.#session.id;
  }

  async acquire(timeoutMs: number): Promise<boolean> {
    this.#held = await this.#session.acquire(timeoutMs, this.#options.behavior ?? {}, this);
    return this.#held;
  }

  async contend(_api: ApiClient, stop: AbortSignal): Promise<boolean> {
    const { clock, client } = this.#options;
    const asking = <T>(ask: (api: ApiClient) => Promise<T>) =>
      inTime(clock, stop, (either) => ask(client(either)));
    let index = '0';
    while (!stop.aborted) {
      const since = index;
      const seen = await asking((api) => this.#read(api, since));
      const free = !seen.pair?.Session;
      if (free && (await asking((api) => this.#take(api)))) return true;
      index = free ? '0' : seen.index;
      if (free) await pause(clock, DELAYED_MS, stop);
    }
    return false;
  }

  async look(api: ApiClient, index: string) {
    const seen = await this.#read(api, index);
    return { holds: seen.pair?.Session === this.#session.id, index: seen.index };
  }

  async release(): Promise<boolean> {
    const api = await this.#session.close();
    if (api === undefined) return false;
    const query = [['release', this.#session.id] as const, FLAGS];
    if (this.#held) await api.send({ method: 'PUT', path: this.#path, query });
    await this.#session.destroy(api);
    if (!this.#held) return false;
    const { pair } = await this.#read(api, '0');
    if (pair === undefined || pair.Session) return false;
    const cas = [['cas', String(pair.ModifyIndex)] as const];
    const removed = await api.send({ method: 'DELETE', path: this.#path, query: cas });
    return removed.json === true;
  }

  async #take(api: ApiClient): Promise<boolean> {
    const query = [['acquire', this.#session.id] as const, FLAGS];
    return (await api.send({ method: 'PUT', path: this.#path, query })).json === true;
  }

  async #read(api: ApiClient, index: string) {
    const query = waitingFrom(index);
    const answer = await api.send({ method: 'GET', path: this.#path, query, accept: [404] });
    const [pair] = answer.status === 404 ? [] : (answer.json as readonly KvPair[]);
    if (pair !== undefined && String(pair.Flags) !== LOCK_FLAGS) {
      throw new ProconsulError('rejected', 'Existing key does not match lock use');
    }
    return { pair, index: answer.index };
  }
}
