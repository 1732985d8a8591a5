/**
 * Questions to the agent, so many at a time: an agent takes no more connections of one address (limits.http_max_conns_per_client,
 * 200), and whoever follows a hundred upstreams waits for two answers of each.
 */
import { type Cancel, type Clock, pause } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import type { Answer, Ask, Question } from './follow.ts';

/** Who may call, and by which certificates, is heard at once, however many upstreams there are: these are few. */
const OF_ITSELF = /^\/v1\/(?:connect\/intentions|agent\/connect\/ca\/|config\/mesh\/)/;
/** Others on this machine ask the agent too. */
const MAX_ASKED = 120;
/** Who only waits for a change has his place for so long, if others want one. */
const TURN_MS = 2000;
/** Where the agent has no room for more, however many others have it. */
const MIN_ASKED = 2;
/** Places that are given up then come back, so many each time: too many again, and all are halved again. */
const MORE_MS = 10_000;
const MORE = 4;
/** By then what was given up is free at the agent: what is refused until then asks for no more. */
const LOWERED_MS = 1000;
/** What calls wait for is asked again where the agent has no room: places have been given up for it. */
const TRIES = 5;
const AGAIN_MS = 100;

interface Place {
  since: number;
  /** Undefined where it is not to be given up: there will be an answer, or it is being read. */
  giveUp: (() => void) | undefined;
}

export class AskingInTurns {
  readonly #ask: Ask;
  readonly #clock: Clock;
  /** The one that was taken first is the first. */
  readonly #taken = new Set<Place>();
  readonly #waiting = new Set<() => void>();
  #cancel: Cancel | undefined;
  /** Places that there were when the agent had no room last, and when that was. */
  #left = MAX_ASKED;
  #loweredAt = Number.NEGATIVE_INFINITY;

  constructor(ask: Ask, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** Writes are not held up: calls wait for them. */
  readonly ask: Ask = async (question, signal) => {
    if (question.body !== undefined || isOfItself(question))
      return await this.#askedAtOnce(question, signal);
    for (;;) {
      const place = await this.#place(signal);
      const answer = await this.#asked(question, place, signal);
      if (answer !== undefined) return answer;
    }
  };

  async #askedAtOnce(question: Question, signal: AbortSignal): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      const at = this.#clock.monotonic();
      try {
        return await this.#ask(question, signal);
      } catch (error) {
        if (!isBusy(error)) throw error;
        this.#lower(at);
        if (tries === TRIES) throw error;
        await pause(this.#clock, AGAIN_MS * 2 ** (tries - 1), signal);
        // Asked once more it would have no answer, and that it is there is known.
        if (signal.aborted) throw error;
      }
    }
  }

  get #most(): number {
    const times = Math.floor((this.#clock.monotonic() - this.#loweredAt) / MORE_MS);
    return Math.min(MAX_ASKED, this.#left + times * MORE);
  }

  /** The agent has no room, for what was asked then. Of those who were asked together, one says so for all. */
  #lower(askedAt: number): void {
    if (askedAt < this.#loweredAt + LOWERED_MS) return;
    this.#left = Math.max(MIN_ASKED, Math.floor(Math.min(this.#most, this.#taken.size) / 2));
    this.#loweredAt = this.#clock.monotonic();
    const waiting = [...this.#taken].filter(({ giveUp }) => giveUp !== undefined);
    for (const { giveUp } of waiting.slice(0, this.#taken.size - this.#left)) giveUp?.();
  }

  /** Undefined where it gave its place up for another. */
  async #asked(question: Question, place: Place, signal: AbortSignal): Promise<Answer | undefined> {
    const turn = new AbortController();
    const isWaiting = question.query.some(([name]) => name === 'index' || name === 'hash');
    if (isWaiting) place.giveUp = () => turn.abort();
    const end = () => turn.abort(signal.reason);
    const at = this.#clock.monotonic();
    signal.addEventListener('abort', end, { once: true });
    try {
      signal.throwIfAborted();
      return await this.#ask(question, turn.signal, () => {
        // A large list would begin anew with each turn, and never come.
        place.giveUp = undefined;
      });
    } catch (error) {
      if (turn.signal.aborted && !signal.aborted) return undefined;
      if (isBusy(error)) this.#lower(at);
      throw error;
    } finally {
      signal.removeEventListener('abort', end);
      this.#taken.delete(place);
      const room = Math.max(0, this.#most - this.#taken.size);
      for (const grant of [...this.#waiting].slice(0, room)) grant();
      this.#look();
    }
  }

  /** Resolves when there is one, or nobody wants it any more: who came first has it first. */
  async #place(signal: AbortSignal): Promise<Place> {
    const isFree = this.#waiting.size === 0 && this.#taken.size < this.#most;
    if (isFree || signal.aborted) return this.#take();
    return await new Promise((resolve) => {
      const grant = () => {
        this.#waiting.delete(grant);
        signal.removeEventListener('abort', grant);
        if (this.#waiting.size === 0) this.#looksNoMore();
        resolve(this.#take());
      };
      this.#waiting.add(grant);
      signal.addEventListener('abort', grant, { once: true });
      this.#look();
    });
  }

  #take(): Place {
    const place: Place = { since: this.#clock.monotonic(), giveUp: undefined };
    this.#taken.add(place);
    return place;
  }

  /** Of those who wait for a change, who has done so longest goes where somebody else wants to. */
  #look(): void {
    if (this.#cancel !== undefined || this.#waiting.size === 0) return;
    const longest = [...this.#taken].find(({ giveUp }) => giveUp !== undefined);
    const now = this.#clock.monotonic();
    const ms = Math.max(0, (longest?.since ?? now) + TURN_MS - now);
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = undefined;
      if (longest?.giveUp !== undefined && this.#taken.has(longest)) longest.giveUp();
      else this.#look();
    });
  }

  #looksNoMore(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

/** It is asked at once, and has the connection that it was asked on before. */
export function isOfItself({ path, body }: Question): boolean {
  return body === undefined && OF_ITSELF.test(path);
}

function isBusy(error: unknown): boolean {
  return error instanceof ProconsulError && error.code === 'busy';
}
