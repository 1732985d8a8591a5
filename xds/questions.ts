/**
 * What those know who have the same rights: each question is asked of the agent once for all of them, and
 * followed for as long as anybody needs its answer.
 */

import { createHash } from 'node:crypto';
import { type Cancel, pause } from '../lib/clock.ts';
import { describeChain, ProconsulError } from '../lib/errors.ts';
import type { System } from '../lib/system.ts';
import {
  type Question as Asked,
  type Ask as AskOf,
  follow,
  type Loss,
  lossOf,
  patient,
} from '../sidecar/follow.ts';
import { type Account, whoPays } from './accounts.ts';
import { type Answered, type AskAgent, askWithAny, type Question } from './asking.ts';
import { MOST_LINES } from './lines.ts';
import { Omissions } from './omissions.ts';
import type { Pace } from './pace.ts';
import type { Reviews } from './reviews.ts';
import { type Room, TAKES } from './room.ts';
import { QUESTION, type Turns, type Waiting } from './turns.ts';

export type { AgentAnswer, AskAgent, Question } from './asking.ts';

export interface QuestionsOptions {
  readonly ask: AskAgent;
  readonly tokens: () => Iterable<string>;
  readonly turns: Turns;
  readonly pace: Pace;
  readonly reviews: Reviews;
  readonly room: Pick<Room, 'take'>;
  readonly system: System;
}

/** Of one set of rights: each waits at the agent. */
export const MAX_QUESTIONS = 20_000;
/** After which a question without an index is asked again. */
const REVIEW_MS = 15_000;

/** Undefined until it is known; what cannot be seen, or is not there, is known to be nothing. */
interface Known {
  readonly json: unknown;
}

export interface Held {
  readonly known: Known | undefined;
  readonly release: Cancel;
  /** Others need it now: where nobody does on the account that pays for it, another one's is taken. */
  readonly recount: () => void;
}

/** `isFirst`: nothing was known before. */
export type OnAnswer = (isFirst: boolean) => void;

export class Questions {
  readonly #options: QuestionsOptions;
  readonly #followed = new Map<string, Followed>();
  /** What those who ask leave out of what they make. */
  readonly omissions: Omissions;
  /** At which what follows from answers is worked out. */
  readonly pace: Pick<Pace, 'workOut'>;

  constructor(options: QuestionsOptions) {
    this.#options = options;
    this.omissions = new Omissions(options.system.logger);
    this.pace = options.pace;
  }

  get size(): number {
    return this.#followed.size;
  }

