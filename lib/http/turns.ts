/**
 * How many requests begin in one turn of the event loop. While more than a thousand sockets have something
 * to be read, Node polls them up to 48 times before any timer has its turn: thousands of clients who ask
 * without a pause would hold up beats, leases and the end of the process for ten seconds. What comes when
 * a turn has no room waits until the loop has been around, in the order in which it came.
 */

/** Some milliseconds, where each is parsed and refused. */
const AT_ONCE = 64;
/** To begin a count costs as much as a small answer: it is begun when it may be needed. */
const COUNTED_FROM = 32;

export interface Comer {
  begin(): void;
}

let begun = 0;
let isArmed = false;
const waiting = new Set<Comer>();

/** Whether one more may begin in this turn, which then has begun. */
export function beginsNow(): boolean {
  if (waiting.size > 0 || begun >= AT_ONCE) return false;
  if (++begun >= COUNTED_FROM) arm();
  return true;
}

/** It begins when its turn has come. */
export function beginsLater(comer: Comer): void {
  waiting.add(comer);
  arm();
}

export function isWaiting(comer: Comer): boolean {
  return waiting.has(comer);
}

/** It has gone. */
export function beginsNever(comer: Comer): void {
  waiting.delete(comer);
}

function arm(): void {
  if (isArmed) return;
  isArmed = true;
  setImmediate(nextTurn);
}

function nextTurn(): void {
  isArmed = false;
  begun = 0;
  for (const comer of waiting) {
    if (begun >= AT_ONCE) break;
    begun++;
    waiting.delete(comer);
    comer.begin();
  }
  if (waiting.size > 0) arm();
}
