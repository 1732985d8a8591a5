/** What the HTTP surface tells an audit log: of each request, also of those that the fast path answers. */
import type { Socket } from 'node:net';
import type { Caller } from '../acl/rights.ts';
import type { Message, Response } from './ready-exchange.ts';

/** Who asks, by now. It may throw, and it keeps no request alive. */
export type Asker = () => Caller | Promise<Caller>;

export interface Audit {
  /** A request has come. Its end is seen by the response's. */
  begins(message: Message, response: Response): Audited;
}

/** One request, until it ends. */
export interface Audited {
  /** How to find out who asks, where nobody says so by `starts`. */
  asker: Asker;
  /** It is done from now on, for this caller. */
  starts(by?: Caller): void;
  /** What is to be written where the very same bytes are answered again, if anything. */
  repeated(): Repeated | undefined;
}

/** Kept as long as what was learnt of the request. */
export interface Repeated {
  /** What it keeps alive. */
  readonly bytes: number;
  /**
   * The same request has come again; called with its status, it is over, and without one its route
   * answers it after all, for which it is no new request.
   */
  begins(socket: Socket): (status: number | undefined) => void;
}

/** The status of a request whose client went away before it was answered: none was ever sent. */
export const CLIENT_GONE = 499;
