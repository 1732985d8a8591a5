/**
 * The nodes whose round trips move a server in the network. Any of them may lie: none moves it alone, nor by much more than
 * most of the others want to. A bound that is always the same would have a cluster of cities take an hour to find its place.
 */
import { fold } from '../state/topic-names.ts';

/** A server is moved by no more round trips in a second, whatever number of agents there are; */
const PER_SECOND = 64;
/** and by each node once in so long, however often that beats: nobody takes the places of others. */
const EACH_MS = 5000;
/** Those that moved it last, of whom the middle counts. */
const REMEMBERED = 64;
/** Of fewer nobody knows who is right. */
const FEW = 3;
/** So far each may move it in any case; */
const LEAST_S = 0.0005;
/** and so many times as far as whoever stands in the middle wants to. */
const TIMES = 2;

export class Movers {
  #second = 0;
  #inSecond = 0;
  /** By folded name, since they are counted. */
  readonly #lately = new Set<string>();
  #since = 0;
  /** By folded name, the last behind all others: how far each wanted to move it. */
  readonly #wanted = new Map<string, number>();

  /** Whether this node may move it now, at this time of a clock that does not jump. */
  mayMove(node: string, now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = 0;
    }
    if (now - this.#since >= EACH_MS) {
      this.#since = now;
      this.#lately.clear();
    }
    const name = fold(node);
    if (this.#inSecond >= PER_SECOND || this.#lately.has(name)) return false;
    this.#lately.add(name);
    this.#inSecond++;
    return true;
  }

  /** How far it may, where it wants to by so much. */
  mostS(node: string, wantsS: number): number {
    const name = fold(node);
    this.#wanted.delete(name);
    this.#wanted.set(name, Math.abs(wantsS));
    const [first] = this.#wanted.keys();
    if (this.#wanted.size > REMEMBERED && first !== undefined) this.#wanted.delete(first);
    if (this.#wanted.size < FEW) return LEAST_S;
    const sorted = [...this.#wanted.values()].sort((a, b) => a - b);
    // Of an even number the lower one: half of them may lie.
    const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
    return Math.max(LEAST_S, TIMES * middle);
  }
}
