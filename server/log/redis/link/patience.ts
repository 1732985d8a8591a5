/** The ways to wait: all by the clock that is handed over, and all of them end. */
import type { Cancel, Clock } from '../../../../lib/clock.ts';

/**
 * As Clock.after, but what has come in meanwhile is read first: after the process was busy or
 * stopped for long, a timer would fire before the answer that has been waiting in the socket.
 */
export function afterSilence(clock: Clock, ms: number, fn: () => void): Cancel {
  let cancelled = false;
  const cancel = clock.after(ms, () => {
    setImmediate(() => {
      if (!cancelled) fn();
    });
  });
  return () => {
    cancelled = true;
    cancel();
  };
}

/** 'late' when it takes longer; it goes on all the same. */
export async function within<T>(
  clock: Clock,
  deadline: number,
  work: Promise<T>,
): Promise<T | 'late'> {
  let cancel: Cancel = () => undefined;
  const late = new Promise<'late'>((resolve) => {
    cancel = afterSilence(clock, deadline - clock.monotonic(), () => resolve('late'));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}

/** Ends early when the signal aborts. */
export async function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done);
  });
}
