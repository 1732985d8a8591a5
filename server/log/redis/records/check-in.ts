/**
 * What a server says of itself to Redis many times a second: that it is here, in which epoch, and how
 * far it has applied.
 */
import { randomUUID } from 'node:crypto';
import type { Session } from '../link/session.ts';

interface InUse {
  readonly session: Session;
  readonly epoch: number;
}

export class CheckIn {
  readonly server: string;
  /** Tells two processes apart that have the same server id. */
  readonly process: string = randomUUID();
  #session: Session | undefined;
  #round = 0;

  constructor(server: string) {
    this.server = server;
  }

  /** As the scripts take them: the epoch, the server, how far it has applied, the round, the process. */
  argsOf({ session, epoch }: InUse, applied: number): (string | number)[] {
    const round = session === this.#session ? this.#round : 0;
    return [epoch, this.server, applied, round, this.process];
  }

  /**
   * Redis has answered in a round: what is said from now on was said in this one or later. A clock
   * could not show that: what was sent long ago is stamped by a Redis that stood still when it reads it.
   * True where the round is a new one.
   */
  heard({ session }: InUse, round: number): boolean {
    if (session !== this.#session) {
      this.#session = session;
      this.#round = 0;
    }
    const isNew = round > this.#round;
    if (isNew) this.#round = round;
    return isNew;
  }
}
