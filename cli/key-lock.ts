/** A lock on a key as Consul's clients take it: others that lock the same key respect it. */
import { type Cancel, type Clock, pause } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import { type ApiClient, encodePath } from './api-client.ts';
import type { KvPair } from './commands/kv-get.ts';

/** Marks a key as a lock: every client of Consul writes this number. */
const LOCK_FLAGS = '3304740253564472344';
const SESSION_TTL_MS = 15_000;
/** One look at the key while it is held by someone. */
const LOOK_MS = 15_000;
/** While the server keeps a lock back whose holder was lost (the lock-delay). */
const DELAYED_MS = 5000;
const MONITOR_RETRY_MS = 1000;
/** To let go takes no longer, even of a server that hangs: the session ends by itself. */
const RELEASE_MS = 10_000;

export interface KeyLockOptions {
  readonly key: string;
  readonly sessionName: string;
  /** How often a failed look is tried again before the lock counts as lost. */
  readonly monitorRetries: number;
  readonly clock: Clock;
  readonly client: (signal: AbortSignal) => ApiClient;
  /** Ends the waiting for the lock. It does not let go of it. */
  readonly signal: AbortSignal;
}

export class KeyLock {
  readonly #options: KeyLockOptions;
  readonly #path: string;
  readonly #ended = new AbortController();
  readonly #lost = new AbortController();
  #session = '';
  #held = false;
  #cancelRenewal: Cancel = () => undefined;

  constructor(options: KeyLockOptions) {
    this.#options = options;
    this.#path = `/v1/kv/${encodePath(options.key)}`;
  }

  /** Aborted when somebody else may hold it by now. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether it was acquired in time; 0 waits as long as it takes. Call `release` in any case. */
  async acquire(timeoutMs: number): Promise<boolean> {
    const { client, signal } = this.#options;
    const late = timeoutMs === 0 ? [] : [AbortSignal.timeout(Math.ceil(timeoutMs))];
    const stop = AbortSignal.any([signal, this.#ended.signal, ...late]);
    try {
      const waiting = client(stop);
      await this.#open(waiting);
      this.#held = await this.#contend(waiting, stop);
    } catch (error) {
      // Else the request that was under way was cut off on purpose.
      if (!stop.aborted) throw error;
    }
    // Not ended by that signal: the lock is watched for as long as its holder runs.
    if (this.#held) void this.#monitor(client(this.#ended.signal));
    return this.#held;
  }

  async #contend(api: ApiClient, stop: AbortSignal): Promise<boolean> {
    let index = '0';
    while (!stop.aborted) {
      const seen = await this.#look(api, index);
      const free = !seen.pair?.Session;
      if (free && (await this.#take(api))) return true;
      index = free ? '0' : seen.index;
      if (free) await pause(this.#options.clock, DELAYED_MS, stop);
    }
    return false;
  }

  /** Safe to call twice. Whether the key was taken away too, as nobody else holds it. */
  async release(): Promise<boolean> {
    if (this.#ended.signal.aborted) return false;
    this.#ended.abort();
    this.#cancelRenewal();
    if (this.#session === '') return false;
    const api = this.#options.client(AbortSignal.timeout(RELEASE_MS));
    const query = [['release', this.#session] as const, FLAGS];
    if (this.#held) await api.send({ method: 'PUT', path: this.#path, query });
    await api.send({ method: 'PUT', path: `/v1/session/destroy/${this.#session}` });
    if (!this.#held) return false;
    const { pair } = await this.#look(api, '0');
    if (pair === undefined || pair.Session) return false;
    const cas = [['cas', String(pair.ModifyIndex)] as const];
    const removed = await api.send({ method: 'DELETE', path: this.#path, query: cas });
    return removed.json === true;
  }

  async #open(api: ApiClient): Promise<void> {
    const body = JSON.stringify({ Name: this.#options.sessionName, TTL: `${SESSION_TTL_MS}ms` });
    const answer = await api.send({ method: 'PUT', path: '/v1/session/create', body });
    this.#session = (answer.json as { readonly ID: string }).ID;
    this.#renewLater(this.#options.client(this.#ended.signal));
  }

  /** A renewal that fails is tried again at the next turn; whether it was too late, #monitor sees. */
  #renewLater(api: ApiClient): void {
    const path = `/v1/session/renew/${this.#session}`;
    this.#cancelRenewal = this.#options.clock.after(SESSION_TTL_MS / 2, () => {
      void api
        .send({ method: 'PUT', path })
        .catch(() => undefined)
        .then(() => {
          if (!this.#ended.signal.aborted) this.#renewLater(api);
        });
    });
  }

  async #take(api: ApiClient): Promise<boolean> {
    const query = [['acquire', this.#session] as const, FLAGS];
    return (await api.send({ method: 'PUT', path: this.#path, query })).json === true;
  }

  async #look(api: ApiClient, index: string) {
    const wait = `${LOOK_MS}ms`;
    const since =
      index === '0'
        ? []
        : ([
            ['index', index],
            ['wait', wait],
          ] as const);
    const query = [['consistent', ''] as const, ...since];
    const answer = await api.send({ method: 'GET', path: this.#path, query, accept: [404] });
    const [pair] = answer.status === 404 ? [] : (answer.json as readonly KvPair[]);
    if (pair !== undefined && String(pair.Flags) !== LOCK_FLAGS) {
      throw new ProconsulError('rejected', 'Existing key does not match lock use');
    }
    return { pair, index: answer.index };
  }

  async #monitor(api: ApiClient): Promise<void> {
    const { clock, monitorRetries } = this.#options;
    let index = '0';
    let failures = 0;
    while (!this.#ended.signal.aborted && failures <= monitorRetries) {
      try {
        const seen = await this.#look(api, index);
        if (seen.pair?.Session !== this.#session) break;
        index = seen.index;
        failures = 0;
      } catch {
        // Who holds the lock is not known now: a few looks more, and then it counts as lost.
        failures++;
        await pause(clock, MONITOR_RETRY_MS, this.#ended.signal);
      }
    }
    if (!this.#ended.signal.aborted) this.#lost.abort();
  }
}

const FLAGS = ['flags', LOCK_FLAGS] as const;
