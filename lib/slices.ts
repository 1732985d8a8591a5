/**
 * Work that takes long gives way to all other work: in a turn of the loop one slice of it is done, however
 * much there is to do and however many ask. What is short is done at once, as far as a turn has room for
 * it. What is long is done for as long as anybody wants it; what it holds before its turn has come it says.
 */
import { type Claim, largeBodies } from './body-room.ts';
import { type Cancel, loop } from './clock.ts';
import { gone, ProconsulError } from './errors.ts';
import { inTurns, SHORT, SLICE } from './long-turns.ts';

/** Yields what each step came to, in about the characters of JSON that could have been written. */
export type Steps<T> = Generator<number, T>;

/** They take turns, for a short one must not wait for a long one; each may hold what it makes. */
const MAX_AT_ONCE = 4;
/** Beyond these nobody would be served: who asks is told so. */
const MAX_WAITING = 4096;

/** Does up to so much, and says how much it was. */
type Task = (most: number) => number;

interface Going {
  readonly goOn: Task;
}

const underWay = new Set<Going>();
/** They have begun nothing. */
const waiting = new Set<Going>();
/** Those who came when a turn had no room. */
const comers = new Set<Task>();
/** What was done at once in this turn. */
let spent = 0;

/**
 * What the steps come to: at once, or as the work that is left. Throws what the first of them throw.
 * `holds` is how many bytes `begin` keeps alive.
 */
export function inSlices<T>(begin: () => Steps<T>, holds = 0): T | Work<T> {
  if (spent >= SLICE) return new Work(begin, { holds });
  if (spent === 0) {
    loop.nextTurn(() => {
      spent = 0;
    });
  }
  const steps = begin();
  const first = doSome(steps, SLICE - spent);
  spent += first.done;
  if (first.result !== undefined) return first.result.value;
  if (underWay.size + comers.size < MAX_AT_ONCE) return new Work(begin, { holds, steps });
  // Thousands may come: each would hold its first slice, so it is made again.
  endOf(steps);
  return new Work(begin, { holds });
}

interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

interface Begun<T> {
  readonly holds: number;
  readonly steps?: Steps<T>;
}

/** Done for as long as anybody wants it; begun anew when somebody wants it again. */
export class Work<T> implements Going {
  /** Never settles while nobody wants it. */
  readonly result: Promise<T>;
  /** How many bytes it keeps alive until it is done, begun or not: whoever keeps it counts them. */
  readonly holds: number;
  /** Until it is done, for whoever keeps this must not keep what it was made of. */
  #begin: (() => Steps<T>) | undefined;
  #steps: Steps<T> | undefined;
  #settle: Settle<T> | undefined;
  #wanted = 0;
  /** To room for what it holds, while it is wanted: thousands may wait for their turn, each with little. */
  readonly #claim: Claim = largeBodies.claim(1);

  constructor(begin: () => Steps<T>, { holds, steps }: Begun<T>) {
    this.#begin = begin;
    this.holds = holds;
    this.#steps = steps;
    this.result = new Promise((resolve, reject) => {
      this.#settle = { resolve: loop.mine(resolve), reject: loop.mine(reject) };
    });
    // Whoever wants it is told; there may be nobody.
    this.result.catch(() => undefined);
  }

  /** Says that someone wants it, until he says that he does not any more. */
  want(): Cancel {
    if (++this.#wanted === 1) this.#enter();
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      if (--this.#wanted === 0) this.#leave();
    };
  }

  /** Does up to so much, and says how much it was. */
  readonly goOn = (most: number): number => {
    let done = 0;
    try {
      this.#steps ??= this.#begin?.();
      if (this.#steps === undefined) return done;
      const some = doSome(this.#steps, most);
      done = some.done;
      const { result } = some;
      if (result !== undefined) this.#end(({ resolve }) => resolve(result.value));
    } catch (error) {
      forgetFrames(error);
      this.#end(({ reject }) => reject(error));
    }
    return done;
  };

  /** What was short is over by its first go; the rest has its place among what is long. */
  readonly #firstGo = (most: number): number => {
    const done = this.goOn(most);
    if (this.#settle === undefined) return done;
    if (underWay.size < MAX_AT_ONCE) underWay.add(this);
    else {
      this.#drop();
      waiting.add(this);
    }
    return done;
  };

  #enter(): void {
    if (this.#settle === undefined) return;
    if (comers.size + waiting.size >= MAX_WAITING) {
      const why = new ProconsulError('busy', 'Too many large answers are being made');
      this.#end(({ reject }) => reject(why));
      return;
    }
    try {
      this.#claim.grow(this.holds);
    } catch (error) {
      this.#end(({ reject }) => reject(error));
      return;
    }
    comers.add(this.#firstGo);
    goOn();
  }

  #leave(): void {
    comers.delete(this.#firstGo);
    waiting.delete(this);
    underWay.delete(this);
    this.#claim.end();
    this.#drop();
  }

  #end(tell: (settle: Settle<T>) => void): void {
    const settle = this.#settle;
    this.#settle = undefined;
    this.#begin = undefined;
    this.#leave();
    if (settle !== undefined) tell(settle);
  }

  #drop(): void {
    if (this.#steps !== undefined) endOf(this.#steps);
    this.#steps = undefined;
  }
}

/** What it comes to, for one who may go before: then it rejects, and nothing more is done of it for him. */
export async function wantedBy<T>(
  asking: { readonly signal: AbortSignal },
  made: T | Work<T>,
): Promise<T> {
  if (!(made instanceof Work)) return made;
  const { signal } = asking;
  if (signal.aborted) throw gone();
  const leave = made.want();
  let over: Cancel = () => undefined;
  const left = new Promise<never>((_, reject) => {
    over = () => {
      leave();
      reject(gone());
    };
    signal.addEventListener('abort', over, { once: true });
  });
  try {
    return await Promise.race([made.result, left]);
  } finally {
    signal.removeEventListener('abort', over);
    leave();
  }
}

function doSome<T>(steps: Steps<T>, most: number) {
  let done = 0;
  for (;;) {
    const next = steps.next();
    if (next.done === true) return { done, result: { value: next.value } };
    done += next.value;
    if (done >= most) return { done, result: undefined };
  }
}

/**
 * Until its stack is asked for, an error keeps alive what each function in it was at work with: all rows
 * and pieces of an answer, for as long as anybody has the error.
 */
function forgetFrames(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

/** It may hold what others wait for. */
function endOf(steps: Steps<unknown>): void {
  steps.return(undefined);
}

/** As many as one slice has room for; what is short among them passes the long by. */
const goOn = inTurns({
  get size() {
    return comers.size;
  },
  take: () => {
    let left = SLICE;
    for (const task of comers) {
      comers.delete(task);
      left -= task(SHORT);
      if (left < SHORT) break;
    }
  },
});

inTurns({
  get size() {
    return underWay.size + waiting.size;
  },
  take: () => {
    fill();
    const [next] = underWay;
    if (next === undefined) return;
    // The last of them by now.
    underWay.delete(next);
    underWay.add(next);
    next.goOn(SLICE);
    fill();
  },
});

function fill(): void {
  for (const work of waiting) {
    if (underWay.size >= MAX_AT_ONCE) return;
    waiting.delete(work);
    underWay.add(work);
  }
}
