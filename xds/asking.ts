/** One question to the agent, by whichever token of those who have the same rights may ask it. */
import { TOKEN_NOT_FOUND, tokenNotFound } from '../lib/acl/refusals.ts';
import { type Clock, pause } from '../lib/clock.ts';
import { NO_LEADER, ProconsulError } from '../lib/errors.ts';
import type { Answer, Question as Asked } from '../sidecar/follow.ts';

export interface Question extends Pick<Asked, 'path' | 'query'> {
  /** It waits for another hash, and not for another index. */
  readonly by?: 'hash';
  /** Its answer has no index: it is asked again when that of another question changes, and from time to time. */
  readonly after?: Question;
  readonly unindexed?: true;
}

/** What the agent answered, whatever it was. Rejects with a ProconsulError where nothing came. */
export type AskAgent = (
  question: Pick<Asked, 'path' | 'query'>,
  token: string,
  signal: AbortSignal,
) => Promise<AgentAnswer>;

export interface AgentAnswer {
  readonly status: number;
  readonly index: string;
  readonly text: string;
  /** Of what is JSON; to be read where the status says that it is. */
  readonly json: unknown;
}

export interface AskingWith {
  readonly ask: AskAgent;
  readonly tokens: () => Iterable<string>;
  readonly system: { readonly clock: Clock };
  /** Whether anything is known of it. */
  readonly isKnown: boolean;
  readonly signal: AbortSignal;
}

export interface Answered extends Answer {
  readonly text: string;
}

/** With so many tokens a question may fail before others say what it is: it need not be the tokens. */
const MOST_FAILED = 3;
/** After which what was refused is asked again. */
const REFUSED_MS = 15_000;

/**
 * A token that was revoked, or with which the agent cannot even be asked, does not answer for the others. Rejects with a
 * ProconsulError where nobody can say.
 */
export async function askWithAny(question: Question, asking: AskingWith): Promise<Answered> {
  const { tokens, isKnown } = asking;
  const refusals: string[] = [];
  const failures: unknown[] = [];
  for (const token of tokens()) {
    const answer = await tried(question, token, asking);
    if (answer instanceof Failure) {
      failures.push(answer.why);
      if (failures.length === MOST_FAILED) break;
      continue;
    }
    if (answer.status === 200) return answered(answer);
    refuseUnavailable(answer, isKnown);
    // What is not there may come to be: that is waited for at the index that it is not there at.
    if (answer.status !== 403) return nothing(question, answer.status === 404 ? answer.index : '');
    refusals.push(answer.text);
  }
  if (failures.length > 0) throw failures[0];
  if (refusals.length > 0) await refused(question, refusals, asking);
  return nothing(question, '');
}

async function refused(
  question: Question,
  refusals: readonly string[],
  { system, signal }: AskingWith,
): Promise<void> {
  // What a token may see that nobody knows, nobody says. Its streams end: until then what was told stands.
  if (refusals.every((text) => text.includes(TOKEN_NOT_FOUND))) throw tokenNotFound();
  // Whoever has the same rights is refused again, and others are not told of this.
  if (isOfNothing(question)) await pause(system.clock, REFUSED_MS, signal);
}

class Failure {
  readonly why: unknown;

  constructor(why: unknown) {
    this.why = why;
  }
}

/** Failed too is what is refused for its head, in which there is nothing of others but the token. */
async function tried(question: Question, token: string, { ask, signal }: AskingWith) {
  try {
    const answer = await ask(question, token, signal);
    const isHead = answer.status === 431;
    return isHead ? new Failure(new ProconsulError('unavailable', `431: ${answer.text}`)) : answer;
  } catch (error) {
    if (signal.aborted) throw error;
    return new Failure(error);
  }
}

/** Of what was known before, an answer that is a fault says nothing; of what never was, there may be no other. */
function refuseUnavailable({ status, text }: AgentAnswer, isKnown: boolean): void {
  const isFault = status >= 500 && (isKnown || text.includes(NO_LEADER));
  const isAway = status === 429 || status === 503 || isFault;
  if (isAway) throw new ProconsulError('unavailable', `${status}: ${text}`);
}

const NO_INDEX = '1';
const NO_HASH = 'none';

/** With something to wait at, so that it is asked again. */
function nothing({ by }: Question, index: string): Answered {
  const json = by === 'hash' ? { ContentHash: NO_HASH } : undefined;
  return { index: index || NO_INDEX, text: '', json, ...(index === '' && { isUnmarked: true }) };
}

/** It waits for another answer than nothing. */
function isOfNothing({ query }: Question): boolean {
  return query.some(
    ([name, value]) =>
      (name === 'index' && value === NO_INDEX) || (name === 'hash' && value === NO_HASH),
  );
}

/** Parsed by whoever needs it. */
function answered(answer: AgentAnswer): Answered {
  const { index, text } = answer;
  return {
    ...{ index, text },
    get json() {
      return answer.json;
    },
  };
}
