/**
 * For work that goes through all there is and leaves nearly nothing behind: V8 lets the heap grow to twice
 * what is alive before it looks for what is not, and a restore of 172,000 instances took twice the memory.
 * While such work goes on it looks whenever a fifth more has come; all the time, that would cost writes a tenth.
 */
import { setFlagsFromString } from 'node:v8';
import type { Cancel } from './clock.ts';

const GROWING_PERCENT = 20;
/** As V8 finds it best. */
const ANY = 0;

let underWay = 0;

/** Until it is cancelled. */
export function beFrugal(): Cancel {
  if (++underWay === 1) mayGrowBy(GROWING_PERCENT);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--underWay === 0) mayGrowBy(ANY);
  };
}

function mayGrowBy(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
