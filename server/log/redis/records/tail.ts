/** Reads the stream on, from an index of our own and never from `$`, which leaves entries out. */
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Connection } from '../link/connection.ts';
import type { Keys } from '../link/keys.ts';
import { BLOCK_MS, READ_MAX_BYTES, READ_MAX_ENTRIES, WAKE_MAX_ENTRIES } from '../link/limits.ts';
import type { Session } from '../link/session.ts';
import { dailyKeys, READ } from './scripts.ts';
import { parseStreamItem, type RawEntry, type StreamItem, streamId } from './stream-entry.ts';

/**
 * The entries after an index; undefined stands for what is none of ours. As many as may be had in one
 * piece: entries differ in size by a thousand, so they are counted by bytes. None only at the end.
 */
export async function readAfter(
  redis: Connection,
  keys: Keys,
  index: number,
): Promise<(RawEntry | undefined)[]> {
  return (await readItemsAfter(redis, keys, streamId(index))).map(parseStreamItem);
}

/** Likewise, whatever stands in the stream. */
export async function readItemsAfter(
  redis: Connection,
  keys: Keys,
  id: string,
  maxEntries = READ_MAX_ENTRIES,
): Promise<StreamItem[]> {
  const args = [id, maxEntries, READ_MAX_BYTES];
  return (await redis.run(READ, dailyKeys(keys), args)) as StreamItem[];
}

/** The entry of an index; undefined where there is none, or none of ours. */
export async function entryAt(
  redis: Connection,
  keys: Keys,
  index: number,
): Promise<RawEntry | undefined> {
  const [item] = await readItemsAfter(redis, keys, streamId(index - 1), 1);
  const entry = item === undefined ? undefined : parseStreamItem(item);
  return entry?.index === index ? entry : undefined;
}

/** Who takes the entries as they come, as long as each follows from the one before. */
export interface Follower {
  readonly position: { readonly index: number };
  /** How many of them follow. */
  follow(entries: readonly (RawEntry | undefined)[]): number;
}

/**
 * Feeds the history until the session ends, and then rejects. Ends it where an entry does not
 * follow: what comes next is for a new session to find out.
 */
export async function followTail(
  { tail }: Session,
  keys: Keys,
  history: Follower,
  onApplied: () => void,
): Promise<never> {
  const feed = (entries: readonly (RawEntry | undefined)[]) => {
    const followed = history.follow(entries);
    if (followed > 0) onApplied();
    if (followed === entries.length) return;
    const { index } = history.position;
    throw new ProconsulError('internal', `the stream's entry after index ${index} does not follow`);
  };
  for (;;) {
    const from = streamId(history.position.index);
    // XREAD cannot count bytes: it only wakes us, and brings the little there mostly is.
    const args = ['COUNT', WAKE_MAX_ENTRIES, 'BLOCK', BLOCK_MS, 'STREAMS', keys.log, from];
    const reply = (await tail.call('XREAD', args)) as [[string, StreamItem[]]] | null;
    if (reply === null) continue;
    let entries = reply[0][1].map(parseStreamItem);
    feed(entries);
    if (entries.length < WAKE_MAX_ENTRIES) continue;
    do {
      entries = await readAfter(tail, keys, history.position.index);
      feed(entries);
    } while (entries.length > 0);
  }
}
