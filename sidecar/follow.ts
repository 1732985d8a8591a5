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
  readonly random: Pick<Random, 'next'>;
}

export interface Followed extends Question {
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
  let [index, failures] = ['', 0];
  while (!signal.aborted) {
    try {
      const answer = await look(agent, followed, index, signal);
      if (signal.aborted) return;
      failures = 0;
      if (answer.index === index) await pause(clock, PAUSE_MS, signal);
      else followed.take(answer.json);
      // An index that goes back is of another history: the next look starts afresh.
      index = isBefore(answer.index, index) ? '' : answer.index;
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
  { path, query }: Question,
  index: string,
  signal: AbortSignal,
): Promise<Answer> {
  const waits = index === '' ? query : [...query, ['index', index] as const];
  const patience = new AbortController();
  const giveUp = () => patience.abort();
  const cancel = clock.after(MAX_LOOK_MS, giveUp);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    const answer = await ask({ path, query: waits }, patience.signal);
    // Without one there is nothing to wait at, and this would ask without end.
    if (/^\d{1,20}$/.test(answer.index)) return answer;
    throw new ProconsulError('unavailable', 'an answer has no index');
  } finally {
    cancel();
    signal.removeEventListener('abort', giveUp);
  }
}

function isBefore(index: string, than: string): boolean {
  return than !== '' && BigInt(index) < BigInt(than);
}
