/**
 * Answers calls by gRPC, over the HTTP/2 of the sidecar: that of Node may end its process, or worse, by what a stranger
 * sends (see docs/decisions/xds-http2.md).
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import { networkOf } from '../../lib/ip.ts';
import { keptBytes, memoryBytes } from '../../lib/limits.ts';
import type { Logger } from '../../lib/logger.ts';
import { Buffers } from '../../sidecar/http/buffers.ts';
import type { Fields } from '../../sidecar/http/fields.ts';
import { CODE } from '../../sidecar/http/h2/frames.ts';
import { type Block, fieldText } from '../../sidecar/http/h2/hpack.ts';
import { Session } from '../../sidecar/http/h2/session.ts';
import { PREFACE } from '../../sidecar/http/h2/settings.ts';
import type { Stream } from '../../sidecar/http/h2/stream.ts';
import { h2Head } from '../../sidecar/http/h2-incoming.ts';
import { Call, STATUS } from './grpc-call.ts';
import { Shares } from './shares.ts';

/** Before it returns the call has a taker, or is over. `fields`: names and values in turn. */
export type Answers = (call: Call, fields: Fields) => void;

export interface GrpcServerOptions {
  /** By `/service/method`. */
  readonly methods: ReadonlyMap<string, Answers>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Each in place of what is usual. */
  readonly maxCalls?: number;
  readonly maxKeptBytes?: number;
}

/** Of a connection: as Consul's. */
const MAX_STREAMS = 2048;
/** Of a process, whatever they are for: each takes two kilobytes before it has said anything. */
const MAX_CALLS = 24_000;
const MAX_HEAD_BYTES = 64 * 1024;
/** Of what comes on one stream, until somebody takes it. */
const WINDOW_BYTES = 64 * 1024;
/** Whoever has connected has so long to say that it speaks HTTP/2. */
const GREETING_MS = 20_000;
/** Of what clients do not take, and of messages that do not come to their end, or wait to be read: in this process. */
const MAX_KEPT_BYTES = keptBytes(memoryBytes());
/** Who says nothing for so long is asked whether it is there, and has so long to say so. */
const SILENT_MS = 30_000;
const ASKED_MS = 20_000;

const GREETING = Buffer.from(PREFACE);
const refusedBy = (status: number) => fieldText(':status', String(status));

export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #open = new Set<Socket>();
  readonly #calls: Shares;
  readonly #buffers: Buffers;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.#calls = new Shares({
      ...{ most: options.maxCalls ?? MAX_CALLS, of: 'calls' },
      logger: options.logger,
    });
    this.#buffers = new Buffers({
      maxBytes: options.maxKeptBytes ?? MAX_KEPT_BYTES,
      cut: (caller, bytes) => {
        const line =
          'xds: a client was cut: there is no room for what it does not read, or says faster than it is taken';
        options.logger.warn(line, { address: caller.remoteAddress, bytes });
        caller.destroy();
      },
    });
  }

  /** A connection of which nothing was read yet. */
  take(socket: Socket): void {
    socket.on('error', () => undefined);
    this.#open.add(socket);
    const cancel = this.#options.clock.after(GREETING_MS, () => socket.destroy());
    socket.once('close', () => {
      this.#open.delete(socket);
      cancel();
    });
    let seen: Buffer = Buffer.alloc(0);
    const look = () => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      seen = Buffer.concat([seen, chunk]);
      const isLike = GREETING.subarray(0, seen.length).equals(seen.subarray(0, GREETING.length));
      if (isLike && seen.length < GREETING.length) return;
      socket.off('readable', look);
      if (isLike) this.#begin(socket, seen.subarray(GREETING.length), cancel);
      else socket.destroy();
    };
    socket.on('readable', look);
  }

  /** To be called once in a second. */
  review(): void {
    this.#calls.review();
  }

  stop(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #begin(socket: Socket, rest: Buffer, greeted: () => void): void {
    const { clock } = this.#options;
    // Its end is the end of all that is on it.
    socket.allowHalfOpen = false;
    if (rest.length > 0) socket.unshift(rest);
    const address = socket.remoteAddress ?? '';
    const session = new Session({
      ...{ socket, clock, greeted, windowBytes: WINDOW_BYTES, maxHeadBytes: MAX_HEAD_BYTES },
      buffered: this.#buffers.of(socket, networkOf(address)),
      serves: {
        maxStreams: MAX_STREAMS,
        asked: (stream, block, isWhole) => this.#asked(stream, { block, isWhole, address }),
      },
      retired: () => undefined,
      closed: () => undefined,
    });
    this.#lookAfter(socket, session);
  }

  /** A client that is gone without a word is noticed. */
  #lookAfter(socket: Socket, session: Session): void {
    const { clock } = this.#options;
    let before = session.heard;
    const look = () => {
      const isSilent = session.heard === before;
      before = session.heard;
      if (isSilent) session.ping();
      cancel = isSilent ? clock.after(ASKED_MS, judge) : clock.after(SILENT_MS, look);
    };
    const judge = () => {
      if (session.heard === before) socket.destroy();
      else look();
    };
    let cancel = clock.after(SILENT_MS, look);
    socket.once('close', () => cancel());
  }

  #asked(stream: Stream, asked: Asked): void {
    const { block, isWhole } = asked;
    const head = block.fault === undefined ? h2Head(block.fields, !isWhole) : 'too large';
    if (head === 'malformed') stream.fault(CODE.protocol);
    else if (head === 'too large') stream.head(refusedBy(431), true);
    else if (head === 'unclear') stream.head(refusedBy(400), true);
    else if (head.method !== 'POST') stream.head(refusedBy(405), true);
    else if (!isGrpc(block.fields)) stream.head(refusedBy(415), true);
    else {
      stream.expected = head.length;
      this.#called(stream, head.path, asked);
    }
  }

  #called(stream: Stream, path: string, { block, isWhole, address }: Asked): void {
    const { clock, methods } = this.#options;
    const call = new Call(stream, { address, clock });
    const giveBack = this.#calls.take(address, () => call.giveWay());
    if (giveBack === undefined) {
      call.end(STATUS.busy, 'too many calls at once, of all or from one address');
      return;
    }
    call.onceGone(giveBack);
    const answers = methods.get(path);
    if (answers === undefined) call.end(STATUS.unimplemented, 'nobody answers to this method');
    else answers(call, block.fields);
    if (isWhole) call.ended();
  }
}

interface Asked {
  readonly block: Block;
  /** Without a body. */
  readonly isWhole: boolean;
  readonly address: string;
}

/** The first of that name; '' where there is none. */
export function firstOf(fields: Fields, name: string): string {
  const at = fields.findIndex((each, i) => i % 2 === 0 && each === name);
  return at < 0 ? '' : (fields[at + 1] as string);
}

function isGrpc(fields: Fields): boolean {
  return /^application\/grpc(?:[+;].*)?$/.test(firstOf(fields, 'content-type'));
}
