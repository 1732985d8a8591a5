import type { Cancel } from '../../clock.ts';
import type { Repeated } from '../audit.ts';
import type { Pending, Reply, Shared } from '../reply.ts';
import { type Writing, wireOf } from '../respond.ts';
import type { RouteTime } from '../route-times.ts';
import { ReadyBytes } from './ready-bytes.ts';

export interface SharedWaitOptions {
  readonly pending: Pending;
  readonly writing: Writing;
  /** Of the row that it was learnt from. */
  readonly time?: RouteTime | undefined;
  /** Whether whoever began it asked over loopback. */
  readonly isLocal: boolean;
  /** What is to be written down of each that asks so. */
  readonly repeated?: Repeated | undefined;
  /** What all of them bring. */
  readonly token: string;
  /** The last that waited has gone. */
  readonly onEmpty: () => void;
}

/** A wait of many connections that asked with the same bytes: its answer is made ready once. */
export class SharedWait {
  readonly #options: SharedWaitOptions;
  #inside = 0;
  /** For as long as whoever shares the reply keeps it, and no longer: many may wait for ever. */
  readonly #made = new WeakMap<Reply, Promise<ReadyBytes> | ReadyBytes>();

  constructor(options: SharedWaitOptions) {
    this.#options = options;
  }

  get isLocal(): boolean {
    return this.#options.isLocal;
  }

  get token(): string {
    return this.#options.token;
  }

  get repeated(): Repeated | undefined {
    return this.#options.repeated;
  }

  get time(): RouteTime | undefined {
    return this.#options.time;
  }

  get shared(): Shared {
    return this.#options.pending;
  }

  /** Keeps it for one that waits on its own, until it says that it is done. */
  enter(): Cancel {
    this.#inside++;
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      if (--this.#inside === 0) this.#options.onEmpty();
    };
  }

  /** Calls once with the answer, or with undefined when there is none, unless cancelled before. */
  join(settle: (ready: ReadyBytes | undefined) => void): Cancel {
    const leave = this.enter();
    let cancelled = false;
    const finish = (ready: ReadyBytes | undefined) => {
      leave();
      if (!cancelled) settle(ready);
    };
    const cancel = this.#options.pending.join((reply) => {
      const ready = this.#readyFor(reply);
      if (ready instanceof ReadyBytes) finish(ready);
      else ready.then(finish, () => finish(undefined));
    });
    return () => {
      cancelled = true;
      cancel();
      leave();
    };
  }

  #readyFor(reply: Reply): Promise<ReadyBytes> | ReadyBytes {
    const made = this.#made.get(reply);
    if (made !== undefined) return made;
    const wire = wireOf(reply, this.#options.writing);
    const ready =
      wire instanceof Promise ? wire.then((done) => new ReadyBytes(done)) : new ReadyBytes(wire);
    this.#made.set(reply, ready);
    return ready;
  }
}
