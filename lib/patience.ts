/** When whoever was asked is taken for gone, though the socket says nothing. */
import { NS_PER_MS, parseDuration } from './duration.ts';
import { DEFAULT_WAIT_MS, MAX_WAIT_MS, WAIT_JITTER_FRACTION } from './limits.ts';

/**
 * After so long of silence the machine at the other end is probed, each second ten times: one that was switched off, and
 * said nothing, ends what waits there by itself. The kernel does it, and no process is woken.
 */
export const PROBE_AFTER_MS = 5000;
/** Of an answer that waits for nothing, or beyond the wait: large ones take their time. */
const LATE_MS = 10_000;
const PLAIN_MS = 60_000;

/** For the answer to a question: of one that waits as long as any server lets it wait, and some more. */
export function patienceMs(
  query: readonly (readonly [name: string, value: string])[] = [],
): number {
  if (!query.some(([name]) => name === 'index' || name === 'hash')) return PLAIN_MS;
  const asked = query.find(([name]) => name === 'wait')?.[1] ?? '';
  const ms = (parseDuration(asked) ?? 0) / NS_PER_MS;
  const waitMs = ms > 0 ? Math.min(ms, MAX_WAIT_MS) : DEFAULT_WAIT_MS;
  return waitMs * (1 + WAIT_JITTER_FRACTION) + LATE_MS;
}
