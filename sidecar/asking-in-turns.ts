/**
 * Questions to the agent, so many at a time: an agent takes no more connections of one address (limits.http_max_conns_per_client,
 * 200), and whoever follows a hundred upstreams waits for two answers of each.
 */
import type { Cancel, Clock } from '../lib/clock.ts';
import type { Answer, Ask, Question } from './follow.ts';

/** Who may call, and by which certificates, is heard at once, however many upstreams there are: these are few. */
const OF_ITSELF = /^\/v1\/(?:connect\/intentions|agent\/connect\/ca\/|config\/mesh\/)/;
/** Others on this machine ask the agent too. */
const MAX_ASKED = 120;
/** Who only waits for a change has his place for so long, if others want one. */
const TURN_MS = 2000;

interface Place {
  since: number;
  /** Undefined where it is not to be given up: there will be an answer. */
  giveUp: (() => void) | undefined;
}

export class AskingInTurns {
  readonly #ask: Ask;
  readonly #clock: Pick<Clock, 'after' | 'monotonic'>;
  /** The one that was taken first is the first. */
  readonly #taken = new Set<Place>();
  readonly #waiting = new Set<() => void>();
  #cancel: Cancel | undefined;

  constructor(ask: Ask, clock: Pick<Clock, 'after' | 'monotonic'>) {
    this.#ask = ask;
    this.#clock = clock;
  }

  /** Writes are not held up: calls wait for them. */
  readonly ask: Ask = async (question, signal) => {
    if (question.body !== undefined || OF_ITSELF.test(question.path))
      return await this.#ask(question, signal);
    for (;;) {
      const place = await this.#place(signal);
      const answer = await this.#asked(question, place, signal);
      if (answer !== undefined) return answer;
    }
  };

  /** Undefined where it gave its place up for another. */
  async #asked(question: Question, place: Place, signal: AbortSignal): Promise<Answer | undefined> {
    const turn = new AbortController();
    const isWaiting = question.query.some(([name]) => name === 'index' || name === 'hash');
    if (isWaiting) place.giveUp = () => turn.abort();
    const end = () => turn.abort(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    try {
      signal.throwIfAborted();
      return await this.#ask(question, turn.signal);
    } catch (error) {
      if (turn.signal.aborted && !signal.aborted) return undefined;
      throw error;
    } finally {
      signal.removeEventListener('abort', end);
      this.#taken.delete(place);
      const [next] = this.#waiting;
      next?.();
      this.#look();
    }
  }

  /** Resolves when there is one, or nobody wants it any more. */
  async #place(signal: AbortSignal): Promise<Place> {
    while (this.#taken.size >= MAX_ASKED && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const over = () => {
          this.#waiting.delete(over);
          signal.removeEventListener('abort', over);
          if (this.#waiting.size === 0) this.#looksNoMore();
          resolve();
        };
        this.#waiting.add(over);
        signal.addEventListener('abort', over, { once: true });
        this.#look();
      });
    }
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
      if (longest !== undefined && this.#taken.has(longest)) longest.giveUp?.();
      else this.#look();
    });
  }

  #looksNoMore(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
