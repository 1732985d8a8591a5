/** One direction of a sync: what it reads all the time, and what it does while it has the turn. */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import type { ApiServer } from './api/api-server.ts';
import { Mirror, type Mirrored } from './api/mirror.ts';
import type { Catalog } from './catalog.ts';

/** What one way has done since the process began. */
export interface WayCounts {
  /** That the other side took. */
  readonly written: number;
  /** That it did not take. */
  readonly refused: number;
  /** That are still to be looked at, or written. */
  readonly waiting: number;
  /** Services that ask to come and do not; the log says why. */
  readonly leftOut?: number;
  /** 1 while what went stays, since most went at once. */
  readonly held?: number;
  /** How often a list of the cluster was read whole, and how often one could not be read. */
  readonly lists: number;
  readonly failures: number;
}

export interface Way {
  /** As metrics call it. */
  readonly name: string;
  readonly counts: WayCounts;
  /** Before, what is not there may only not have been read yet. */
  readonly isWhole: boolean;
  /** Since when the cluster cannot be read, by the clock that never goes back; undefined while it can. */
  readonly lostAt: number | undefined;
  /** Resolves when the signal is aborted, and never before. */
  read(signal: AbortSignal): Promise<void>;
  /** Called once it is whole, and not lost; rejects with a ProconsulError where the turn is another's. */
  work(fence: Fence, signal: AbortSignal): Promise<void>;
}

/** By which a write to the catalog is seen to be of whoever has the turn. */
export interface Fence {
  readonly key: string;
  readonly session: string;
}

export interface WayDeps {
  readonly api: ApiServer;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Something was read: it may be whole now. */
  readonly onRead: () => void;
}

export function readsOf(
  mirrors: readonly Pick<Mirror<unknown>, 'lists' | 'failures'>[],
): Pick<WayCounts, 'lists' | 'failures'> {
  return {
    lists: mirrors.reduce((sum, { lists }) => sum + lists, 0),
    failures: mirrors.reduce((sum, { failures }) => sum + failures, 0),
  };
}

/** A list of the cluster, in one namespace or, where that is '', in all. */
export function mirrorIn<T>(
  deps: WayDeps,
  namespace: string,
  { path, ...mirrored }: Omit<Mirrored<T>, 'whole'>,
): Mirror<T> {
  const { api, clock, random, logger, onRead } = deps;
  const at = path.lastIndexOf('/');
  const within = namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const whole = `${path.slice(0, at)}${within}${path.slice(at)}`;
  return new Mirror({ api, clock, random, logger }, { ...mirrored, path: whole, whole: onRead });
}

/** Of those of several lists that cannot be read, since when. */
export function earliestLoss(
  lists: readonly { readonly lostAt: number | undefined }[],
): number | undefined {
  const times = lists.map(({ lostAt }) => lostAt).filter((at) => at !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}
