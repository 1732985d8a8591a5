/**
 * How many queries wait for one token, or where none is brought for one address: each takes a
 * connection, a file and some memory for as long as ten minutes, and others have a right to some too.
 */
import type { Cancel } from '../clock.ts';
import { ProconsulError } from '../errors.ts';
import { networkOf } from '../ip.ts';
import type { HttpRequest } from './route.ts';

export class Waits {
  readonly #most: () => number;
  readonly #open = new Map<string, number>();

  /** 0: any number. Asked each time: a reload may change it. */
  constructor(most: () => number) {
    this.#most = most;
  }

  /** For how many tokens and addresses something waits. */
  get size(): number {
    return this.#open.size;
  }

  /** Takes a place until it is given back, which may be done twice; undefined where none is free. */
  enter(token: string, address: string): Cancel | undefined {
    const whose = token === '' ? `address ${networkOf(address)}` : `token ${token}`;
    const open = this.#open.get(whose) ?? 0;
    const most = this.#most();
    if (most > 0 && open >= most) return undefined;
    this.#open.set(whose, open + 1);
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      const left = (this.#open.get(whose) ?? 1) - 1;
      if (left > 0) this.#open.set(whose, left);
      else this.#open.delete(whose);
    };
  }

  /** A guard: whatever may wait has its place until it is over, whether or not it comes to wait. */
  readonly admit = (request: HttpRequest): void => {
    const { params, token, remoteAddress } = request;
    if (!params.has('index') && !params.has('hash')) return;
    const leave = this.enter(token, remoteAddress);
    if (leave !== undefined) {
      request.onceOver(leave);
      return;
    }
    const whose = token === '' ? 'of your address' : 'with this token';
    throw new ProconsulError(
      'busy',
      `Too many queries ${whose} wait already (limits.http_max_waits_per_token)`,
    );
  };
}
