/** Whose a connection of HTTP/2 is, and what he is told of it. */
import type { Socket } from 'node:net';
import type { Clock } from '../../../lib/clock.ts';
import type { Buffered } from '../buffers.ts';
import type { Block } from './hpack.ts';
import type { Stream } from './stream.ts';

export interface SessionOptions {
  readonly socket: Socket;
  /** Of what comes on one stream, until somebody takes it. */
  readonly windowBytes: number;
  /** Of a head, as the RFC counts them. */
  readonly maxHeadBytes: number;
  readonly clock: Clock;
  /** What the other side does not take, and is kept for it; undefined where each stream says whose that is. */
  readonly buffered?: Buffered;
  /** Undefined where requests are sent, and not answered. */
  readonly serves?: Serves;
  /** Of those that are sent; undefined for as many as there are ids for. */
  readonly maxRequests?: number;
  /** The other side has said what it lets be. */
  readonly greeted?: () => void;
  /** It takes no more requests. */
  readonly retired: () => void;
  /** Told once. */
  readonly closed: () => void;
  /** One stream is over. */
  readonly freed?: () => void;
}

interface Serves {
  /** At once. */
  readonly maxStreams: number;
  /** A request has come: from now on its stream has a taker, or is over. `isWhole`: without a body. */
  readonly asked: (stream: Stream, block: Block, isWhole: boolean) => void;
}
