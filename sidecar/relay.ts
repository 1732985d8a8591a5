/** Carries bytes both ways between two connections, as fast as the slower one takes them. */
import type { Socket } from 'node:net';
import { type Buffered, PAUSED_BYTES } from './http/buffers.ts';

export interface Relayed {
  /** From the caller, and back to it. */
  readonly sent: number;
  readonly received: number;
  /** '' where both sides came to their end. */
  readonly fault: string;
}

/** Without a byte for so long both ways a probe is sent: whoever is gone without a word is found out. */
const PROBE_MS = 30_000;

/**
 * One side may end while the other goes on. A side that breaks breaks the other too: to end it would tell
 * whoever reads there that it has all. Resolves when both are closed, and never rejects. `buffered`: the caller's.
 */
export function relay(
  caller: Socket,
  called: Socket,
  idleMs: number,
  buffered: Buffered,
): Promise<Relayed> {
  return new Promise((resolve) => {
    let fault = '';
    let open = 2;
    const closed = () => {
      if (--open > 0) return;
      resolve({ sent: caller.bytesRead, received: called.bytesRead, fault });
    };
    const breakBoth = (why: string) => {
      if (fault === '') fault = why;
      for (const side of [caller, called]) if (!side.destroyed) reset(side);
    };
    const join = (side: Socket, other: Socket, name: string) => {
      side.setKeepAlive(true, PROBE_MS);
      side.once('error', (error) => breakBoth(`${name}: ${error.message}`));
      side.once('close', () => {
        // Closed before the other had all that it sent.
        if (!other.destroyed && !side.readableEnded) breakBoth(`${name}: closed`);
        closed();
      });
      if (side.closed) closed();
      else {
        counted(side, other, buffered);
        side.pipe(other);
      }
    };
    // Either may have gone before anybody listened: whoever has said so does not say it again.
    if (caller.destroyed || called.destroyed) breakBoth('closed early');
    join(caller, called, 'caller');
    join(called, caller, 'called');
    if (idleMs > 0) caller.setTimeout(idleMs, () => breakBoth('idle for too long'));
  });
}

/** What waits while one does not take what the other says. */
function counted(from: Socket, to: Socket, buffered: Buffered): void {
  let bytes = 0;
  const is = (now: number) => {
    buffered.keeps(now - bytes);
    bytes = now;
  };
  from.on('pause', () => is(to.writableLength + PAUSED_BYTES));
  to.on('drain', () => is(0));
}

/** Breaks it, so that nobody takes what has come for all of it. */
export function reset(socket: Socket): void {
  if (socket.destroyed) return;
  if (!('encrypted' in socket)) {
    socket.resetAndDestroy();
    return;
  }
  // A reset of what TLS stands on ends Node 20 itself; TLS closes it in its own order, and so as it is told here.
  const { _parent: below } = socket as { readonly _parent?: { resetAndClosing?: boolean } };
  if (below !== undefined) below.resetAndClosing = true;
  socket.destroy();
}
