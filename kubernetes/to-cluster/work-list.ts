/** Which Services are to be looked at, some at a time, each by itself: one that takes its time holds up no other. */
import { type Clock, pause } from '../../lib/clock.ts';
import { Waiters } from '../../lib/waiters.ts';
import { Sending } from '../sending.ts';

/** Services that are written at once. */
const AT_ONCE = 8;
/** Several changes of a moment are one write. */
const QUIET_MS = 50;
/** Nothing comes of it to look once more. */
const IDLE_MS = 3600_000;

type Act = (service: string, signal: AbortSignal) => Promise<void>;

export class WorkList {
  readonly #clock: Clock;
  readonly #settle: Act;
  readonly #makeSure: Act;
  readonly #pending = new Set<string>();
  /** They look as they should, by what was known before the turn began: asked for anew once all that differs is written. */
  readonly #unsure = new Set<string>();
  readonly #running = new Set<string>();
  readonly #waiters: Waiters;

  constructor(clock: Clock, acts: { readonly settle: Act; readonly makeSure: Act }) {
    this.#clock = clock;
    this.#settle = acts.settle;
    this.#makeSure = acts.makeSure;
    this.#waiters = new Waiters(clock);
  }

  get size(): number {
    return this.#pending.size + this.#running.size;
  }

  look(services: Iterable<string>): void {
    for (const service of services) this.#pending.add(service);
    this.#waiters.wakeAll();
  }

  doubt(service: string): void {
    this.#unsure.add(service);
  }

  isInDoubt(service: string): boolean {
    return this.#unsure.has(service);
  }

  /** Until the signal is aborted, and nothing runs any more. */
  async run(signal: AbortSignal): Promise<void> {
    this.#unsure.clear();
    const sending = new Sending(() => this.#waiters.wakeAll());
    try {
      while (!signal.aborted) {
        sending.throwFailure();
        if (sending.size >= AT_ONCE) await this.#waiters.wait(IDLE_MS, signal);
        else if (!this.#beginNext(sending, signal)) await this.#untilWoken(signal);
      }
    } finally {
      await sending.all();
    }
  }

  /** Whether there was one. */
  #beginNext(sending: Sending, signal: AbortSignal): boolean {
    for (const [services, act] of [
      [this.#pending, this.#settle],
      [this.#unsure, this.#makeSure],
    ] as const) {
      const service = this.#take(services);
      if (service === undefined) continue;
      this.#running.add(service);
      const done = act(service, signal).finally(() => this.#running.delete(service));
      sending.add(done);
      return true;
    }
    return false;
  }

  /** No two of a Service are done at a time. */
  #take(from: Set<string>): string | undefined {
    for (const service of from) {
      if (this.#running.has(service)) continue;
      from.delete(service);
      return service;
    }
    return undefined;
  }

  async #untilWoken(signal: AbortSignal): Promise<void> {
    await this.#waiters.wait(IDLE_MS, signal);
    await pause(this.#clock, QUIET_MS, signal);
  }
}
