import type { Cancel } from '../../clock.ts';
import { Lately } from '../../lately.ts';
import type { Work } from '../../slices.ts';
import type { Repeated } from '../audit.ts';
import type { Awaiting, Pending, Place, Reply, Shared } from '../reply.ts';
import { errorReply, errorWire, type Writing, wireOf } from '../respond.ts';
import type { RouteTime } from '../route-times.ts';
import { ReadyBytes } from './ready-bytes.ts';

export interface SharedWaitOptions {
  /** The bytes that ask. */
  readonly request: string;
  readonly pending: Pending;
  readonly writing: Writing;
  /** Of the row that it was learnt from. */
  readonly time?: RouteTime | undefined;
  /** Of whoever began it. */
  readonly origin: string;
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

/** One who waits in it. */
export interface Parking {
  /** Once, unless he leaves before. */
  settled(ready: ReadyBytes): void;
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
  /** While it is told, and no longer: many may wait for ever. */
  readonly #made = new Lately<Reply, Made>();

  constructor(options: SharedWaitOptions) {
    this.#options = options;
  }

  get request(): string {
    return this.#options.request;
  }

  get origin(): string {
    return this.#options.origin;
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
    this.entered();
    let isInside = true;
    const leave = () => {
      if (isInside) this.left();
      isInside = false;
    };
    return { leave, told: (reply) => this.#options.onTold(reply) };
  }

  /** Tells the answer, or a refusal. */
  join(parking: Parking): Place {
    const joined = new Joined(this, parking);
    joined.begin(this.#options.pending);
    return joined;
  }

  entered(): void {
    this.#inside++;
  }

  left(): void {
    if (--this.#inside === 0) this.#options.onEmpty();
  }

  /** To whoever its answer cannot be made or sent. */
  refusal(error: unknown): ReadyBytes {
    return new ReadyBytes(errorWire(errorReply(error), this.#options.writing));
  }

  madeOf(reply: Reply): Made {
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

/** One who waits in a shared wait. */
class Joined implements Awaiting, Place {
  readonly #wait: SharedWait;
  readonly #parking: Parking;
  #place: Place | undefined;
  #unwant: Cancel | undefined;
  #isInside = true;

  constructor(wait: SharedWait, parking: Parking) {
    this.#wait = wait;
    this.#parking = parking;
  }

  begin(pending: Pending): void {
    this.#place = pending.join(this);
    this.#wait.entered();
  }

  settle(reply: Reply): void {
    const { ready, work } = this.#wait.madeOf(reply);
    this.#unwant = work?.want();
    if (ready instanceof ReadyBytes) this.#finish(ready);
    else void ready.then((made) => this.#finish(made));
  }

  leave(): void {
    this.#place?.leave();
    this.#leave();
  }

  #finish(ready: ReadyBytes): void {
    if (!this.#isInside) return;
    this.#leave();
    this.#parking.settled(ready);
  }

  #leave(): void {
    if (!this.#isInside) return;
    this.#isInside = false;
    this.#unwant?.();
    this.#wait.left();
  }
}
