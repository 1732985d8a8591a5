import type { Cancel } from '../../clock.ts';
import type { Work } from '../../slices.ts';
import type { Repeated } from '../audit.ts';
import type { Pending, Reply, Shared } from '../reply.ts';
import { errorReply, errorWire, type Writing, wireOf } from '../respond.ts';
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
  /** Of each reply that it comes to, once or twice. */
  readonly onTold: (reply: Reply) => void;
  /** The last that waited has gone. */
  readonly onEmpty: () => void;
}

/** One who waits on its own. */
export interface Entered {
  readonly leave: Cancel;
  /** It has come to this. */
  readonly told: (reply: Reply) => void;
}

/** What a reply comes to, and what is still to be made for it. */
interface Made {
  readonly ready: Promise<ReadyBytes> | ReadyBytes;
  readonly work: Work<Buffer> | undefined;
}

/** A wait of many connections that asked with the same bytes: its answer is made ready once. */
export class SharedWait {
  readonly kind = 'wait';
  readonly #options: SharedWaitOptions;
  #inside = 0;
  /** For as long as whoever shares the reply keeps it, and no longer: many may wait for ever. */
  readonly #made = new WeakMap<Reply, Made>();

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
  enter(): Entered {
    return { leave: this.#enter(), told: (reply) => this.#options.onTold(reply) };
  }

  #enter(): Cancel {
    this.#inside++;
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      if (--this.#inside === 0) this.#options.onEmpty();
    };
  }

  /** Calls once with the answer, or a refusal, unless cancelled before. */
  join(settle: (ready: ReadyBytes) => void): Cancel {
    const leave = this.#enter();
    let isCancelled = false;
    let unwant: Cancel = () => undefined;
    const finish = (ready: ReadyBytes) => {
      if (isCancelled) return;
      unwant();
      leave();
      settle(ready);
    };
    const cancel = this.#options.pending.join((reply) => {
      const { ready, work } = this.#madeOf(reply);
      if (work !== undefined) unwant = work.want();
      if (ready instanceof ReadyBytes) finish(ready);
      else void ready.then(finish);
    });
    return () => {
      isCancelled = true;
      cancel();
      unwant();
      leave();
    };
  }

  /** To whoever its answer cannot be made or sent. */
  refusal(error: unknown): ReadyBytes {
    return new ReadyBytes(errorWire(errorReply(error), this.#options.writing));
  }

  #madeOf(reply: Reply): Made {
    const known = this.#made.get(reply);
    if (known !== undefined) return known;
    this.#options.onTold(reply);
    let work: Work<Buffer> | undefined;
    const wire = wireOf(reply, this.#options.writing, (body) => {
      work = body;
    });
    const ready =
      wire instanceof Promise
        ? wire.then((done) => new ReadyBytes(done)).catch((error) => this.refusal(error))
        : new ReadyBytes(wire);
    const made = { ready, work };
    this.#made.set(reply, made);
    return made;
  }
}
