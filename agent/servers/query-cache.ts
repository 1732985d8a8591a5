/**
 * Answers `?cached` from memory. What is in use is kept fresh by a blocking query in the background,
 * so that a cached answer is about as new as any other.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Answer } from './shared-queries.ts';
import { withParams } from './targets.ts';

/** What nobody asked for in this time is dropped, and its blocking query with it. */
const IDLE_MS = 10 * 60_000;
/** Beyond it answers are not cached: each costs a connection. */
const MAX_ENTRIES = 1000;
const WAIT_MS = 5 * 60_000;
const RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;

/** Asks servers; `waitMs` is how long they may take. */
export type Fetch = (
  query: CachedQuery,
  target: string,
  waitMs: number,
  signal: AbortSignal,
) => Promise<Answer>;

export interface CachedQuery {
  /** Without what only concerns the cache. */
  readonly target: string;
  readonly token: string;
  /** An older answer is not good enough; Infinity for any. */
  readonly maxAgeMs: number;
}

export interface CachedAnswer {
  readonly answer: Answer;
  readonly hit: boolean;
  readonly ageMs: number;
}

interface Entry {
  answer: Answer;
  /** When a server last said that this is how it stands. */
  confirmed: number;
  used: number;
  readonly ended: AbortController;
}

export class QueryCache {
  readonly #clock: Clock;
  readonly #fetch: Fetch;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, fetch: Fetch) {
    this.#clock = clock;
    this.#fetch = fetch;
  }

  get size(): number {
    return this.#entries.size;
  }

  async get(query: CachedQuery, signal: AbortSignal): Promise<CachedAnswer> {
    const key = `${query.token}\n${query.target}`;
    const now = this.#clock.monotonic();
    const entry = this.#entries.get(key);
    if (entry !== undefined && now - entry.confirmed <= query.maxAgeMs) {
      entry.used = now;
      return { answer: entry.answer, hit: true, ageMs: now - entry.confirmed };
    }
    const answer = await this.#fetch(query, query.target, 0, signal);
    this.#keep(key, query, answer);
    return { answer, hit: false, ageMs: 0 };
  }

  stop(): void {
    for (const entry of this.#entries.values()) entry.ended.abort();
    this.#entries.clear();
  }

  #keep(key: string, query: CachedQuery, answer: Answer): void {
    if (answer.status !== 200 || indexOf(answer) === undefined) return;
    const now = this.#clock.monotonic();
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      entry.answer = answer;
      entry.confirmed = now;
      entry.used = now;
    } else if (this.#entries.size < MAX_ENTRIES) {
      const fresh: Entry = { answer, confirmed: now, used: now, ended: new AbortController() };
      this.#entries.set(key, fresh);
      void this.#refresh(key, query, fresh);
    }
  }

  /** Follows the answer until nobody uses it any more. */
  async #refresh(key: string, query: CachedQuery, entry: Entry): Promise<void> {
    const { signal } = entry.ended;
    let failures = 0;
    while (!signal.aborted && this.#clock.monotonic() - entry.used < IDLE_MS) {
      const wait = { index: indexOf(entry.answer) ?? '1', wait: `${WAIT_MS / 1000}s` };
      const target = withParams(query.target, wait);
      try {
        const answer = await this.#fetch(query, target, WAIT_MS, signal);
        if (answer.status !== 200) throw new Error(`status ${answer.status}`);
        entry.answer = answer;
        entry.confirmed = this.#clock.monotonic();
        failures = 0;
      } catch {
        // The answer only gets older, and says so in its Age.
        failures++;
        await this.#pause(Math.min(RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS), signal);
      }
    }
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, end);
      function end() {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      }
      signal.addEventListener('abort', end, { once: true });
    });
  }
}

function indexOf({ headers }: Answer): string | undefined {
  const index = headers['x-consul-index'];
  return typeof index === 'string' ? index : undefined;
}
