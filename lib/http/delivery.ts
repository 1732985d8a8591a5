/**
 * A large body goes out piece by piece, each when the one before was taken: over TLS the whole would be
 * sealed at once, for each who gets it, and held until the slowest has read it.
 */
import type { ServerResponse } from 'node:http';
import { LARGE_BYTES, largeBodies } from '../body-room.ts';

const PIECE_BYTES = LARGE_BYTES;
/** Whoever takes nothing for as long, while something waits for him, has gone without saying so. */
export const STALLED_MS = 60_000;

/** A socket, or an answer on one. */
export interface Taker {
  write(bytes: Buffer): boolean;
  on(event: 'drain' | 'close', call: () => void): unknown;
  off(event: 'drain' | 'close', call: () => void): unknown;
  destroy(): unknown;
}

/**
 * Sends the body once `begin` has sent its head and seen to who stalls, and says when all of it was
 * taken; never, where the client goes away. Throws where there is no room for it, and then has begun nothing.
 */
export function sendBody(to: Taker, body: Buffer, begin: () => void, sent: () => void): void {
  const delivery = largeBodies.deliver(body, () => to.destroy());
  begin();
  let at = 0;
  const over = () => {
    delivery.end();
    to.off('drain', goOn);
    to.off('close', over);
  };
  const goOn = () => {
    while (at < body.length) {
      const piece = body.subarray(at, at + PIECE_BYTES);
      at += piece.length;
      delivery.taken(piece.length);
      if (!to.write(piece)) return;
    }
    over();
    sent();
  };
  to.on('drain', goOn);
  to.on('close', over);
  goOn();
}

/** A stream may be silent for days. */
export function letGoOfStalled(
  response: Pick<ServerResponse, 'setTimeout' | 'writableNeedDrain' | 'destroy'>,
): void {
  response.setTimeout(STALLED_MS, () => {
    if (response.writableNeedDrain) response.destroy();
  });
}
