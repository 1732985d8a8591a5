import type { Clock } from './clock.ts';

/**
 * Does a piece of work under a signal of its own, which is aborted with the other one, or after so long. Not by
 * AbortSignal.any: in Node 20 each one made leaves something to the other signal for as long as that lives, which
 * here is as long as the process.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const end = () => over.abort();
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  const cancel = clock.after(ms, end);
  try {
    return await work(over.signal);
  } finally {
    cancel();
    signal.removeEventListener('abort', end);
  }
}
