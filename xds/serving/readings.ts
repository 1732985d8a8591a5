/**
 * Messages that have come and are to be read: of each address a few at a time, until all that they name is taken, for
 * what is read takes ten times the memory that it came in. Whatever else was said waits as it came.
 */
import { networkOf } from '../../lib/ip.ts';

/** With what a client says of itself at first, and names of a hundred services: such ones wait for no long one. */
const SMALL_BYTES = 16 * 1024;
/** Of those that have begun: of one address, and of all. One of them may be longer. */
const OF_ONE_BYTES = 1024 * 1024;
const OF_ALL_BYTES = 4 * OF_ONE_BYTES;
/** Beside what it says. */
const EACH_BYTES = 256;

/** `begin` is called as soon as it may be read, which may be at once. */
type Begin = (reading: Reading) => void;

export class Reading {
  readonly weight: number;
  readonly begin: Begin;
  #bytes: Buffer | undefined;
  #leave: ((mine: Reading) => void) | undefined;

  constructor(bytes: Buffer, begin: Begin, leave: (mine: Reading) => void) {
    this.weight = bytes.length + EACH_BYTES;
    this.begin = begin;
    this.#bytes = bytes;
    this.#leave = leave;
  }

  /** Once; undefined where nobody waits for it any more. */
  take(): Buffer | undefined {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    return bytes;
  }

  /** All that it says is taken, or nobody waits for it any more: others may begin. To be called by whoever has it. */
  over(): void {
    const leave = this.#leave;
    this.#bytes = undefined;
    this.#leave = undefined;
    leave?.(this);
  }
}

/** Of one process. */
export class Readings {
  /** Each address may always begin one: it waits for no names of strangers. */
  readonly #small = new Lane(true);
  readonly #large = new Lane(false);

  enter(from: string, bytes: Buffer, begin: Begin): Reading {
    const lane = bytes.length <= SMALL_BYTES ? this.#small : this.#large;
    return lane.enter(networkOf(from), bytes, begin);
  }
}

interface Line {
  readonly address: string;
  readonly waiting: Set<Reading>;
  /** Of those that have begun. */
  weight: number;
}

class Lane {
  readonly #lines = new Map<string, Line>();
  readonly #oneOfEach: boolean;
  /** Those whose first one waits for nobody. */
  readonly #free = new Set<Line>();
  /** Those whose first one waits for nothing of their own; that whose turn is next stands first. */
  readonly #ready = new Set<Line>();
  #weight = 0;
  #isBeginning = false;

  constructor(oneOfEach: boolean) {
    this.#oneOfEach = oneOfEach;
  }

  enter(address: string, bytes: Buffer, begin: Begin): Reading {
    const line = this.#lines.get(address) ?? { address, waiting: new Set(), weight: 0 };
    this.#lines.set(address, line);
    const reading = new Reading(bytes, begin, (mine) => this.#leave(line, mine));
    line.waiting.add(reading);
    this.#look(line);
    this.#begin();
    return reading;
  }

  #leave(line: Line, reading: Reading): void {
    if (!line.waiting.delete(reading)) this.#count(line, -reading.weight);
    this.#look(line);
    this.#begin();
  }

  #count(line: Line, weight: number): void {
    line.weight += weight;
    this.#weight += weight;
  }

  /** It keeps its place where it has one. */
  #look(line: Line): void {
    const [first] = line.waiting;
    const isReady = first !== undefined && hasRoom(line.weight, first, OF_ONE_BYTES);
    if (isReady && this.#oneOfEach && line.weight === 0) this.#free.add(line);
    if (isReady) this.#ready.add(line);
    else {
      this.#free.delete(line);
      this.#ready.delete(line);
    }
    if (first === undefined && line.weight === 0) this.#lines.delete(line.address);
  }

  #next(): Line | undefined {
    const [free] = this.#free;
    if (free !== undefined) return free;
    const [line] = this.#ready;
    const [first] = line?.waiting ?? [];
    const mayBegin = first !== undefined && hasRoom(this.#weight, first, OF_ALL_BYTES);
    return mayBegin ? line : undefined;
  }

  /** Not within itself: what begins may be over at once, and thousands may stand in line. */
  #begin(): void {
    if (this.#isBeginning) return;
    this.#isBeginning = true;
    try {
      for (let line = this.#next(); line !== undefined; line = this.#next()) {
        const [first] = line.waiting;
        this.#free.delete(line);
        // The next of it comes behind all others.
        this.#ready.delete(line);
        if (first === undefined) continue;
        line.waiting.delete(first);
        this.#count(line, first.weight);
        this.#look(line);
        first.begin(first);
      }
    } finally {
      this.#isBeginning = false;
    }
  }
}

/** For one at least, however long it is. */
function hasRoom(weight: number, { weight: more }: Reading, most: number): boolean {
  return weight === 0 || weight + more <= most;
}
