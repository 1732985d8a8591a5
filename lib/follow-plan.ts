/** Looks again and again at what a watch is about, and hands on what has changed. */
import { createHash } from 'node:crypto';
import { type Clock, pause } from './clock.ts';
import { ProconsulError } from './errors.ts';
import { encodeJson } from './json.ts';
import type { Seen, WatchPlan } from './watch-plan.ts';

/** After the first failure; each further one waits longer, up to the limit. */
const RETRY_MS = 5000;
const MAX_RETRY_MS = 180_000;

export interface Following {
  /** Waits where there is an index; rejects with a ProconsulError where there is no answer. */
  look(query: WatchPlan['query']): Promise<Seen>;
  /** Called with JSON, one call after the other; what it throws ends the watch. */
  handle(input: string, index: string): Promise<void>;
  failed(error: ProconsulError, waitMs: number): void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Resolves when the signal is aborted: never before, whatever cannot be reached. */
export async function followPlan(plan: WatchPlan, of: Following): Promise<void> {
  const { clock, signal } = of;
  let index = '0';
  let failures = 0;
  let handled = '';
  while (!signal.aborted) {
    const news = await attempt(newsSince(index, plan, of));
    if (signal.aborted) return;
    if (news instanceof ProconsulError) {
      const waitMs = Math.min(RETRY_MS * (++failures) ** 2, MAX_RETRY_MS);
      of.failed(news, waitMs);
      await pause(clock, waitMs, signal);
      continue;
    }
    failures = 0;
    if (news.index === index) continue;
    // An index that goes back is another history: the next look starts afresh.
    index = BigInt(news.index) < BigInt(index) ? '0' : news.index;
    if (news.input === undefined) continue;
    // As in Consul: an index that moved for something else is no change. The text itself may be long.
    const digest = createHash('sha256').update(news.input).digest('base64');
    if (digest === handled) continue;
    handled = digest;
    await of.handle(news.input, news.index);
  }
}

interface News {
  readonly index: string;
  /** Undefined where there is nothing to tell. */
  readonly input: string | undefined;
}

async function newsSince(index: string, { query, view }: WatchPlan, of: Following): Promise<News> {
  const since = index === '0' ? [] : [['index', index] as const];
  const seen = await of.look([...query, ...since]);
  // Without one there is nothing to wait at, and this would ask without end.
  if (!/^\d+$/.test(seen.index)) throw new ProconsulError('unavailable', 'an answer has no index');
  if (seen.index === index) return { index, input: undefined };
  const shown = view(seen);
  return { index: seen.index, input: shown === undefined ? undefined : `${encodeJson(shown)}\n` };
}

async function attempt(promise: Promise<News>): Promise<News | ProconsulError> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ProconsulError) return error;
    throw error;
  }
}
