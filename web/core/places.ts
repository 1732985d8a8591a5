/**
 * Places for questions that wait, of which all windows of a browser have a few together: a worker that they share gives
 * them. Where it says nothing any more a window asks for another one. Where a browser has none, or it does not begin, each
 * window is by itself.
 */
import type { Pace } from './retry.ts';
import { type Place, type Said, type Told, Turns } from './turns.ts';

interface Asked {
  readonly give: () => void;
  readonly over: AbortController;
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

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Before anything waits: a worker takes a moment to begin. */
  start(): void {
    this.#hasBegun = false;
    this.#looks = 0;
    const hear = (told?: Told) => this.#line === line && this.#hear(told);
    const failed = () => this.#line === line && this.#goOn(() => this.#goOnAlone());
    const line = this.#around.open(hear, failed);
    if (line === undefined) {
      this.#goOnAlone();
      return;
    }
    this.#line = line;
    this.#say = line.say;
    this.#askAgain();
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
      this.#asked.set(id, { give: () => resolve({ over: over.signal, leave }), over });
      signal.addEventListener('abort', end);
      this.#say({ is: 'wanted', id });
      if (!this.#isLooking) this.#lookLater();
    });
  }

  #hear(told?: Told): void {
    this.#hasBegun = true;
    this.#looks = 0;
    if (told === undefined) return;
    const question = this.#asked.get(told.id);
    if (told.is === 'yours') question?.give();
    else question?.over.abort();
  }

  #lookLater(): void {
    this.#isLooking = this.#line !== undefined;
    if (this.#isLooking) this.#around.after(LOOK_MS, () => this.#look());
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

  #goOnAlone(): void {
    this.#say = new Turns(this.#around).opened((told) => this.#hear(told));
    this.#askAgain();
  }

  #askAgain(): void {
    if (this.#around.isUsed()) this.tell('here');
    for (const id of this.#asked.keys()) this.#say({ is: 'wanted', id });
  }
}
