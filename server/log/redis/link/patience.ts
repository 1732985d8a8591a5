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
