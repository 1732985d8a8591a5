/** A timer of a process: it fires once so much has passed by its machine's own clock. */
import type { QueuedEvent } from './event-queue.ts';
import type { Owner } from './machine.ts';

/** By so much at most two ways to reckon the same time differ. */
export const ROUNDING_MS = 1e-3;

/** What a timer asks of its world. */
export interface TimerWorld {
  readonly now: number;
  queue(ms: number, owner: Owner, fn: () => void): QueuedEvent<Owner>;
}

export class SimTimer {
  readonly #world: TimerWorld;
  readonly #owner: Owner;
  readonly #fn: () => void;
  /** By the machine's clock. */
  readonly #due: number;
  #event: QueuedEvent<Owner>;

  constructor(world: TimerWorld, owner: Owner, ms: number, fn: () => void) {
    this.#world = world;
    this.#owner = owner;
    this.#fn = fn;
    this.#due = owner.machine.monotonicAt(world.now) + Math.max(0, ms);
    this.#event = this.#queue();
  }

  readonly cancel = (): void => {
    this.#event.cancelled = true;
  };

  /** It keeps no process. */
  unref(): void {
    this.#event.idle = true;
  }

  #queue(): QueuedEvent<Owner> {
    const { machine } = this.#owner;
    const left = Math.max(0, this.#due - machine.monotonicAt(this.#world.now));
    return this.#world.queue(machine.takes(left), this.#owner, () => this.#fire());
  }

  /** The machine may have slept meanwhile, or its clock gone slower: then there is time left. */
  #fire(): void {
    const { machine } = this.#owner;
    if (this.#due - machine.monotonicAt(this.#world.now) < ROUNDING_MS) {
      this.#fn();
      return;
    }
    const { idle } = this.#event;
    this.#event = this.#queue();
    this.#event.idle = idle;
  }
}
