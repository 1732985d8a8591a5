/**
 * Follows one thing that the agent knows: asks, waits at its index, and asks again. When the agent is away what
 * was known before goes on to count.
 */
import { type Clock, pause } from '../lib/clock.ts';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import { patienceMs } from '../lib/patience.ts';
import type { Random } from '../lib/random.ts';
import { retryMs } from '../lib/retries.ts';
import { within } from '../lib/within.ts';

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
  /** Its index is none of the agent's, and says nothing of what was before. */
  readonly isUnmarked?: true;
}

/** Rejects with a ProconsulError where there is no answer: 'forbidden' where the token is refused. */
export type Ask = (
  question: Question,
  signal: AbortSignal,
  /** Told once the answer begins to come, where that can be told. */
  onBegun?: () => void,
) => Promise<Answer>;

export interface Agent {
  /** As `patient` makes it, where an answer may never come. */
  readonly ask: Ask;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Followed extends Question {
  /** By what it waits, as its answers are marked: an index of a header, or the hash that the agent's own services have in themselves. */
  readonly by?: 'hash';
  /** May throw for an answer that is none, or of which nothing can be made: what was known goes on to count. */
  take(json: unknown, mark?: string): void;
  /** It is as it was known: where it was lost before, it is not any more. */
  same?(): void;
  /** There is no answer: what was known goes on to count. */
  lost(loss: Loss): void;
}

/** Why there is no answer, as it is to be told. */
export interface Loss {
  readonly why: string;
  /** Of the agent, in words: it is away, or it refuses the token, which an operator has to mend. */
  readonly what: string;
  readonly isRefused: boolean;
  /** It answers, and has no room, or makes nothing of what is asked. */
  readonly isThere: boolean;
  readonly level: 'warn' | 'error';
  /** In a row. */
  readonly tries: number;
  /** The first is; after it one in a while. */
  readonly isToSay: boolean;
}

const SAID_EACH = 20;

export function lossOf(error: unknown, tries: number): Loss {
  const code = error instanceof ProconsulError ? error.code : undefined;
  const isRefused = code === 'forbidden' || code === 'unauthorized';
  const isAway = code !== undefined && !isRefused;
  return {
    why: messageOf(error),
    what: isAway ? 'the agent does not answer' : faultOf(isRefused),
    isRefused,
    isThere: code === 'busy' || code === 'invalid',
    level: isAway ? 'warn' : 'error',
    tries,
    isToSay: tries === 1 || tries % SAID_EACH === 0,
  };
}

function faultOf(isRefused: boolean): string {
  return isRefused ? 'the agent refuses the token' : 'nothing can be made of what the agent says';
}

/** Between two questions whose answers are the same: an agent that does not wait is not asked without end. */
const PAUSE_MS = 1000;

/** Resolves when the signal is aborted: never before, whatever cannot be reached. */
export async function follow(agent: Agent, followed: Followed, signal: AbortSignal): Promise<void> {
  const { clock, random } = agent;
  let [seen, failures] = ['', 0];
  while (!signal.aborted) {
    try {
      const { json, mark, isUnmarked } = await look(agent, followed, seen, signal);
      if (signal.aborted) return;
      failures = 0;
      const isMarked = followed.by === undefined && isUnmarked !== true;
      const isBack = isMarked && isBefore(mark, seen);
      if (mark === seen) followed.same?.();
      if (mark === seen || isBack) await pause(clock, PAUSE_MS, signal);
      else followed.take(json, mark);
      // An index that goes back is of a server that is behind, or of another history: the next look starts afresh, and
      // until then what was known counts.
      seen = isBack ? '' : mark;
    } catch (error) {
      // Whatever it is: what one answer has in it must not end the process, and those after it are looked at.
      if (signal.aborted) return;
      followed.lost(lossOf(error, ++failures));
      await pause(clock, retryMs(failures, random), signal);
    }
  }
}

interface Looked extends Pick<Answer, 'json' | 'isUnmarked'> {
  readonly mark: string;
}

async function look(
  agent: Agent,
  { path, query, by: given }: Followed,
  seen: string,
  signal: AbortSignal,
): Promise<Looked> {
  const by = given ?? 'index';
  const waits = seen === '' ? query : [...query, [by, seen] as const];
  const answer = await agent.ask({ path, query: waits }, signal);
  const mark = by === 'hash' ? hashIn(answer.json) : answer.index;
  // Without one there is nothing to wait at, and this would ask without end.
  if (by === 'hash' ? mark !== '' : /^\d{1,20}$/.test(mark)) {
    return { json: answer.json, mark, ...(answer.isUnmarked && { isUnmarked: true }) };
  }
  throw new ProconsulError('unavailable', `an answer has no ${by}`);
}

/** Gives up where no answer comes for longer than it may take, from when it is asked for: what stands in line before that is not late. */
export function patient(ask: Ask, clock: Clock): Ask {
  return (question, signal, onBegun) =>
    within(clock, patienceMs(question.query), signal, (over) => ask(question, over, onBegun));
}

function hashIn(json: unknown): string {
  const { ContentHash } = (json ?? {}) as { readonly ContentHash?: unknown };
  return typeof ContentHash === 'string' ? ContentHash : '';
}

function isBefore(index: string, than: string): boolean {
  return than !== '' && BigInt(index) < BigInt(than);
}
