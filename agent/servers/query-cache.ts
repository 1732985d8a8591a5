/**
 * Answers `?cached` from memory. What is in use is kept fresh by a blocking query in the background,
 * so that a cached answer is about as new as any other.
 */
import { ByteCache, type Kept } from '../../lib/byte-cache.ts';
import { type Clock, pause } from '../../lib/clock.ts';
import type { ServerAnswer } from './answer.ts';
import { withParams } from './targets.ts';

/** What nobody asked for in this time is dropped, and its blocking query with it. */
const IDLE_MS = 10 * 60_000;
/** Each has a blocking query under way; beyond it answers are not kept. */
const MAX_FOLLOWED = 1000;
const MAX_BYTES = 64 * 1024 * 1024;
/** Beside the body: headers, and a request under way with its socket's buffers. */
const BYTES_EACH = 24 * 1024;
const WAIT_MS = 5 * 60_000;
const RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;

/** Asks a server, which may hold its answer back for `waitMs`. */
export type Fetch = (query: Asked, waitMs: number, signal: AbortSignal) => Promise<ServerAnswer>;

export interface Asked {
  /** Without what only concerns the cache. */
  readonly target: string;
  readonly token: string;
  /** The address of who asks; none where an answer is kept fresh for all. */
  readonly client?: string;
}

export interface CachedQuery extends Asked {
  /** An older answer is not good enough; Infinity for any. */
  readonly maxAgeMs: number;
}

export interface CachedAnswer {
  readonly answer: ServerAnswer;
  readonly hit: boolean;
  readonly ageMs: number;
}

/** An answer that is followed. */
interface KeptAnswer {
  answer: ServerAnswer;
  /** When a server last said that this is how it stands. */
  confirmedMs: number;
  usedMs: number;
  readonly ended: AbortController;
}

export class QueryCache {
  readonly #clock: Clock;
  readonly #fetch: Fetch;
  readonly #kept = new ByteCache<string, KeptAnswer>({
    maxBytes: MAX_BYTES,
    onEvict: ({ ended }) => ended.abort(),
  });

  constructor(clock: Clock, fetch: Fetch) {
    this.#clock = clock;
    this.#fetch = fetch;
  }

  get size(): number {
    return this.#kept.size;
  }

  async get(query: CachedQuery, signal: AbortSignal): Promise<CachedAnswer> {
    const known = this.use(query);
    if (known !== undefined) return known;
    const answer = await this.#fetch(query, 0, signal);
    this.#keep(keyOf(query), query, answer);
    return { answer, hit: false, ageMs: 0 };
  }

  /** What is there, if it is new enough. */
  use(query: CachedQuery): CachedAnswer | undefined {
    const now = this.#clock.monotonic();
    const followed = this.#kept.get(keyOf(query))?.value;
    if (followed === undefined || now - followed.confirmedMs > query.maxAgeMs) return undefined;
    followed.usedMs = now;
    return { answer: followed.answer, hit: true, ageMs: now - followed.confirmedMs };
  }

  stop(): void {
    for (const { ended } of this.#kept.values()) ended.abort();
    this.#kept.clear();
  }

  #keep(key: string, query: CachedQuery, answer: ServerAnswer): void {
    if (answer.status !== 200 || indexOf(answer) === undefined) return;
    const now = this.#clock.monotonic();
    const known = this.#kept.get(key);
    if (known !== undefined) {
      known.value.usedMs = now;
      this.#confirm(known, answer);
    } else if (this.#kept.size < MAX_FOLLOWED) {
      const ended = new AbortController();
      const followed = { answer, confirmedMs: now, usedMs: now, ended };
      const kept = this.#kept.keep(key, followed, bytesOf(answer));
      void this.#follow(key, query, kept);
    }
  }

  #confirm(kept: Kept<KeptAnswer>, answer: ServerAnswer): void {
    kept.value.answer = answer;
    kept.value.confirmedMs = this.#clock.monotonic();
    kept.resize(bytesOf(answer));
  }

  /** Asks for what is newer until nobody uses the answer any more. */
  async #follow(
    key: string,
    { target, token }: CachedQuery,
    kept: Kept<KeptAnswer>,
  ): Promise<void> {
    const { value: followed } = kept;
    const { signal } = followed.ended;
    let failures = 0;
    while (!signal.aborted && this.#clock.monotonic() - followed.usedMs < IDLE_MS) {
      const index = indexOf(followed.answer) ?? '1';
      const waiting = withParams(target, { index, wait: `${WAIT_MS / 1000}s` });
      try {
        const asked = this.#clock.monotonic();
        const answer = await this.#fetch({ target: waiting, token }, WAIT_MS, signal);
        // The token may not see it any more: nor may it be shown what it saw before.
        if (answer.status === 403) break;
        if (answer.status !== 200) throw new Error(`status ${answer.status}`);
        this.#confirm(kept, answer);
        failures = 0;
        // A server that does not wait is not to be asked without end.
        const waited = this.#clock.monotonic() - asked >= RETRY_MS;
        if (indexOf(answer) === index && !waited) await pause(this.#clock, RETRY_MS, signal);
      } catch {
        // The answer only gets older, and says so in its Age.
        const ms = Math.min(RETRY_MS * 2 ** failures++, MAX_RETRY_MS);
        await pause(this.#clock, ms, signal);
      }
    }
    if (!signal.aborted) this.#kept.delete(key);
  }
}

function keyOf({ token, target }: Asked): string {
  return `${token}\n${target}`;
}

function bytesOf({ body }: ServerAnswer): number {
  return body.length + BYTES_EACH;
}

function indexOf({ headers }: ServerAnswer): string | undefined {
  const index = headers['x-consul-index'];
  return typeof index === 'string' ? index : undefined;
}
