/** One sync of several does the work: the one that holds the lock, for as long as it does. */
import { type Clock, pause } from '../lib/clock.ts';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { Notices } from '../lib/notices.ts';

/** After a turn, or an attempt at one, that ended without being asked to; longer where each is short: it costs writes. */
const RETRY_MS = 200;
const MAX_RETRY_MS = 5000;
const SHORT_MS = 10_000;

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
  /** Resolves when a turn would be of use; where one before could not be given up, once that has ended. */
  readonly ready: (signal: AbortSignal, isLeft: boolean) => Promise<void>;
  readonly lock: () => TurnLock;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Work = (session: string, signal: AbortSignal) => Promise<void>;

/** Does the work again and again, each time by a lock of its own, until the signal is aborted. */
export async function takeTurns(deps: TurnDeps, work: Work, signal: AbortSignal): Promise<void> {
  const { ready, clock, logger } = deps;
  const notices = new Notices((text) => logger.warn(`k8s: ${text}`));
  let failures = 0;
  let isLeft = false;
  for (;;) {
    await ready(signal, isLeft);
    if (signal.aborted) return;
    const began = clock.monotonic();
    isLeft = !(await takeTurn(deps, notices, work, signal));
    failures = clock.monotonic() - began < SHORT_MS ? failures + 1 : 1;
    await pause(clock, Math.min(RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS), signal);
  }
}

/** Whether nothing of it is left. */
async function takeTurn(
  { lock: newLock, logger }: TurnDeps,
  notices: Notices,
  work: Work,
  signal: AbortSignal,
): Promise<boolean> {
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
  try {
    await lock.release();
    return true;
  } catch (error) {
    logger.debug(`k8s: could not let go of the lock: ${messageOf(error)}`);
    return false;
  }
}
