/** Events by time, and among those of one time in the order in which they were added: a heap. */
export interface QueuedEvent<O> {
  readonly owner: O;
  readonly fn: () => void;
  at: number;
  order: number;
  cancelled: boolean;
  /** Nobody need wait for it: of a timer that keeps no process. */
  idle: boolean;
  /** Who asked for it; empty where nobody wants to know. */
  readonly origin: string;
}

export class EventQueue<O> {
  readonly #heap: QueuedEvent<O>[] = [];
  /** Whether each event is to know who asked for it, which takes its time. */
  keepsOrigins = false;
  #order = 0;

  add(at: number, owner: O, fn: () => void): QueuedEvent<O> {
    const origin = this.keepsOrigins ? originNow() : '';
    const event = { owner, fn, at, order: this.#order++, cancelled: false, idle: false, origin };
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

  /** Those of such owners that somebody must wait for. */
  pending(isMeant: (owner: O) => boolean): readonly QueuedEvent<O>[] {
    return this.#heap.filter(({ owner, cancelled, idle }) => !cancelled && !idle && isMeant(owner));
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

function originNow(): string {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 30;
  const lines = (new Error().stack ?? '').split('\n').slice(1);
  Error.stackTraceLimit = before;
  const places = lines.filter((line) => !/sim\/world\/(event-queue|world|globals)/.test(line));
  return places.map((line) => line.trim().replace(/^at |\(.*\/(?=.*\/)|\)$/g, '')).join(' < ');
}

function isBefore<O>(a: QueuedEvent<O>, b: QueuedEvent<O>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
