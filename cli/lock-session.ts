/** The session that a lock is held by: renewed while it is open, and watched for whether it still holds. */
import { type Cancel, type Clock, pause } from '../lib/clock.ts';
import { within } from '../lib/within.ts';
import type { ApiClient } from './api-client.ts';

const TTL_MS = 15_000;
/** For a server that hangs: the next renewal may come to another. */
const RENEW_MS = TTL_MS / 3;
const MONITOR_RETRY_MS = 1000;
/** To let go takes no longer, even of a server that hangs: the session ends by itself. */
const RELEASE_MS = 10_000;
/** A session that is being opened when it is to be closed may come yet. */
const COMING_MS = 2000;
/** One look at what is held by someone. */
const LOOK_MS = 15_000;
/** Longer than a server makes anybody wait for one, jitter and all: then it is gone, though its socket is not. */
const MAX_LOOK_MS = 20_000;

export interface LockOptions {
  readonly sessionName: string;
  /** How often a failed look is tried again before the lock counts as lost. */
  readonly monitorRetries: number;
  readonly clock: Clock;
  readonly client: (signal: AbortSignal) => ApiClient;
  /** Ends the waiting for the lock. It does not let go of it. */
  readonly signal: AbortSignal;
}

/** What a command locks by. */
export interface HeldLock {
  /** Aborted when somebody else may hold it by now. */
  readonly lost: AbortSignal;
  /** Whether it was acquired in time; 0 waits as long as it takes. Call `release` in any case. */
  acquire(timeoutMs: number): Promise<boolean>;
  /** Safe to call twice. Whether nothing of it is left, as nobody else uses it. */
  release(): Promise<boolean>;
}

/** What is seen of a lock, and the index to wait by for another look. */
export interface Look {
  readonly holds: boolean;
  readonly index: string;
}

export class LockSession {
  readonly #options: LockOptions;
  readonly #ended = new AbortController();
  readonly #lost = new AbortController();
  #cancelRenewal: Cancel = () => undefined;
  /** Rejects where none comes. */
  #opening: Promise<void> = Promise.resolve();
  id = '';

  constructor(options: LockOptions) {
    this.#options = options;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Opens it, and contends until it holds, is told to stop, or it is too late; from then on it is watched
   * for as long as it is open.
   */
  async acquire(timeoutMs: number, behavior: object, lock: Contended): Promise<boolean> {
    const { client, signal } = this.#options;
    const late = timeoutMs === 0 ? [] : [AbortSignal.timeout(Math.ceil(timeoutMs))];
    const stop = AbortSignal.any([signal, this.#ended.signal, ...late]);
    let holds = false;
    if (stop.aborted) return false;
    try {
      // Not cut off where it is too late: the server would have a session of which nobody knows.
      this.#opening = this.#open(behavior);
      await Promise.race([this.#opening, stopped(stop)]);
      holds = !stop.aborted && (await lock.contend(client(stop), stop));
    } catch (error) {
      // Else the request that was under way was cut off on purpose.
      if (!stop.aborted) throw error;
    }
    // Not ended by that signal: the lock is watched for as long as its holder runs.
    if (holds) void this.#monitor(lock);
    return holds;
  }

  /** Undefined where it is closed already, or never was open; else what is to be done in its stead. */
  async close(): Promise<ApiClient | undefined> {
    if (this.#ended.signal.aborted) return undefined;
    this.#ended.abort();
    this.#cancelRenewal();
    const hasCome = new AbortController();
    const coming = pause(this.#options.clock, COMING_MS, hasCome.signal);
    await Promise.race([this.#opening.catch(() => undefined), coming]);
    hasCome.abort();
    return this.id === '' ? undefined : this.#options.client(AbortSignal.timeout(RELEASE_MS));
  }

  async destroy(api: ApiClient): Promise<void> {
    await api.send({ method: 'PUT', path: `/v1/session/destroy/${this.id}` });
  }

  async #open(behavior: object): Promise<void> {
    const { sessionName: Name, client, clock } = this.#options;
    const body = JSON.stringify({ Name, TTL: `${TTL_MS}ms`, ...behavior });
    const answer = await inTime(clock, NEVER, (either) =>
      client(either).send({ method: 'PUT', path: '/v1/session/create', body }),
    );
    this.id = (answer.json as { readonly ID: string }).ID;
    if (!this.#ended.signal.aborted) this.#renewLater();
  }

  /** A renewal that fails is tried again at the next turn; whether it was too late, #monitor sees. */
  #renewLater(): void {
    const { client, clock } = this.#options;
    const path = `/v1/session/renew/${this.id}`;
    const renew = (either: AbortSignal) => client(either).send({ method: 'PUT', path });
    this.#cancelRenewal = clock.after(TTL_MS / 2, () => {
      void within(clock, RENEW_MS, this.#ended.signal, renew)
        .catch(() => undefined)
        .then(() => {
          if (!this.#ended.signal.aborted) this.#renewLater();
        });
    });
  }

  async #monitor(lock: Contended): Promise<void> {
    const { client, clock, monitorRetries } = this.#options;
    let index = '0';
    let failures = 0;
    while (!this.#ended.signal.aborted && failures <= monitorRetries) {
      try {
        const seen = await inTime(clock, this.#ended.signal, (either) =>
          lock.look(client(either), index),
        );
        if (!seen.holds) break;
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

const NEVER = new AbortController().signal;

async function stopped(signal: AbortSignal): Promise<void> {
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

/** What is contended for. */
export interface Contended {
  contend(api: ApiClient, stop: AbortSignal): Promise<boolean>;
  look(api: ApiClient, index: string): Promise<Look>;
}

/** Rejects where no answer comes for longer than any may take. */
export function inTime<T>(
  clock: Clock,
  signal: AbortSignal,
  asking: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return within(clock, MAX_LOOK_MS, signal, asking);
}

/** The query of a look that waits until something is otherwise than at the index. */
export function waitingFrom(index: string): (readonly [string, string])[] {
  const since = [
    ['index', index],
    ['wait', `${LOOK_MS}ms`],
  ] as const;
  return [['consistent', ''], ...(index === '0' ? [] : since)];
}
