/** Who has the lock of a key, and what becomes of it when he goes. */
import type { Session } from '../../lib/model.ts';
import { useOnce } from '../core/live.ts';
import { href } from '../core/router.ts';
import { kvWords } from '../words/kv-words.ts';
import { lasting } from '../words/times.ts';
import { Shape } from './status.tsx';

const NS_PER_MS = 1e6;

export function KeyLock({ session }: { readonly session: string }) {
  const say = kvWords.value;
  // A session never changes, and its end is seen at the key.
  const live = useOnce<readonly Session[]>(`/v1/session/info/${encodeURIComponent(session)}`);
  const [holder] = live.value ?? [];
  return (
    <div class="kv-lock">
      <p>
        <Shape status="maintenance" /> <strong>{say.locked}</strong>{' '}
        {holder === undefined ? (
          say.lockedBySomebody
        ) : (
          <>
            {say.lockedBy(holder.Name || holder.ID, holder.Node)}{' '}
            <a href={href('nodes', holder.Node)}>{say.toHolder}</a>
          </>
        )}
      </p>
      <p class="aside">
        {holder !== undefined &&
          (holder.LockDelay > 0
            ? say.lockDelay(lasting(holder.LockDelay / NS_PER_MS))
            : say.noDelay)}{' '}
        {holder !== undefined && holder.TTL !== '' && say.endsWith(holder.TTL)} {say.writesAnyway}
      </p>
    </div>
  );
}