  /**
   * Calls with each answer that comes, until it is released, on one of the accounts of those who need it. Throws
   * 'busy' where there are too many.
   */
  hold(question: Question, accounts: () => Iterable<Account>, onAnswer: OnAnswer): Held {
    const key = keyOf(question);
    let followed = this.#followed.get(key);
    const payer = whoPays(accounts(), followed);
    if (followed === undefined) {
      if (this.#followed.size >= MAX_QUESTIONS) {
        throw new ProconsulError('busy', `more than ${MAX_QUESTIONS} questions are followed`);
      }
      const ask: Ask = (each, isKnown, signal) =>
        askWithAny(each, { ...this.#options, isKnown, signal });
      followed = new Followed(question, ask, { ...this.#options, payer });
      this.#followed.set(key, followed);
    }
    return followed.hold(accounts, onAnswer, () => this.#followed.delete(key));
  }

  /** Something cannot be made of the answers, or not told for another reason. */
  fault(error: unknown, what = 'nothing can be made of what the agent says'): void {
    const line = `xds: what was told stands: ${what}`;
    this.#options.system.logger.error(line, { error: describeChain(error) });
  }
}

export function keyOf({ path, query, after }: Question): string {
  return JSON.stringify([path, query, after && keyOf(after)]);
}

type Ask = (question: Question, isKnown: boolean, signal: AbortSignal) => Promise<Answered>;

interface FollowedOptions
  extends Pick<QuestionsOptions, 'turns' | 'pace' | 'reviews' | 'room' | 'system'> {
  /** Whoever needed it first. */
  readonly payer: Account;
}

class Followed {
  readonly #ending = new AbortController();
  readonly #listeners = new Set<OnAnswer>();
  readonly #options: FollowedOptions;
  /** The accounts of all who need it. */
  readonly #needers = new Set<() => Iterable<Account>>();
  /** What of it waits for its turn, and in whose lines. */
  readonly #waiting = new Set<Waiting>();
  readonly #lines = new Set<Account>();
  #known: Known | undefined;
  /** How long the text was that was answered last. */
  #letters = 0;
  /** Of memory. */
  #bytes = 0;

  constructor(question: Question, answers: Ask, options: FollowedOptions) {
    this.#options = options;
    const { system } = options;
    this.#takes(TAKES.question);
    const given: Ask = async (...asked) => {
      const answer = await answers(...asked);
      this.#letters = answer.text.length;
      return answer;
    };
    const isKnown = () => this.#known?.json !== undefined;
    const inTurn = async <T>(signal: AbortSignal, asked: () => Promise<T>): Promise<T> => {
      await this.#turn(signal);
      return await asked();
    };
    const ask: Ask = (each, known, until) => inTurn(until, () => given(each, known, until));
    // What stands in line is not late.
    const first = patient((asked, signal) => {
      const isAfresh = !asked.query.some(([name]) => name === 'index' || name === 'hash');
      const now = { ...question, ...asked };
      return isAfresh
        ? askNow(now, { ask: given, isKnown, signal })
        : given(now, isKnown(), signal);
    }, system.clock);
    const askedBy = (by: AskOf) => {
      // It was no answer: the agent does not wait to give it again.
      let isNone = false;
      const again = async (asked: Asked, until: AbortSignal) => {
        if (isNone) await this.#review(until);
        const answer = await inTurn(until, () => by(asked, until));
        isNone = answer.isUnmarked === true;
        return answer;
      };
      return { ask: again, ...system };
    };
    const { signal } = this.#ending;
    const lost = ({ why: error, what, level, tries, isToSay }: Loss) => {
      if (!isToSay) return;
      const line = `xds: what was told stands: ${what}`;
      system.logger[level](line, { question: question.path, tries, error });
    };
    const take = (json: unknown) => this.#take({ json });
    if (question.unindexed !== true) {
      void follow(askedBy(first), { ...question, take, lost }, signal);
      return;
    }
    const asking = { question, ask, isKnown, take, lost };
    const reviewed = new Reviewed(asking, signal);
    void (async () => {
      while (!signal.aborted) {
        await reviewed.again('review');
        await pause(system.clock, REVIEW_MS, signal);
        await this.#review(signal);
      }
    })();
    const { after } = question;
    if (after === undefined) return;
    const later = patient(
      (asked, until) => given({ ...after, ...asked }, true, until),
      system.clock,
    );
    let newest = 0n;
    const wake = (_: unknown, index = '0') => {
      const now = BigInt(index);
      // A server that is behind says another index too, and of a change nothing.
      const why = now > newest ? 'wake' : 'review';
      if (now > newest) newest = now;
      void reviewed.again(why);
    };
    void follow(askedBy(later), { ...after, take: wake, lost }, signal);
  }

  hold(accounts: () => Iterable<Account>, onAnswer: OnAnswer, onLast: () => void): Held {
    const listener: OnAnswer = (isFirst) => onAnswer(isFirst);
    this.#listeners.add(listener);
    let payer = whoPays(accounts(), this);
    payer.take(this);
    this.#needers.add(accounts);
    this.#standInLinesOf(accounts());
    const known = () => this.#known;
    return {
      get known() {
        return known();
      },
      release: () => {
        if (!this.#listeners.delete(listener)) return;
        this.#needers.delete(accounts);
        payer.giveBack(this);
        if (this.#listeners.size > 0) return;
        this.#takes(0);
        this.#options.pace.end(() => this.#ending.abort());
        onLast();
      },
      recount: () => {
        this.#standInLinesOf(accounts());
        for (const each of accounts()) if (each === payer) return;
        payer.giveBack(this);
        // It is followed already: whoever is left has it, also on an account that is full.
        const [next = payer] = accounts();
        payer = next;
        payer.take(this);
      },
    };
  }

  #review(signal: AbortSignal): Promise<void> {
    const accounts = [...this.#needers].flatMap((each) => [...each()]);
    return this.#options.reviews.turn(new Set(accounts), signal);
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const [accounts = () => []] = this.#needers;
    const [any = this.#options.payer] = accounts();
    const waiting = this.#options.turns.take(any, QUESTION, () => signal.aborted);
    if (waiting === undefined) return;
    this.#waiting.add(waiting);
    for (const account of this.#lines) this.#options.turns.also(waiting, account);
    for (const each of this.#needers) this.#standInLinesOf(each());
    await waiting.turn;
    this.#waiting.delete(waiting);
    if (this.#waiting.size === 0) this.#lines.clear();
    // What waits to be let go is asked of nobody.
    if (this.#listeners.size === 0) this.#ending.abort();
    signal.throwIfAborted();
  }

  /** Whoever needs it has a line of his own, and others may have much else in theirs. */
  #standInLinesOf(accounts: Iterable<Account>): void {
    if (this.#waiting.size === 0 || this.#lines.size >= MOST_LINES) return;
    for (const account of accounts) {
      if (this.#lines.has(account)) continue;
      this.#lines.add(account);
      for (const waiting of this.#waiting) this.#options.turns.also(waiting, account);
      if (this.#lines.size === MOST_LINES) return;
    }
  }

  #take(known: Known): void {
    const isFirst = this.#known === undefined;
    this.#known = known;
    if (this.#listeners.size === 0) return;
    this.#takes(TAKES.question + TAKES.letter * this.#letters);
    for (const listener of [...this.#listeners]) listener(isFirst);
  }

  #takes(bytes: number): void {
    this.#options.room.take(bytes - this.#bytes);
    this.#bytes = bytes;
  }
}

interface Reviewing {
  readonly question: Question;
  readonly ask: Ask;
  readonly isKnown: () => boolean;
  readonly take: (json: unknown) => void;
  readonly lost: (loss: Loss) => void;
}

/** A question without an index, which several may ask again at once. */
class Reviewed {
  readonly #options: Reviewing;
  readonly #signal: AbortSignal;
  /** How many were begun, and which of them was answered with what is known. */
  #begun = 0;
  #taken = 0;
  #digest: string | undefined;
  #failures = 0;

  constructor(options: Reviewing, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async again(why: 'review' | 'wake'): Promise<void> {
    const number = ++this.#begun;
    try {
      const answer = await this.#ask(why);
      // What was asked before what is known may be older than it.
      if (this.#signal.aborted || number < this.#taken) return;
      this.#taken = number;
      this.#failures = 0;
      const digest = createHash('sha1').update(answer.text).digest('base64');
      if (digest === this.#digest) return;
      this.#options.take(answer.json);
      this.#digest = digest;
    } catch (error) {
      if (!this.#signal.aborted) this.#options.lost(lossOf(error, ++this.#failures));
    }
  }

  /** Another server may answer than the one that was waited at, and be behind it. */
  #ask(why: 'review' | 'wake'): Promise<Answered> {
    const { question, ask, isKnown } = this.#options;
    const mustHaveChanged = why === 'wake';
    return askNow(question, { ask, isKnown, signal: this.#signal, mustHaveChanged });
  }
}

interface AskingNow extends Pick<Reviewing, 'ask' | 'isKnown'> {
  readonly signal: AbortSignal;
  readonly mustHaveChanged?: boolean;
}

/**
 * What is so now, whichever server answers: one that is behind would tell of instances that are not there any more, or of
 * none. Only where none can say, and nothing is known or it must have changed, one says what it knows.
 */
async function askNow(question: Question, how: AskingNow): Promise<Answered> {
  const { ask, isKnown, signal, mustHaveChanged = false } = how;
  const query = question.query.filter(([name]) => name !== 'stale');
  if (query.length === question.query.length) return await ask(question, isKnown(), signal);
  try {
    return await ask({ ...question, query }, true, signal);
  } catch (error) {
    const isAway = error instanceof ProconsulError && error.code === 'unavailable';
    if (!isAway || signal.aborted || (isKnown() && !mustHaveChanged)) throw error;
    return await ask(question, isKnown(), signal);
  }
}
