/**
 * Work that takes long gives way to all other work: one slice of it is done in a turn of the loop, however
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

interface Task {
  /** Goes on by a slice; whether there is more to do. */
  readonly go: () => boolean;
}

const underWay: Task[] = [];
const waiting: Task[] = [];

/** What the steps come to: at once, or a promise of it. Throws what the first of them throw. */
export function inSlices<T>(steps: Steps<T>): T | Promise<T> {
  const first = slice(steps);
  if (first.done === true) return first.value;
  if (waiting.length >= MAX_WAITING) {
    throw new ProconsulError('busy', 'Too many large answers are being made');
  }
  return new Promise((resolve, reject) => {
    const go = () => {
      try {
        const next = slice(steps);
        if (next.done === true) resolve(next.value);
        return next.done !== true;
      } catch (error) {
        reject(error);
        return false;
      }
    };
    if (underWay.length + waiting.length === 0) setImmediate(turn);
    (underWay.length < MAX_AT_ONCE ? underWay : waiting).push({ go });
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

function turn(): void {
  const task = underWay.shift() as Task;
  if (task.go()) underWay.push(task);
  else {
    const next = waiting.shift();
    if (next !== undefined) underWay.push(next);
  }
  if (underWay.length > 0) setImmediate(turn);
}
