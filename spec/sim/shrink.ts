/** Looks for the fewest faults with which a run still fails: what they are then says why. */
import type { Fault } from './faults/fault.ts';

/**
 * As ddmin: takes away halves, then quarters, and so on, as long as it still fails. Every attempt is
 * the same run but for the faults that are left out.
 */
export async function shrink(
  faults: readonly Fault[],
  fails: (faults: readonly Fault[]) => Promise<boolean>,
  maxAttempts: number,
): Promise<readonly Fault[]> {
  let left = faults;
  let attempts = 0;
  for (let parts = 2; left.length > 0 && attempts < maxAttempts; ) {
    const size = Math.ceil(left.length / parts);
    let smaller: readonly Fault[] | undefined;
    for (let at = 0; at < left.length && attempts < maxAttempts; at += size) {
      const without = [...left.slice(0, at), ...left.slice(at + size)];
      attempts++;
      if (!(await fails(without))) continue;
      smaller = without;
      break;
    }
    if (smaller !== undefined) {
      left = smaller;
      parts = Math.max(2, parts - 1);
    } else if (size === 1) {
      break;
    } else {
      parts = Math.min(left.length, parts * 2);
    }
  }
  return left;
}
