import type { Socket } from 'node:net';
import { type Cancel, systemClock } from '../../clock.ts';
import { CLIENT_GONE } from '../audit.ts';
import type { Place } from '../reply.ts';
import type { AtWork } from '../shortcut.ts';
import type { ReadyBytes } from './ready-bytes.ts';
import type { Parking, SharedWait } from './shared-wait.ts';

/** Who parks there is told when one is answered, or has gone. */
export interface Lot {
  left(isAnswered: boolean): void;
}

export interface Comer {
  readonly socket: Socket;
  readonly done: (answered: boolean) => void;
  /** Since when it asks. */
  readonly from: number;
  /** Gives back the place that it takes of its token's, or its address's. */
  readonly free: Cancel | undefined;
}

/** A connection that waits with others for the next answer to the bytes that all of them sent. */
export class Parked implements AtWork, Parking {
  readonly #lot: Lot;
  readonly #wait: SharedWait;
  readonly #comer: Comer;
  readonly #ends: ((status: number | undefined) => void) | undefined;
  #place: Place | undefined;
  #isParked = true;

  constructor(lot: Lot, wait: SharedWait, comer: Comer) {
    this.#lot = lot;
    this.#wait = wait;
    this.#comer = comer;
    this.#ends = wait.repeated?.begins(comer.socket);
    this.#place = wait.join(this);
  }

  /** The bytes that asked, which all share. */
  get request(): string {
    return this.#wait.request;
  }

  settled(ready: ReadyBytes): void {
    const { from } = this.#comer;
    this.#leave(true);
    const status = this.#write(ready);
    this.#ends?.(status);
    this.#wait.time?.took(systemClock.monotonic() - from, status, true);
  }

  withdraw(): boolean {
    if (!this.#isParked) return false;
    this.#ends?.(this.#comer.socket.destroyed ? CLIENT_GONE : undefined);
    this.#leave(false);
    this.#place?.leave();
    return true;
  }

  /** Returns the status of what was written. */
  #write(ready: ReadyBytes): number {
    const { socket, done } = this.#comer;
    const sent = () => done(true);
    try {
      ready.writeTo(socket, sent);
      return ready.status;
    } catch (error) {
      const refusal = this.#wait.refusal(error);
      refusal.writeTo(socket, sent);
      return refusal.status;
    }
  }

  #leave(isAnswered: boolean): void {
    if (this.#isParked) this.#lot.left(isAnswered);
    this.#isParked = false;
    this.#comer.free?.();
  }
}
