/**
 * Reads one thing of the catalog again and again as it changes, and anew where somebody has to know how it is now.
 * What was asked for before what is known does not count, whatever comes when.
 */
import { type Clock, pause } from '../lib/clock.ts';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import type { Random } from '../lib/random.ts';
import { retryMs } from '../lib/retries.ts';
import { type Catalog, type CatalogAnswer, waitingFrom } from './catalog.ts';

/** Where nothing can be waited at. */
const AGAIN_MS = 2000;

export interface ReadingDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: Pick<Random, 'next'>;
}

export interface Read {
  readonly path: string;
  readonly query?: readonly (readonly [string, string])[];
  /** What is not there is answered with nothing at all, and without an index, as by Consul. */
  readonly isBareWhereMissing?: boolean;
  /** Called as it is asked; handed to `take` with the answer. */
  readonly begin: () => number;
  /**
   * Whether all of it counted: else it is read once more, soon. Undefined is what is not there. Throws a ProconsulError
   * for an answer that is none.
   */
  readonly take: (answer: CatalogAnswer | undefined, begun: number) => boolean;
  readonly lost: (why: string) => void;
  /** At least so long between two. */
  readonly paceMs: () => number;
}

export class Reading {
  readonly #deps: ReadingDeps;
  readonly #read: Read;
  #begun = 0;
  #taken = 0;
  /** Of what is known whole: to wait at. */
  #index = '';
  /** Ends a question that waits. */
  #waking: AbortController | undefined;
  /** Ends the time between two. */
  #hurrying = new AbortController();

  constructor(deps: ReadingDeps, read: Read) {
    this.#deps = deps;
    this.#read = read;
  }

  /** Resolves when the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        const isNews = await this.#wait(signal);
        failures = 0;
        await this.#rest(Math.max(isNews ? 0 : AGAIN_MS, this.#read.paceMs()), signal);
      } catch (error) {
        await this.#failed(error, ++failures, signal);
      }
    }
  }

  /** Resolves once it is known at all, or the signal is aborted. */
  async untilKnown(signal: AbortSignal): Promise<void> {
    for (let failures = 0; this.#taken === 0 && !signal.aborted; ) {
      try {
        await this.readAnew(signal);
      } catch (error) {
        await this.#failed(error, ++failures, signal);
      }
    }
  }

  /** Resolves once it is known as it was after this was called. Rejects with a ProconsulError. */
  async readAnew(signal: AbortSignal): Promise<void> {
    this.#index = await this.#once('', signal);
  }

  /** What is written now is known: nobody needs to be told of it at once. */
  rest(): void {
    this.#waking?.abort();
  }

  /** The next read comes at once, whatever the pace was until now. */
  hurry(): void {
    this.#hurrying.abort();
  }

  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    this.#hurrying = new AbortController();
    const { clock } = this.#deps;
    await pause(clock, ms, AbortSignal.any([signal, this.#hurrying.signal]));
  }

  async #failed(error: unknown, failures: number, signal: AbortSignal): Promise<void> {
    if (!(error instanceof ProconsulError)) throw error;
    if (signal.aborted) return;
    this.#index = '';
    this.#read.lost(messageOf(error));
    const { clock, random } = this.#deps;
    await pause(clock, retryMs(Math.min(failures, 2), random), signal);
  }

  /** Whether there was anything new to wait for. An index that stands still, or goes back, is no reason to ask without end. */
  async #wait(signal: AbortSignal): Promise<boolean> {
    const before = this.#index;
    const waking = new AbortController();
    const end = () => waking.abort();
    signal.addEventListener('abort', end, { once: true });
    this.#waking = before === '' ? undefined : waking;
    try {
      const next = await this.#once(before, waking.signal);
      this.#index = isAfter(next, before) ? next : '';
    } catch (error) {
      if (!waking.signal.aborted) throw error;
      this.#index = '';
    } finally {
      this.#waking = undefined;
      signal.removeEventListener('abort', end);
    }
    return this.#index !== '';
  }

  /** The index to wait at; '' where not all of it counted. */
  async #once(index: string, signal: AbortSignal): Promise<string> {
    const { catalog } = this.#deps;
    const { path, query = [], begin, take } = this.#read;
    const [number, begun] = [++this.#begun, begin()];
    const asked = { path, query: [...query, ...waitingFrom(index)] };
    const request = { ...asked, method: 'GET', accept: [404] } as const;
    const seen = await catalog.ask(request, signal);
    if (signal.aborted || number < this.#taken) return '';
    const isBare = seen.status === 404 && seen.text === '' && this.#read.isBareWhereMissing;
    // Whoever stands between may have no such page: the catalog says at which index there is nothing.
    if (seen.index === '' && !isBare)
      throw new ProconsulError('unavailable', `${path}: the answer has no index`);
    const isWhole = take(seen.status === 404 ? undefined : seen, begun);
    this.#taken = number;
    return isWhole ? seen.index : '';
  }
}

function isAfter(index: string, than: string): boolean {
  if (!/^\d{1,20}$/.test(index)) return false;
  return than === '' || BigInt(index) > BigInt(than);
}
