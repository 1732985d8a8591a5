import type { Cancel } from '../../clock.ts';
import type { Pending, Reply } from '../reply.ts';
import { type Writing, wireOf } from '../respond.ts';
import { ReadyBytes } from './ready-bytes.ts';

/** A wait of many connections that asked with the same bytes: its answer is made ready once. */
export class SharedWait {
  readonly #pending: Pending;
  readonly #writing: Writing;
  readonly #keepAliveMs: number;
  #last: { readonly reply: Reply; readonly ready: Promise<ReadyBytes> | ReadyBytes } | undefined;

  constructor(pending: Pending, writing: Writing, keepAliveMs: number) {
    this.#pending = pending;
    this.#writing = writing;
    this.#keepAliveMs = keepAliveMs;
  }

  /** Calls once with the answer, or with undefined when there is none, unless cancelled before. */
  join(settle: (ready: ReadyBytes | undefined) => void): Cancel {
    let cancelled = false;
    const finish = (ready: ReadyBytes | undefined) => {
      if (!cancelled) settle(ready);
    };
    const leave = this.#pending.join((reply) => {
      const ready = this.#readyFor(reply);
      if (ready instanceof ReadyBytes) finish(ready);
      else ready.then(finish, () => finish(undefined));
    });
    return () => {
      cancelled = true;
      leave();
    };
  }

  #readyFor(reply: Reply): Promise<ReadyBytes> | ReadyBytes {
    if (this.#last?.reply === reply) return this.#last.ready;
    const wire = wireOf(reply, this.#writing);
    const ready =
      wire instanceof Promise
        ? wire.then((made) => new ReadyBytes(made, this.#keepAliveMs))
        : new ReadyBytes(wire, this.#keepAliveMs);
    this.#last = { reply, ready };
    return ready;
  }
}
