/**
 * Follows one thing that the agent knows: asks, waits at its index, and asks again. When the agent is away what
 * was known before goes on to count.
 */
import { type Clock, pause } from '../lib/clock.ts';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import type { Random } from '../lib/random.ts';
import { retryMs } from '../lib/retries.ts';

export interface Question {
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  /** It is sent by POST, or by PUT, with this as JSON. */
  readonly body?: { readonly method: 'POST' | 'PUT'; readonly json: object };
}

export interface Answer {
  /** As the headers say it; '' where they do not. */
  readonly index: string;
  readonly json: unknown;
}

/** Rejects with a ProconsulError where there is no answer. */
export type Ask = (question: Question, signal: AbortSignal) => Promise<Answer>;

export interface Agent {
  readonly ask: Ask;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Followed extends Question {
  /** By what it waits: an index of a header, or the hash that the agent's own services have in themselves. */
  readonly by?: 'hash';
  /** May throw a ProconsulError for an answer that is none. */
  take(json: unknown): void;
  /** The agent is away, or does not answer this; `tries` in a row. */
  lost(why: string, tries: number): void;
}

/** Longer than an agent makes anybody wait, jitter and all: then it is gone, though its socket is not. */
const MAX_LOOK_MS = 6 * 60_000;
/** Between two questions whose answers are the same: an agent that does not wait is not asked without end. */
const PAUSE_MS = 1000;

/** Resolves when the signal is aborted: never before, whatever cannot be reached. */
export async function follow(agent: Agent, followed: Followed, signal: AbortSignal): Promise<void> {
  const { clock, random } = agent;
  let [seen, failures] = ['', 0];
  while (!signal.aborted) {
    try {
      const { json, mark } = await look(agent, followed, seen, signal);
      if (signal.aborted) return;
      failures = 0;
      if (mark === seen) await pause(clock, PAUSE_MS, signal);
      else followed.take(json);
      // An index that goes back is of another history: the next look starts afresh.
      seen = followed.by === undefined && isBefore(mark, seen) ? '' : mark;
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      if (signal.aborted) return;
      followed.lost(messageOf(error), ++failures);
      await pause(clock, retryMs(failures, random), signal);
    }
  }
}

async function look(
  { ask, clock }: Agent,
  { path, query, by: given }: Followed,
  seen: string,
  signal: AbortSignal,
): Promise<{ readonly json: unknown; readonly mark: string }> {
  const by = given ?? 'index';
  const waits = seen === '' ? query : [...query, [by, seen] as const];
  const patience = new AbortController();
  const giveUp = () => patience.abort();
  const cancel = clock.after(MAX_LOOK_MS, giveUp);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    const { json, index } = await ask({ path, query: waits }, patience.signal);
    const mark = by === 'hash' ? hashIn(json) : index;
    // Without one there is nothing to wait at, and this would ask without end.
    if (by === 'hash' ? mark !== '' : /^\d{1,20}$/.test(mark)) return { json, mark };
    throw new ProconsulError('unavailable', `an answer has no ${by}`);
  } finally {
    cancel();
    signal.removeEventListener('abort', giveUp);
  }
}

function hashIn(json: unknown): string {
  const { ContentHash } = (json ?? {}) as { readonly ContentHash?: unknown };
  return typeof ContentHash === 'string' ? ContentHash : '';
}

function isBefore(index: string, than: string): boolean {
  return than !== '' && BigInt(index) < BigInt(than);
}
