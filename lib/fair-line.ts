/**
 * A line in which as much time goes to each network as to any other, from however many addresses and however often
 * somebody stands there for it. Whoever comes has had as much as those who were always there: no more is his due.
 */

/** Of one who stands in it. */
export interface Stand {
  /** His turn has come. Says how long it took. */
  readonly take: () => number;
  /** There is no place for him after all. */
  readonly refuse: () => void;
}

/** Of a turn that took no time that a clock tells. */
const LEAST_MS = 0.01;
/** No turn counts for more: the whole process may have stood still meanwhile, for an hour. */
const MOST_MS = 1000;
/** Networks that are not worth going through. */
const FEW = 64;

interface Network {
  /** What it has had, by the line's own time. */
  usedMs: number;
  readonly stands: Set<Stand>;
  /** In the order; -1 outside. */
  place: number;
}

/** By what they have had, the least first. Each knows its place, for it may leave from anywhere. */
class Order {
  readonly #heap: Network[] = [];

  get first(): Network | undefined {
    return this.#heap[0];
  }

  get size(): number {
    return this.#heap.length;
  }

  add(network: Network): void {
    this.#put(network, this.#heap.length);
    this.#rise(network);
  }

  remove(network: Network): void {
    const { place } = network;
    if (place < 0) return;
    const last = this.#heap.pop();
    network.place = -1;
    if (last === undefined || last === network) return;
    this.#put(last, place);
    this.#rise(last);
    this.sink(last);
  }

  /** It has had more. */
  sink(network: Network): void {
    for (;;) {
      const left = this.#heap[2 * network.place + 1];
      const right = this.#heap[2 * network.place + 2];
      const least = right !== undefined && left !== undefined && right.usedMs < left.usedMs;
      const below = least ? right : left;
      if (below === undefined || below.usedMs >= network.usedMs) return;
      this.#swap(network, below);
    }
  }

  #rise(network: Network): void {
    while (network.place > 0) {
      const above = this.#heap[(network.place - 1) >> 1] as Network;
      if (above.usedMs <= network.usedMs) return;
      this.#swap(above, network);
    }
  }

  #swap(a: Network, b: Network): void {
    const { place } = a;
    this.#put(a, b.place);
    this.#put(b, place);
  }

  #put(network: Network, place: number): void {
    this.#heap[place] = network;
    network.place = place;
  }
}

export class FairLine {
  readonly #most: number;
  readonly #networks = new Map<string, Network>();
  /** Those that somebody stands there for. */
  readonly #order = new Order();
  /** What a network has had that somebody always stood there for. */
  #now = 0;
  #size = 0;
  /** Of so many networks it is looked who may be forgotten. */
  #many = FEW;

  /** `most` stand in it. */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** How many networks it knows, with those that have had more than others and may come back. */
  get networks(): number {
    return this.#networks.size;
  }

  /**
   * What is returned leaves, and says whether it still stood there. Where there are too many one of those is refused
   * whose network has more than its share of the places.
   */
  enter(of: string, stand: Stand): () => boolean {
    const network = this.#networks.get(of) ?? { usedMs: this.#now, stands: new Set(), place: -1 };
    this.#networks.set(of, network);
    if (network.place < 0) {
      network.usedMs = Math.max(network.usedMs, this.#now);
      this.#order.add(network);
    }
    network.stands.add(stand);
    this.#size++;
    if (this.#size > this.#most) this.#refuseOne(network, stand);
    return () => {
      const stood = network.stands.has(stand);
      if (stood) this.#remove(network, stand);
      return stood;
    };
  }

  /** Of the network that has had least who has stood there for longest. Says how long it took. */
  takeOne(): number {
    const next = this.#order.first;
    const [stand] = next?.stands ?? [];
    if (next === undefined || stand === undefined) return 0;
    const networks = this.#order.size;
    // The network leaves only afterwards: for whoever comes meanwhile it still stands there.
    next.stands.delete(stand);
    this.#size--;
    const ms = stand.take();
    const counted = Math.min(Math.max(LEAST_MS, ms), MOST_MS);
    next.usedMs += counted;
    this.#now += counted / networks;
    if (next.stands.size === 0) this.#empty(next);
    else if (next.place >= 0) this.#order.sink(next);
    return ms;
  }

  #refuseOne(comer: Network, last: Stand): void {
    const share = this.#size / this.#order.size;
    if (comer.stands.size >= share) {
      this.#remove(comer, last);
      last.refuse();
      return;
    }
    // He has less, so another has more.
    for (const network of this.#networks.values()) {
      const newest = network.stands.size > share ? [...network.stands].at(-1) : undefined;
      if (newest === undefined) continue;
      this.#remove(network, newest);
      newest.refuse();
      return;
    }
  }

  #remove(network: Network, stand: Stand): void {
    network.stands.delete(stand);
    this.#size--;
    if (network.stands.size === 0) this.#empty(network);
  }

  #empty(network: Network): void {
    this.#order.remove(network);
    if (this.#size === 0) {
      this.#networks.clear();
      this.#now = 0;
      this.#many = FEW;
    } else if (this.#networks.size > this.#many) this.#forget();
  }

  /** Who comes back at once still has had what he had, until all others have had as much. */
  #forget(): void {
    for (const [of, { place, usedMs }] of this.#networks) {
      if (place < 0 && usedMs <= this.#now) this.#networks.delete(of);
    }
    this.#many = FEW + 2 * this.#networks.size;
  }
}
