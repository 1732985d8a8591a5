/**
 * What is worked out at once for one who asks has some milliseconds of a turn of the loop, for all together. Whoever comes
 * when they are gone waits in line, where as much time goes to each network as to any other: one client may ask for much
 * by each of hundreds of connections, and others for little.
 */
import { type Cancel, type Clock, loop } from './clock.ts';
import { gone, ProconsulError } from './errors.ts';
import { FairLine } from './fair-line.ts';
import { networkOf } from './ip.ts';
import { inTurns, type Kind } from './long-turns.ts';

const ROOM_MS = 10;
/** In a turn: what is known by then takes its time too. */
const MOST_LOOKS = 64;
/** Who stands beyond them has gone before his turn comes. Each is a request that is under way: some kilobytes. */
const MOST_STANDING = 16 * 1024;

export interface Looker {
  readonly remoteAddress: string;
  /** Calls once when he has gone. */
  onceOver(call: Cancel): void;
}

/** Of this turn. */
let tookMs = 0;

/** So much of this turn has gone into it. */
export function looked(ms: number): void {
  if (tookMs === 0 && ms > 0) {
    loop.nextTurn(() => {
      tookMs = 0;
    });
  }
  tookMs += ms;
}

/** How much of this turn has gone into it. */
export function lookedFor(): number {
  return tookMs;
}

/** Whether there is room in this turn, and nobody waits for some. */
export function hasRoom(): boolean {
  return tookMs < ROOM_MS && line.size === 0;
}

class Looks implements Kind {
  readonly #line = new FairLine(MOST_STANDING);
  /** For whom there was no place. */
  refused = 0;

  get size(): number {
    return this.#line.size;
  }

  /** What is returned leaves, and says whether the look was still to come. */
  enter(address: string, look: () => void, refuse: (why: ProconsulError) => void): () => boolean {
    return this.#line.enter(address, {
      take: () => {
        const before = tookMs;
        look();
        return tookMs - before;
      },
      refuse: () => {
        this.refused++;
        refuse(new ProconsulError('busy', 'Too many reads wait for their turn, try again later'));
      },
    });
  }

  take(): void {
    let ms = 0;
    for (let n = 0; n < MOST_LOOKS && this.size > 0 && ms < ROOM_MS; n++) {
      ms += this.#line.takeOne();
    }
  }
}

const line = new Looks();
const begins = inTurns(line);

/** How many stand in line by now, and how many were refused since the process began. */
export const standing: Pick<Looks, 'size' | 'refused'> = line;

/**
 * What `look` comes to, in a later turn that has room for it. Rejects as it throws, as soon as who asks has gone, and
 * 'busy' where too many stand there already.
 */
export function inLine<T>(asking: Looker, look: () => T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const mine = loop.mine(() => {
      try {
        resolve(look());
      } catch (error) {
        reject(error);
      }
    });
    const leave = line.enter(networkOf(asking.remoteAddress), mine, loop.mine(reject));
    asking.onceOver(() => {
      if (leave()) reject(gone());
    });
    begins();
  });
}

/** What `look` comes to, at once where there is room. What it takes is counted; it need not say so itself. */
export function inRoom<T>(
  asking: Looker,
  clock: Pick<Clock, 'monotonic'>,
  look: () => T | Promise<T>,
): T | Promise<T> {
  const counted = () => {
    const [from, before] = [clock.monotonic(), tookMs];
    try {
      return look();
    } finally {
      // What it has looked up may have been counted.
      looked(Math.max(0, clock.monotonic() - from - (tookMs - before)));
    }
  };
  return hasRoom() ? counted() : inLine(asking, counted);
}
