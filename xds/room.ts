/**
 * What all that is kept for clients of xDS may take of this process' memory together. What those of one address may have is
 * bounded, and how many addresses there are is not: so none has more than is left, and whoever comes later finds something.
 * It is reckoned, and rather too much than too little.
 */
import { getHeapStatistics } from 'node:v8';
import type { Logger } from '../lib/logger.ts';

/** Of the heap that the process may have, of which the state, and what is under way, take the rest. */
const SHARE = 3;
const MB = 1024 * 1024;

/** Bytes, as spec/xds/room.spec.ts measures them. */
export const TAKES = {
  /** One who is told. */
  member: 6000,
  /** That somebody is told of, or says that he has, beside its letters. */
  name: 500,
  /** What is made anew when it changes, beside what it is. */
  made: 2200,
  /** What is told of a name, beside its text. */
  resource: 1500,
  /** What is followed at the agent, beside the answer. */
  question: 16_000,
  /** Of a text: it stands there as it is read, as it is written, and as a name. */
  letter: 5,
} as const;

/** Of reviews since it was said, or offered. */
const SAID_EACH = 60;
/** Where less has come free, nothing was tried anew for which there was none: that itself takes some, and gives it back. */
const LEAST = 64 * 1024;

/** Of one process. */
export class Room {
  /** There are so many. */
  readonly bytes: number;
  #taken = 0;
  /** What was taken when somebody was refused last. */
  #refusedAt: number | undefined;
  #reviews = 0;
  readonly #waiting = new Set<() => void>();

  constructor(bytes = Math.floor(getHeapStatistics().heap_size_limit / SHARE)) {
    this.bytes = bytes;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Less than nothing is given back. */
  take(bytes: number): void {
    this.#taken += bytes;
  }

  /** Why whoever has that may not have so much more; undefined where it may. */
  refusal(has: number, more: number): string | undefined {
    if (has + more <= this.bytes - this.#taken - more) return undefined;
    this.#refusedAt = Math.max(this.#refusedAt ?? 0, this.#taken);
    const [taken, all] = [this.#taken, this.bytes].map((each) => Math.round(each / MB));
    return `what clients of xDS ask for takes ${taken} MB of ${all} MB, and those of one address have no more than is left`;
  }

  /** Calls as room comes, until it is forgotten. */
  listen(listener: () => void): void {
    this.#waiting.add(listener);
  }

  forget(listener: () => void): void {
    this.#waiting.delete(listener);
  }

  /** To be called once in a second. */
  review(logger: Pick<Logger, 'warn'>): void {
    const refusedAt = this.#refusedAt;
    const wasSaid = this.#reviews > 0;
    if (wasSaid) this.#reviews = (this.#reviews + 1) % SAID_EACH;
    if (refusedAt === undefined) return;
    if (!wasSaid) {
      this.#reviews = 1;
      const line =
        "xds: there is no room for more, and some clients are refused what they ask for (RESOURCE_EXHAUSTED): a third of the heap is for it, which Node's --max-old-space-size makes larger";
      logger.warn(line, { taken: this.#taken, most: this.bytes });
    }
    if (this.#taken > refusedAt - LEAST && this.#waiting.size > 0) return;
    this.#refusedAt = undefined;
    for (const listener of [...this.#waiting]) listener();
  }
}
