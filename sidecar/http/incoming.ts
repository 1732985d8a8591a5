/** A request that came in, and the way to answer it: the same of either version of HTTP. */
import type { Socket } from 'node:net';
import { hostPort } from '../../lib/ip.ts';
import type { AccessLine } from '../access-log.ts';
import type { Buffered } from './buffers.ts';
import type { Fields } from './fields.ts';
import type { Head } from './head.ts';

/** Whom a body is told to, as it comes. */
export interface BodyTaker {
  came(chunk: Buffer): void;
  /** All of it has come. */
  ended(): void;
}

/** Of a body nothing is told before somebody takes it. */
export interface IncomingBody {
  /** Once. */
  takenBy(taker: BodyTaker): void;
  pause(): void;
  resume(): void;
}

export interface Incoming {
  readonly head: Head;
  /** The caller's name in the mesh; '' where it has none. */
  readonly who: string;
  /** The caller's address; '' where it has gone. */
  readonly from: string;
  readonly port: number;
  /** To which is counted what is kept for the caller. */
  readonly buffered: Buffered;
  /** Undefined where it has none. */
  readonly body: IncomingBody | undefined;
  /** Known once the body is over. */
  trailers(): Fields;
  /** Once; an `answer` without more to come is the whole answer. */
  answer(status: number, fields: Fields, length: number | undefined, isLast: boolean): void;
  /** False where it is to wait for `drained`. */
  write(chunk: Buffer): boolean;
  end(trailers: Fields): void;
  /** Nobody takes what has been sent for all of it. */
  abort(): void;
  /** The connection is handed over, with what came after the request: a `rest` was read already. */
  upgrade(status: number, fields: Fields, protocol: string): { socket: Socket; rest: Buffer };
  /** One of each. */
  onDrained(tell: () => void): void;
  /** The caller went before it had all of its answer. */
  onGone(tell: () => void): void;
}

/** Of a line of the access log, what the caller says. */
export function askedBy({
  head: { method, authority, path },
  from,
  port,
  who,
}: Incoming): Pick<AccessLine, 'from' | 'method' | 'authority' | 'path'> {
  return {
    from: who === '' ? hostPort(from, port) : `${who} ${hostPort(from, port)}`,
    ...{ method, authority },
    // What is behind it may be a secret.
    path: path.split('?', 1)[0] ?? '',
  };
}
