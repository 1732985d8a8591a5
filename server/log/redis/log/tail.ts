/** Reads the stream on, from an index of our own and never from `$`, which leaves entries out. */
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Keys } from '../link/keys.ts';
import { BLOCK_MS, TAIL_COUNT } from '../link/limits.ts';
import type { Session } from '../link/session.ts';
import type { History } from '../repair/history.ts';
import { parseStreamItem, type StreamItem, streamId } from './stream-entry.ts';

/**
 * Feeds the history until the session ends, and then rejects. Ends it where an entry does not
 * follow: what comes next is for a new session to find out.
 */
export async function followTail(
  { tail }: Session,
  keys: Keys,
  history: History,
  onApplied: () => void,
): Promise<never> {
  for (;;) {
    const from = streamId(history.position.index);
    const args = ['COUNT', TAIL_COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', keys.log, from];
    const reply = (await tail.call('XREAD', args)) as [[string, StreamItem[]]] | null;
    if (reply === null) continue;
    const items = reply[0][1];
    const followed = history.follow(items.map(parseStreamItem));
    if (followed > 0) onApplied();
    if (followed < items.length) {
      const odd = items[followed]?.[0];
      throw new ProconsulError('internal', `entry ${odd} of the stream does not follow`);
    }
  }
}
