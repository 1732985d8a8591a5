import type { Cancel } from '../../clock.ts';
import type { Pending, Reply, Shared } from '../reply.ts';
import { type Writing, wireOf } from '../respond.ts';
import { ReadyBytes } from './ready-bytes.ts';

export interface SharedWaitOptions {
  readonly pending: Pending;
  readonly writing: Writing;
  /** The last that waited has gone. */
  readonly onEmpty: () => void;
}

/** A wait of many connections that asked with the same bytes: its answer is made ready once. */
export class SharedWait {
  readonly #options: SharedWaitOptions;
  #inside = 0;
  /** While some of those that are told the same have yet to be told. */
  #last: { readonly reply: Reply; readonly ready: Promise<ReadyBytes> | ReadyBytes } | undefined;

  constructor(options: SharedWaitOptions) {
    this.#options = options;
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
      if (--this.#inside > 0) return;
      this.#last = undefined;
      this.#options.onEmpty();
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
    if (this.#last?.reply === reply) return this.#last.ready;
    const wire = wireOf(reply, this.#options.writing);
    const ready =
      wire instanceof Promise ? wire.then((made) => new ReadyBytes(made)) : new ReadyBytes(wire);
    this.#last = { reply, ready };
    return ready;
  }
}
