/** A request on its way to one host, and what comes back. */
import type { Socket } from 'node:net';
import type { AnswerHead } from './answer-parser.ts';
import type { Buffered } from './buffers.ts';
import type { Fields } from './fields.ts';
import type { Head } from './head.ts';
import type { Failure } from './retry-rules.ts';

/** What is told of a try: either `failed`, or all up to `ended`; after that nothing. */
export interface Taking {
  /** To which is counted what is kept for the caller. */
  readonly buffered: Buffered;
  answered(head: AnswerHead, isLast: boolean): void;
  data(chunk: Buffer): void;
  ended(trailers: Fields): void;
  /** In place of an answer, or in the middle of it. */
  failed(failure: Failure): void;
  /** What could not be written at once has gone. */
  drained(): void;
  /** The connection is now whoever's: `rest` came already. */
  upgraded(head: AnswerHead, socket: Socket, rest: Buffer): void;
}

export interface Sending {
  /** False where it is to wait for `drained`. */
  write(chunk: Buffer): boolean;
  /** The request's body is over; not called where it has none. */
  end(trailers: Fields): void;
  /** No more of the answer is wanted for now. */
  pause(): void;
  resume(): void;
  /** Nobody wants the answer any more. Nothing is told after it. */
  abort(): void;
}

/** What can carry a request. */
export interface Connection {
  send(head: Head, taking: Taking): Sending;
  /** It was leased for nothing. */
  back(): void;
}

/** Those to one host. */
export interface Connections {
  /**
   * At once where there is one; over a limit when there is, as long as it is wanted. Rejects with a ProconsulError as a
   * `Dial` does: 'busy' where too many wait.
   */
  lease(isWanted: () => boolean): Connection | Promise<Connection>;
  /** No more will be asked for: what is under way comes to its end. */
  close(): void;
}
