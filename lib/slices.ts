/**
 * Work that takes long gives way to all other work: in a turn of the loop one slice of it is done, however
 * much there is to do. What takes one slice alone is done at once.
 */
import { ProconsulError } from './errors.ts';

/** Yields what each step came to, in about the characters of JSON that could have been written. */
export type Steps<T> = Generator<number, T>;

/** Some eight milliseconds. */
const SLICE = 512 * 1024;
/** They take turns, for a short one must not wait for a long one; each may hold what it makes. */
const MAX_AT_ONCE = 4;
/** What waits has not begun to make anything. Beyond these nobody would be served: who asks is told so. */
const MAX_WAITING = 4096;

/** Goes on by a slice; whether there is more to do. */
type Task = () => boolean;

const underWay: Task[] = [];
const waiting: Task[] = [];
/** Those with one slice to do, which are not to wait for long ones. */
const short: Task[] = [];
let isShortNext = true;
let isTurning = false;

/** What the steps come to: at once, or a promise of it. Throws what the first of them throw. */
export function inSlices<T>(begin: () => Steps<T>): T | Promise<T> {
  let steps = begin();
  const first = slice(steps);
  if (first.done === true) return first.value;
  if (waiting.length >= MAX_WAITING) {
    throw new ProconsulError('busy', 'Too many large answers are being made');
  }
  const hasPlace = underWay.length < MAX_AT_ONCE;
  // Thousands may wait: each would hold its first slice, so it is made again.
  if (!hasPlace) steps = begin();
  return new Promise((resolve, reject) => {
    const task = () => {
      try {
        const next = slice(steps);
        if (next.done === true) resolve(next.value);
        return next.done !== true;
      } catch (error) {
        reject(error);
        return false;
      }
    };
    (hasPlace ? underWay : waiting).push(task);
    goOn();
  });
}

/** Resolves in a turn in which no other long work is done: for what takes about a slice. */
export function ownTurn(): Promise<void> {
  return new Promise((resolve) => {
    short.push(() => {
      resolve();
      return false;
    });
    goOn();
  });
}

function slice<T>(steps: Steps<T>): IteratorResult<number, T> {
  let done = 0;
  for (;;) {
    const next = steps.next();
    if (next.done === true) return next;
    done += next.value;
    if (done >= SLICE) return next;
  }
}

function goOn(): void {
  if (isTurning || underWay.length + short.length === 0) return;
  isTurning = true;
  setImmediate(() => {
    isTurning = false;
    turn();
    goOn();
  });
}

function turn(): void {
  const next = isShortNext ? short.shift() : undefined;
  isShortNext = !isShortNext || underWay.length === 0;
  if (next !== undefined) {
    next();
    return;
  }
  const task = underWay.shift() ?? short.shift();
  if (task?.() === true) underWay.push(task);
  else if (underWay.length < MAX_AT_ONCE && waiting.length > 0)
    underWay.push(waiting.shift() as Task);
}
