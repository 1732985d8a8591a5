export type Cancel = () => void;

/** Time comes in through here, so that specs can move it by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds that never go back, for measuring how long something took. */
  monotonic(): number;
  /** Calls `fn` once after `ms`, unless cancelled before. */
  after(ms: number, fn: () => void): Cancel;
}

/** Node fires a longer timer at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, Math.min(Math.max(ms, 0), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/**
 * What a whole process shares is seen to when a turn of its loop is over, whoever began it; `mine` hands it a
 * call that is made as the one who hands it over. Ports: a simulator has many processes in one.
 */
export const loop = {
  nextTurn(fn: () => void): void {
    setImmediate(fn);
  },
  mine<Args extends readonly unknown[]>(call: (...args: Args) => void): (...args: Args) => void {
    return call;
  },
};

/** Resolves after so long, or at once when the signal says so; leaves no timer behind. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}

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
export async function byDeadline<T>(
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
