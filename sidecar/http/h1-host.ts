/** The connections of HTTP/1.1 to one host: those that are idle are used again, the last one first. */
import type { Socket } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import { H1Connection } from './h1-connection.ts';
import { Leases, type Places } from './places.ts';
import type { Connections } from './sending.ts';

/** Idle ones of one host that are kept: as many requests at once cost no new connection. */
const MAX_IDLE = 256;
/** Many programs close a connection that was silent for five seconds, and do not say so. */
const IDLE_MS = 4000;

/** Rejects as a `Dial` does. */
export type Open = () => Promise<Socket>;

interface Idle {
  readonly connection: H1Connection;
  /** From then on it is not used any more. */
  readonly until: number;
}

export class H1Host implements Connections {
  readonly #leases: Leases<H1Connection>;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #idle: Idle[] = [];
  #isClosed = false;

  constructor(open: Open, places: Places, clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#leases = new Leases(places, {
      found: () => this.#found(),
      open: async () => new H1Connection(await open(), this, IDLE_MS),
    });
  }

  lease(isWanted: () => boolean): H1Connection | Promise<H1Connection> {
    return this.#leases.lease(isWanted);
  }

  close(): void {
    this.#isClosed = true;
    for (const { connection } of this.#idle.splice(0)) connection.destroy();
  }

  idle(connection: H1Connection): void {
    if (this.#isClosed || this.#idle.length >= MAX_IDLE) {
      connection.destroy();
      return;
    }
    const ms = connection.keepsMs === 0 ? IDLE_MS : Math.min(IDLE_MS, connection.keepsMs);
    this.#idle.push({ connection, until: this.#clock.monotonic() + ms });
    this.#leases.look();
  }

  gone(connection: H1Connection): void {
    const at = this.#idle.findIndex((each) => each.connection === connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#leases.gone();
  }

  /** The last that was used. */
  #found(): H1Connection | undefined {
    const now = this.#clock.monotonic();
    for (;;) {
      const last = this.#idle.pop();
      if (last === undefined || last.until > now) return last?.connection;
      last.connection.destroy();
    }
  }
}
