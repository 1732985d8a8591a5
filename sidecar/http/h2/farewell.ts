/** How one side of a connection of HTTP/2 says that it takes no more: in time, so that nothing is refused. */
import { FRAME, MAX_WINDOW } from './frames.ts';
import type { Outlet } from './outlet.ts';

const PING = 'no more?';
/** Requests that were on their way out when the warning came may go out behind the first answer, but before a second. */
const ROUNDS = 2;

export class Farewell {
  readonly #outlet: Outlet;
  #state: 'no' | 'warned' | 'heard' | 'waits' = 'no';
  #rounds = ROUNDS;
  #then: () => void = () => undefined;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  /** No more will be taken; what is on its way still is. */
  warn(): void {
    this.goaway(MAX_WINDOW, 0);
    this.#state = 'warned';
    this.ask();
  }

  /** The other side has answered, if it was asked. */
  heard(): void {
    if (this.#state !== 'warned' && this.#state !== 'waits') return;
    if (--this.#rounds > 0) {
      this.ask();
      return;
    }
    const before = this.#state;
    this.#state = 'heard';
    if (before === 'waits') this.#then();
  }

  /** Called when the other side has heard the warning; at once where there was none. */
  onceHeard(then: () => void): void {
    this.#then = then;
    if (this.#state === 'warned') this.#state = 'waits';
    else then();
  }

  /** Whoever is there answers it. */
  ask(): void {
    const { out } = this.#outlet;
    out.frame(FRAME.ping, 0, 0, PING.length);
    out.text(PING);
    this.#outlet.touched();
  }

  /** After `last` nothing is taken. */
  goaway(last: number, code: number): void {
    const { out } = this.#outlet;
    out.frame(FRAME.goaway, 0, 0, 8);
    out.number(last);
    out.number(code);
    this.#outlet.touched();
  }
}
