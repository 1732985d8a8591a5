/**
 * One question to the API that never ends: it is asked, and then waits at its index until the answer is
 * another one (a blocking query). What it came to last stays, also while the server cannot be reached.
 */
import { type ReadonlySignal, signal } from '@preact/signals';
import { type Answer, Refusal, type Why } from './refusal.ts';

export interface Shown<T> {
  /** The last answer there was. */
  readonly value: T | undefined;
  /** `coming` before the first answer; `here` while the value is true by now. */
  readonly standing: 'coming' | 'here' | Why;
  /** What the server said, where it refused. */
  readonly problem: string;
  /** Access control kept something back: what is not shown may yet be there. */
  readonly isPartial: boolean;
}

/** What it does not do itself, so that specs can do it. */
export interface Surroundings {
  readonly ask: <T>(path: string, signal: AbortSignal) => Promise<Answer<T>>;
  readonly after: (ms: number, call: () => void) => () => void;
  readonly random: () => number;
}

/** A server that has gone without a word is noticed after this and the patience. */
const WAIT_S = 60;
/** Beyond the wait, and the sixteenth that a server adds to it. */
const PATIENCE_MS = WAIT_S * 1000 * 1.1 + 5_000;
/** Where changes come without end, so many answers a second are enough for anyone's eyes. */
const MIN_ROUND_MS = 250;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
/** A right, or a thing, that is missing is seldom there soon; nor can a few paths be waited on. */
const CALM_RETRY_MS = 30_000;

const COMING: Shown<never> = {
  value: undefined,
  standing: 'coming',
  problem: '',
  isPartial: false,
};

export class LiveQuery<T> {
  readonly path: string;
  readonly #shown = signal<Shown<T>>(COMING);
  readonly #around: Surroundings;
  #index = 0;
  #failures = 0;
  #running: AbortController | undefined;
  #cancelTimer: () => void = () => undefined;

  constructor(path: string, around: Surroundings) {
    this.path = path;
    this.#around = around;
  }

  get shown(): ReadonlySignal<Shown<T>> {
    return this.#shown;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Asks at once, whatever it has waited for: whoever comes back wants to see what is. */
  start(): void {
    this.stop();
    this.#running = new AbortController();
    this.#index = 0;
    void this.#round(this.#running);
  }

  /** Asks nothing any more. What it came to stays. */
  stop(): void {
    this.#cancelTimer();
    this.#running?.abort();
    this.#running = undefined;
  }

  async #round(running: AbortController): Promise<void> {
    const { ask, after } = this.#around;
    // Of its own, so that giving up a silent server is not an end.
    const asking = new AbortController();
    const end = () => asking.abort();
    running.signal.addEventListener('abort', end);
    const cancelPatience = after(PATIENCE_MS, end);
    let leftMs = MIN_ROUND_MS;
    const cancelPace = after(MIN_ROUND_MS, () => {
      leftMs = 0;
    });
    try {
      const answer = await ask<T>(this.#target(), asking.signal);
      if (running.signal.aborted) return;
      this.#take(answer);
      if (answer.index === 0) leftMs = spread(CALM_RETRY_MS, this.#around.random());
    } catch (error) {
      if (running.signal.aborted) return;
      leftMs = this.#fail(error);
    } finally {
      running.signal.removeEventListener('abort', end);
      cancelPatience();
      cancelPace();
    }
    this.#cancelTimer = after(leftMs, () => void this.#round(running));
  }

  #target(): string {
    if (this.#index === 0) return this.path;
    const mark = this.path.includes('?') ? '&' : '?';
    return `${this.path}${mark}index=${this.#index}&wait=${WAIT_S}s`;
  }

  #take({ value, index, isPartial }: Answer<T>): void {
    const isSame = index === this.#index && this.#shown.peek().standing === 'here';
    // A server that was restored, or another one: it is asked anew, lest it waits for what has been.
    this.#index = index < this.#index ? 0 : index;
    this.#failures = 0;
    if (!isSame) this.#shown.value = { value, standing: 'here', problem: '', isPartial };
  }

  /** Until when it is asked again. */
  #fail(error: unknown): number {
    const why = error instanceof Refusal ? error.why : 'lost';
    const problem = error instanceof Refusal ? error.message : '';
    this.#index = error instanceof Refusal && why === 'missing' ? error.index : 0;
    const { value, isPartial } = this.#shown.peek();
    const stays = why === 'lost' ? value : undefined;
    this.#shown.value = { value: stays, standing: why, problem, isPartial };
    if (this.#index > 0) return MIN_ROUND_MS;
    if (why !== 'lost') return spread(CALM_RETRY_MS, this.#around.random());
    const ms = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++);
    return spread(ms, this.#around.random());
  }
}

/** All pages that have lost one server must not come back to it in the same moment. */
function spread(ms: number, chance: number): number {
  return ms * (0.75 + chance / 2);
}
