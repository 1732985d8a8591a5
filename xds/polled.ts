/** What one poll asks for, until it is answered: what it waits for comes as it does to streams. */
import { byDeadline, type Cancel, type Clock } from '../lib/clock.ts';
import type { Resource } from './resource.ts';
import { NAME } from './turns.ts';
import type { Member } from './views.ts';
import type { Subscribed, Wanted } from './world.ts';

const NAMES_AT_ONCE = 16;

export class Polled {
  readonly #clock: Clock;
  readonly #subscribed: Subscribed[] = [];
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether all of it is asked for by then. Throws 'busy' where too much is asked. */
  async ask(member: Member, wanted: readonly Wanted[], deadline: number): Promise<boolean> {
    for (const [i, each] of wanted.entries()) {
      if (i % NAMES_AT_ONCE === 0) {
        const units = NAME * Math.min(NAMES_AT_ONCE, wanted.length - i);
        const waiting = member.turns.take(member.account, units, () => this.#isOver);
        if (waiting !== undefined) {
          const came = await byDeadline(this.#clock, deadline, waiting.turn);
          if (this.#isOver || came === 'late') return false;
        }
      }
      this.#subscribed.push(member.subscribeTo(each, () => this.#wake()));
    }
    return true;
  }

  get isKnown(): boolean {
    return this.#subscribed.every(({ current }) => current !== undefined);
  }

  get current(): readonly Resource[] {
    return this.#subscribed.flatMap(({ current }) => current ?? []);
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
    for (const each of this.#subscribed.splice(0)) each.cancel();
    this.#wake();
  };
}
