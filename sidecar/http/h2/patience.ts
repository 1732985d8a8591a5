/** What the other side of a connection may do that costs more here than there, before the connection ends by it. */
import type { Clock } from '../../../lib/clock.ts';
import { Rate } from '../../../lib/rate.ts';

/** Frames that cost work and carry nothing. */
const IDLE_FRAMES = { burst: 10_000, perSecond: 1000 };
/** To tell so many streams of something is as much as one of those. */
const STREAMS_A_FRAME = 100;
/** More fields than anybody sends: so many of one head beyond those are as much as one of those. */
const FIELDS = { usual: 256, aFrame: 16 };
/** Requests that were taken back, or had to be: each has cost its host one. */
const IN_VAIN = { burst: 1000, perSecond: 100 };
/** Answers that were taken pay for as many requests that were not: who asks much may take much back. */
const MAX_PAID = 1000;
/** Windows that are widened: some, and more for each request and each part of a body that has gone out. */
const WIDENED = { first: 250, forEach: 10 };

export class Patience {
  readonly #idle: Rate;
  readonly #inVain: Rate;
  #paid = 0;
  #widened = 0;

  constructor(clock: Clock) {
    this.#idle = new Rate(IDLE_FRAMES, clock);
    this.#inVain = new Rate(IN_VAIN, clock);
  }

  /** Each is false where there is none left. */
  idle(): boolean {
    return this.#idle.take();
  }

  toldToAll(streams: number): boolean {
    return this.#idleFor(streams / STREAMS_A_FRAME);
  }

  /** A head of so many fields has come. */
  headCame(fields: number): boolean {
    return this.#idleFor((fields - FIELDS.usual) / FIELDS.aFrame);
  }

  #idleFor(frames: number): boolean {
    for (let left = frames; left > 0; left--) if (!this.idle()) return false;
    return true;
  }

  /** `moved`: so many requests, and parts of bodies. */
  widened(moved: number): boolean {
    return ++this.#widened <= WIDENED.first + WIDENED.forEach * moved || this.idle();
  }

  inVain(): boolean {
    if (this.#paid === 0) return this.#inVain.take();
    this.#paid--;
    return true;
  }

  answered(): void {
    this.#paid = Math.min(MAX_PAID, this.#paid + 1);
  }
}
