/** How a connection ends of which nothing more is heard, so that the other side has all that was said to it. */
import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../../lib/clock.ts';
import { whenIdle } from './idleness.ts';

/** Who was told that it is over may say so long that it has read it. */
const LINGER_MS = 1000;
/** Who takes nothing for so long of what was written before that will not have it. */
const TAKES_MS = 15_000;

/**
 * When what is written has gone, or the other side does not take it. What it still says is read, and heard by nobody:
 * a socket that nobody reads is not told that the other side has closed. It does not make this longer.
 */
export function endSoon(socket: Socket, clock: Pick<Clock, 'after'>): void {
  if (socket.destroyed) return;
  const destroy = () => void socket.destroy();
  let cancel: Cancel = whenIdle(clock, TAKES_MS, {
    moved: () => socket.writableLength,
    tell: destroy,
  });
  socket.once('close', () => cancel());
  socket.resume();
  socket.end(() => {
    cancel();
    cancel = clock.after(LINGER_MS, destroy);
  });
}
