/**
 * What is worked out at once for one who asks has some milliseconds of a turn of the loop. Whoever comes when they are
 * gone waits for a later turn, and of those each network has its next in turn: one client may ask for much by each of
 * hundreds of connections, and all of that came in one turn.
 */
import { type Cancel, loop } from './clock.ts';
import { gone } from './errors.ts';
import { networkOf } from './ip.ts';
import { inTurns } from './long-turns.ts';

const ROOM_MS = 10;

export interface Looker {
  readonly remoteAddress: string;
  /** Calls once when he has gone. */
  onceOver(call: Cancel): void;
}

let tookMs = 0;
/** Who waits, by network; the one whose turn is next stands first. */
const lines = new Map<string, Set<() => void>>();

/** So much of this turn has gone into it. */
export function looked(ms: number): void {
  const hadRoom = tookMs < ROOM_MS;
  tookMs += ms;
  if (!hadRoom || tookMs < ROOM_MS) return;
  loop.nextTurn(() => {
    tookMs = 0;
  });
}

/** Whether there is room in this turn, for those too who have not waited. */
export function hasRoom(): boolean {
  return tookMs < ROOM_MS && lines.size === 0;
}

/** Whether there is room for the next of those who are served in turns of their own. */
export function hasTime(): boolean {
  return tookMs < ROOM_MS;
}

const begins = inTurns({
  get size() {
    return lines.size;
  },
  take: () => {
    for (const [network, line] of lines) {
      const [begin] = line;
      lines.delete(network);
      if (begin === undefined) continue;
      line.delete(begin);
      // Behind all others.
      if (line.size > 0) lines.set(network, line);
      begin();
      return;
    }
  },
});

/** Resolves in a turn in which nobody else does, for one look. Rejects as soon as who asks has gone. */
export function lookingTurn(asking: Looker): Promise<void> {
  const network = networkOf(asking.remoteAddress);
  const line = lines.get(network) ?? new Set();
  lines.set(network, line);
  return new Promise((resolve, reject) => {
    const begin = loop.mine(resolve);
    line.add(begin);
    asking.onceOver(() => {
      if (!line.delete(begin)) return;
      if (line.size === 0 && lines.get(network) === line) lines.delete(network);
      reject(gone());
    });
    begins();
  });
}
