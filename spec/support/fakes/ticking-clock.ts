import { FakeClock } from './fake-clock.ts';

/** So much time passes whenever somebody looks how late it is, and no timer fires for it before a spec moves time. */
export class TickingClock extends FakeClock {
  readonly #stepMs: number;
  #passed = 0;

  constructor(stepMs: number) {
    super();
    this.#stepMs = stepMs;
  }

  override monotonic(): number {
    this.#passed += this.#stepMs;
    return super.monotonic() + this.#passed;
  }
}
