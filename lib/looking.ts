/**
 * What is worked out at once for one who asks has some milliseconds of a turn of the loop, for all together. Whoever comes
 * when they are gone waits in line, where as much time goes to each network as to any other: one client may ask for much
 * by each of hundreds of connections, and others for little.
 */
import { type Cancel, loop } from './clock.ts';
import { gone } from './errors.ts';
import { networkOf } from './ip.ts';
import { inTurns, type Kind } from './long-turns.ts';

const ROOM_MS = 10;
/** Of a look that took no time that a clock tells. */
const LEAST_MS = 0.01;
/** In a turn: what is known by then takes its time too. */
const MOST_LOOKS = 64;

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

interface Network {
  /** Of what it has had, by the line's own time. */
  usedMs: number;
  readonly looks: Set<() => void>;
}

class Line implements Kind {
  readonly #networks = new Map<string, Network>();
  /** What each network has had that always had somebody in line: whoever comes begins there. */
  #now = 0;
  /** Networks that have somebody in line. */
  #standing = 0;
  size = 0;

  /** What is returned leaves, and says whether it was still waiting. */
  enter(address: string, look: () => void): () => boolean {
    const network = this.#networks.get(address) ?? { usedMs: this.#now, looks: new Set() };
    this.#networks.set(address, network);
    if (network.looks.size === 0) {
      network.usedMs = Math.max(network.usedMs, this.#now);
      this.#standing++;
    }
    network.looks.add(look);
    this.size++;
    return () => {
      const wasIn = network.looks.has(look);
      if (wasIn) this.#remove(network, look);
      if (this.size === 0) this.#forget();
      return wasIn;
    };
  }

  take(): void {
    const before = tookMs;
    for (let n = 0; n < MOST_LOOKS && this.size > 0 && tookMs - before < ROOM_MS; n++) {
      this.#takeOne();
    }
    this.#forget();
  }

  /** Of the network that has had least. */
  #takeOne(): void {
    let next: Network | undefined;
    for (const each of this.#networks.values()) {
      if (each.looks.size > 0 && (next === undefined || each.usedMs < next.usedMs)) next = each;
    }
    const [look] = next?.looks ?? [];
    if (next === undefined || look === undefined) return;
    const share = 1 / this.#standing;
    this.#remove(next, look);
    const before = tookMs;
    look();
    const ms = Math.max(LEAST_MS, tookMs - before);
    next.usedMs += ms;
    this.#now += ms * share;
  }

  #remove(network: Network, look: () => void): void {
    network.looks.delete(look);
    this.size--;
    if (network.looks.size === 0) this.#standing--;
  }

  /** Who comes back at once still has had what he had, until all others have had as much. */
  #forget(): void {
    if (this.size === 0) {
      this.#networks.clear();
      this.#now = 0;
      return;
    }
    for (const [address, { looks, usedMs }] of this.#networks) {
      if (looks.size === 0 && usedMs <= this.#now) this.#networks.delete(address);
    }
  }
}

const line = new Line();
const begins = inTurns(line);

/**
 * What `look` comes to, in a later turn that has room for it. Rejects as it throws, and as soon as
 * who asks has gone.
 */
export function inLine<T>(asking: Looker, look: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const mine = loop.mine(() => {
      try {
        resolve(look());
      } catch (error) {
        reject(error);
      }
    });
    const leave = line.enter(networkOf(asking.remoteAddress), mine);
    asking.onceOver(() => {
      if (leave()) reject(gone());
    });
    begins();
  });
}
