/** What one poll asks for, until it is answered: what it waits for comes as it does to streams. */
import { byDeadline, type Cancel, type Clock, loop } from '../lib/clock.ts';
import type { Resource } from './resource.ts';
import type { Member, Subscribed } from './views.ts';
import type { Named } from './world.ts';

/** After so many others have their turn: each is asked of the agent. */
const NAMES_AT_ONCE = 50;

export class Polled {
  readonly #clock: Clock;
  readonly #subscribed: Subscribed[] = [];
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws 'busy' where too much is asked. */
  async ask(member: Member, wanted: readonly Named[]): Promise<void> {
    for (const { key, compute } of wanted) {
      this.#subscribed.push(member.subscribe(key, compute, () => this.#wake()));
      if (this.#subscribed.length % NAMES_AT_ONCE > 0) continue;
      await new Promise<void>((on) => loop.nextTurn(on));
      if (this.#isOver) return;
    }
  }

  get isKnown(): boolean {
    return this.#subscribed.every(({ derived }) => derived.current !== undefined);
  }

  get current(): readonly Resource[] {
    return this.#subscribed.flatMap(({ derived }) => derived.current ?? []);
  }

  /** Until it holds, by the clock's time or before it is ended; whether it does. */
  async until(holds: () => boolean, deadline: number): Promise<boolean> {
    while (!holds()) {
      if (this.#isOver) return false;
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      if ((await byDeadline(this.#clock, deadline, woken)) === 'late') return holds();
    }
    return true;
  }

  /** Whoever waits looks again whether it holds. */
  look(): void {
    this.#wake();
  }

  /** Nobody waits for it any more. */
  readonly end: Cancel = () => {
    this.#isOver = true;
    for (const { cancel } of this.#subscribed.splice(0)) cancel();
    this.#wake();
  };
}
