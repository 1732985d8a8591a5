/** Events by time, and among those of one time in the order in which they were added: a heap. */
export interface QueuedEvent<O> {
  readonly owner: O;
  readonly fn: () => void;
  at: number;
  order: number;
  cancelled: boolean;
  /** Nobody need wait for it: of a timer that keeps no process. */
  idle: boolean;
}

export class EventQueue<O> {
  readonly #heap: QueuedEvent<O>[] = [];
  #order = 0;

  add(at: number, owner: O, fn: () => void): QueuedEvent<O> {
    const event = { owner, fn, at, order: this.#order++, cancelled: false, idle: false };
    this.#push(event);
    return event;
  }

  /** Puts one back for a later time: behind whatever was to happen then, in the order of before. */
  put(at: number, event: QueuedEvent<O>): void {
    event.at = at;
    this.#push(event);
  }

  take(): QueuedEvent<O> | undefined {
    for (;;) {
      const first = this.#pop();
      if (first === undefined || !first.cancelled) return first;
    }
  }

  /** How many there are of such owners that somebody must wait for. */
  count(isMeant: (owner: O) => boolean): number {
    return this.#heap.filter(({ owner, cancelled, idle }) => !cancelled && !idle && isMeant(owner))
      .length;
  }

  #push(event: QueuedEvent<O>): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as QueuedEvent<O>;
      if (!isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): QueuedEvent<O> | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as QueuedEvent<O>)) child++;
      const below = heap[child];
      if (below === undefined || !isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore<O>(a: QueuedEvent<O>, b: QueuedEvent<O>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
