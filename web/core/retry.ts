/** When something is asked for again that nobody has answered. */
import { Refusal } from './refusal.ts';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;

/** What a clock and chance are for: specs have their own. */
export interface Pace {
  readonly after: (ms: number, call: () => void) => () => void;
  readonly random: () => number;
}

export const PACE: Pace = {
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/** Ever more seldom; `failures` is how often it has failed before. */
export function retryMs(failures: number, chance: number): number {
  return spread(Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures), chance);
}

/** All pages that have lost one server must not come back to it in the same moment. */
export function spread(ms: number, chance: number): number {
  return ms * (0.75 + chance / 2);
}

/** A server that hangs, or has gone without a word, says nothing, ever. */
const PATIENCE_MS = 15_000;

/**
 * Asks until somebody answers, also if that is a refusal: what is asked once alone must not be lost in a hiccup, nor
 * wait for what never comes. Once the signal says so it asks no more, and the answer is undefined.
 */
export async function untilAnswered<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  pace: Pace = PACE,
): Promise<T | undefined> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return await patiently(ask, signal, pace);
    } catch (error) {
      if (!(error instanceof Refusal) || error.why !== 'lost') throw error;
      await passed(retryMs(failures, pace.random()), signal, pace);
    }
  }
  return undefined;
}

/** Lost where there is no answer in time. */
async function patiently<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
  { after }: Pace,
): Promise<T> {
  const asking = new AbortController();
  const end = () => asking.abort(signal.reason);
  signal.addEventListener('abort', end);
  const cancel = after(PATIENCE_MS, () => asking.abort(new Refusal('lost', 0, '')));
  try {
    return await ask(asking.signal);
  } finally {
    cancel();
    signal.removeEventListener('abort', end);
  }
}

function passed(ms: number, signal: AbortSignal, { after }: Pace): Promise<void> {
  return new Promise((resolve) => {
    const cancel = after(ms, end);
    function end() {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    }
    signal.addEventListener('abort', end);
  });
}
