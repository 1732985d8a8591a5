/**
 * Places for questions that wait, of which all windows of a browser have a few together: a worker that they share gives
 * them. Where it says nothing any more a window asks for another one. Where a browser has none each window is by itself,
 * as it is until one that does not begin does.
 */
import type { Pace } from './retry.ts';
import { type Place, type Said, type Told, Turns } from './turns.ts';

interface Asked {
  readonly give: () => void;
  readonly over: AbortController;
  /** What it asks for comes by now. */
  isComing: boolean;
}

/** To whoever gives places to all windows. */
export interface Line {
  /** Without a word: whether anybody is there, who says so by a word without anything in it. */
  readonly say: (said?: Said) => void;
  readonly close: () => void;
}

interface Surroundings extends Pace {
  readonly now: () => number;
  /** Undefined where this browser has none. `failed`: nobody will ever be there. */
  readonly open: (hear: (told?: Told) => void, failed: () => void) => Line | undefined;
  readonly isUsed: () => boolean;
}

/** While anything is asked, it is looked at so often whether anybody is there. */
const LOOK_MS = 5000;
/** A window that slept comes to a look before it comes to what was said meanwhile: one alone says nothing. */
const LOOKS_IN_VAIN = 2;
/** A window by itself tries so often whether there is a worker by now. */
const ALONE_MS = 60_000;

export class Places {
  readonly #around: Surroundings;
  readonly #asked = new Map<number, Asked>();
  #next = 1;
  /** Undefined for a window by itself. */
  #line: Line | undefined;
  #say: (said: Said) => void = () => undefined;
  #hasBegun = false;
  #looks = 0;
  #isLooking = false;
  /** One that may yet begin. */
  #sought: Line | undefined;
  #cancelSeek: () => void = () => undefined;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Before anything waits: a worker takes a moment to begin. */
  start(): void {
    this.#hasBegun = false;
    const line = this.#open();
    if (line === undefined) this.#beginAlone();
    else this.#goOnWith(line);
  }

  /** Somebody is at this window by now; or it is closed. */
  tell(is: 'here' | 'gone'): void {
    this.#say({ is, id: 0 });
  }

  /** Once there is one. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<Place> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const over = new AbortController();
      const leave = () => {
        if (!this.#asked.delete(id)) return;
        signal.removeEventListener('abort', end);
        this.#say({ is: 'left', id });
      };
      const end = () => {
        leave();
        reject(signal.reason);
      };
      const turns = (is: 'comes' | 'waits') => () => {
        asked.isComing = is === 'comes';
        this.#say({ is, id });
      };
      const place = { over: over.signal, comes: turns('comes'), waits: turns('waits'), leave };
      const asked: Asked = { give: () => resolve(place), over, isComing: false };
      this.#asked.set(id, asked);
      signal.addEventListener('abort', end);
      this.#say({ is: 'wanted', id });
      this.#lookLater();
    });
  }

  #hear(told?: Told): void {
    this.#hasBegun = true;
    this.#looks = 0;
    if (told === undefined) return;
    const question = this.#asked.get(told.id);
    if (told.is === 'over') question?.over.abort();
    else if (question?.isComing) this.#say({ is: 'comes', id: told.id });
    else question?.give();
  }

  #open(): Line | undefined {
    const hear = (told?: Told) => {
      if (line !== undefined && this.#sought === line) this.#goOnWith(line);
      if (this.#line === line) this.#hear(told);
    };
    const failed = () => this.#line === line && this.#goOn(() => this.#goOnAlone());
    const line = this.#around.open(hear, failed);
    return line;
  }

  #lookLater(): void {
    if (this.#isLooking || this.#line === undefined) return;
    this.#isLooking = true;
    this.#around.after(LOOK_MS, () => this.#look());
  }

  /** A worker may be ended at any time, by its browser or by whoever uses it: nobody is told of that. */
  #look(): void {
    this.#isLooking = false;
    if (this.#asked.size === 0) {
      this.#looks = 0;
      return;
    }
    if (this.#looks === LOOKS_IN_VAIN)
      this.#goOn(() => (this.#hasBegun ? this.start() : this.#goOnAlone()));
    else {
      this.#looks++;
      this.#line?.say();
    }
    this.#lookLater();
  }

  /** With somebody else: whoever is there all the same gives no place to this window any more. */
  #goOn(begin: () => void): void {
    const line = this.#line;
    this.#line = undefined;
    line?.say({ is: 'gone', id: 0 });
    line?.close();
    begin();
  }

  #goOnWith(line: Line): void {
    this.#cancelSeek();
    this.#sought = undefined;
    this.#line = line;
    this.#say = line.say;
    this.#looks = 0;
    this.#askAgain();
    if (this.#asked.size > 0) this.#lookLater();
  }

  #goOnAlone(): void {
    this.#beginAlone();
    this.#seekLater();
  }

  #beginAlone(): void {
    this.#say = new Turns(this.#around).opened((told) => {
      if (this.#line === undefined) this.#hear(told);
    });
    this.#askAgain();
  }

  #seekLater(): void {
    this.#cancelSeek = this.#around.after(ALONE_MS, () => {
      this.#sought?.close();
      // Until it says something nobody waits for it.
      this.#sought = this.#open();
      this.#seekLater();
    });
  }

  #askAgain(): void {
    if (this.#around.isUsed()) this.tell('here');
    for (const id of this.#asked.keys()) this.#say({ is: 'wanted', id });
  }
}
