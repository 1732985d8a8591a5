/** Something that code runs on: it can stand still, sleep, die, and have clocks that are wrong. */
export class Machine {
  readonly name: string;
  /** Until then none of its events happen; they happen later, in their order. */
  frozenUntil = 0;
  /** What its wall clock is ahead of the world's, beside its drift. */
  wallAheadMs = 0;
  /** A process that was killed: its events never happen. */
  boot = 0;
  /** Until then it has no power: whoever speaks to it hears nothing. */
  darkUntil = 0;
  /** How long it was suspended: time that its monotonic clock does not know. */
  suspendedMs = 0;
  /** What its clock had said when it began to drift as it does now, and when that was. */
  #base = 0;
  #since = 0;
  /** How fast its clock goes: 1 is right. */
  #rate = 1;
  #step: { left: number; readonly fn: () => void } | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Its monotonic clock, at a time of the world. */
  monotonicAt(now: number): number {
    return this.#base + (now - this.#since) * this.#rate - this.suspendedMs;
  }

  /** Its time of day, in milliseconds since the world's beginning. */
  wallAt(now: number): number {
    return this.#base + (now - this.#since) * this.#rate + this.wallAheadMs;
  }

  /** How long the world takes for what takes so long by this machine's clock. */
  takes(ms: number): number {
    return ms / this.#rate;
  }

  /** Its clock goes on from here, and faster or slower from now on. */
  drift(now: number, rate: number): void {
    this.#base += (now - this.#since) * this.#rate;
    this.#since = now;
    this.#rate = rate;
  }

  /** Calls `fn` right before its code does the n-th thing from now that others can see. */
  beforeStep(n: number, fn: () => void): void {
    this.#step = { left: n, fn };
  }

  /** What was to happen before one of its steps has not, and does not any more. */
  disarm(): void {
    this.#step = undefined;
  }

  /** Its code is about to do what others can see. */
  steps(): void {
    const step = this.#step;
    if (step === undefined || --step.left > 0) return;
    this.#step = undefined;
    step.fn();
  }
}

/** A process on a machine, between one boot of it and the next. */
export interface Owner {
  readonly machine: Machine;
  readonly boot: number;
}
