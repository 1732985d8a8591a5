/**
 * What all that is kept for clients of xDS may take of this process' memory together. What those of one address may have is
 * bounded, and how many addresses there are is not. Whoever asks first has most of it, for thousands of Envoys may stand behind
 * one address; the rest is for those who hold little. What comes to be of names that are held is only counted. It is
 * reckoned, and rather too much than too little.
 */
import { getHeapStatistics } from 'node:v8';
import type { Logger } from '../lib/logger.ts';

/** Of the heap that the process may have, of which the state, and what is under way, take the rest. */
const SHARE = 3;
const MB = 1024 * 1024;
/** Of the room, for addresses that hold no more than that: what strangers take keeps none of them out. */
const FOR_SMALL = 1 / 4;
const SMALL = MB / 4;

/** Bytes, as spec/xds/room.spec.ts measures them. */
export const TAKES = {
  /** One who is told. */
  member: 6000,
  /** That somebody is told of, or says that he has, beside its letters. */
  name: 200,
  /** What is made anew when it changes, beside what it is. */
  made: 2200,
  /** What is told of a name, beside its text. */
  resource: 1800,
  /** What is followed at the agent, beside the answer. */
  question: 16_000,
  /** Of a text: it stands there as it is read, and as it is written. */
  letter: 5,
  nameLetter: 2,
} as const;

/** Of reviews since it was said. */
const SAID_EACH = 60;

/** Of one process. */
export class Room {
  /** There are so many. */
  readonly bytes: number;
  #taken = 0;
  /** Since the last review. */
  #hasRefused = false;
  #reviews = 0;

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

  /** Why whoever has that may not ask for so much more; undefined where he may. */
  refusal(has: number, more: number): string | undefined {
    const left = this.bytes - this.#taken - more;
    const least = has + more <= SMALL ? 0 : this.bytes * FOR_SMALL;
    if (left >= least) return undefined;
    this.#hasRefused = true;
    const [taken, all] = [this.#taken, this.bytes].map((each) => Math.round(each / MB));
    return `what clients of xDS ask for takes ${taken} MB of ${all} MB, of which the last quarter is for addresses that hold little`;
  }

  /** To be called once in a second. */
  review(logger: Pick<Logger, 'warn'>): void {
    const wasSaid = this.#reviews > 0;
    if (wasSaid) this.#reviews = (this.#reviews + 1) % SAID_EACH;
    const isToSay = this.#hasRefused && !wasSaid;
    this.#hasRefused = false;
    if (!isToSay) return;
    this.#reviews = 1;
    const line =
      "xds: there is no room for more, and some clients are refused what they ask for (RESOURCE_EXHAUSTED): a third of the heap is for it, which Node's --max-old-space-size makes larger";
    logger.warn(line, { taken: this.#taken, most: this.bytes });
  }
}
