/** One sync of several does the work: the one that holds the lock, for as long as it does. */
import { type Clock, pause } from '../lib/clock.ts';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { Notices } from '../lib/notices.ts';

/** After a turn, or an attempt at one, that ended without being asked to. */
const RETRY_MS = 200;

/** A lock that is used once. */
export interface TurnLock {
  /** Aborted when somebody else may hold it by now. */
  readonly lost: AbortSignal;
  /** That it is held by, once it is. */
  readonly session: string;
  /** Waits as long as it takes; call `release` in any case. */
  acquire(): Promise<boolean>;
  release(): Promise<unknown>;
}

export interface TurnDeps {
  readonly lock: () => TurnLock;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Does the work again and again, each time by a lock of its own, until the signal is aborted. */
export async function takeTurns(
  { lock: newLock, clock, logger }: TurnDeps,
  work: (session: string, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const notices = new Notices((text) => logger.warn(`k8s: ${text}`));
  while (!signal.aborted) {
    const lock = newLock();
    const ending = new AbortController();
    const end = () => ending.abort();
    const over = ending.signal;
    for (const each of [signal, lock.lost]) each.addEventListener('abort', end, { once: true });
    try {
      if (await lock.acquire()) {
        notices.clear('');
        logger.info('k8s: holds the lock, and writes from now on');
        await work(lock.session, over);
      }
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      if (!over.aborted) notices.tell('', messageOf(error));
    }
    signal.removeEventListener('abort', end);
    if (lock.lost.aborted) logger.warn('k8s: lost the lock');
    await lock.release().catch((error: unknown) => {
      // The lock's session ends by itself.
      logger.debug(`k8s: could not let go of the lock: ${messageOf(error)}`);
    });
    await pause(clock, RETRY_MS, signal);
  }
}
