/** A call by gRPC: a stream of HTTP/2 on which messages come and go. */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { CODE } from '../../sidecar/http/h2/frames.ts';
import { type Block, blockOf } from '../../sidecar/http/h2/hpack.ts';
import type { Stream, StreamTaker } from '../../sidecar/http/h2/stream.ts';
import { whenIdle } from '../../sidecar/http/idleness.ts';
import { Parts } from '../../sidecar/http/parts.ts';

/** As gRPC numbers how a call ends. */
export const STATUS = {
  ok: 0,
  invalid: 3,
  late: 4,
  notFound: 5,
  forbidden: 7,
  busy: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

export type Status = (typeof STATUS)[keyof typeof STATUS];

/** Whose call it is. After `over` nothing is told. */
export interface CallTaker {
  message(bytes: Buffer): void;
  /** It will ask nothing more. */
  ended(): void;
  /** Told once, whoever ended it. */
  over(): void;
}

export interface CallOptions {
  /** Where the client is. */
  readonly address: string;
  readonly clock: Clock;
}

/** Names of ten thousand clusters. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Before each message: whether it is compressed, and how long it is. */
const PREFIX_BYTES = 5;
/** How long the rest of what was told waits for whoever reads nothing. */
const UNREAD_MS = 60_000;
const MAX_DETAILS = 1000;
/**
 * Whoever calls and says nothing. A client of gRPC whose last name has gone comes again so where its server does, and is
 * kept waiting for the next one if it is sent away.
 */
const SILENT_MS = 600_000;

const HEAD = blockOf([
  ...[':status', '200', 'content-type', 'application/grpc+proto'],
  ...['grpc-accept-encoding', 'identity'],
]);

const NOBODY: CallTaker = {
  message: () => undefined,
  ended: () => undefined,
  over: () => undefined,
};

export class Call implements StreamTaker {
  readonly address: string;
  taker: CallTaker = NOBODY;
  readonly #stream: Stream;
  readonly #clock: Clock;
  /** What has come of messages that are not whole yet, or that nobody takes. */
  readonly #parts: Parts;
  /** Of the message that comes; undefined before it begins. */
  #length: number | undefined;
  /** Of that which was told last, and whose taker wants no other yet. */
  #held = 0;
  #written: (() => void) | undefined;
  #hasHead = false;
  #isEndDue = false;
  #isPaused = false;
  #isTaking = false;
  #isOver = false;
  #heard: Cancel = () => undefined;

  constructor(stream: Stream, { address, clock }: CallOptions) {
    this.#stream = stream;
    this.#clock = clock;
    this.address = address;
    this.#parts = new Parts((bytes) => stream.buffered?.keeps(bytes));
    stream.taker = this;
    this.expect(SILENT_MS);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What was written last has not gone yet. */
  get isBusy(): boolean {
    return this.#written !== undefined;
  }

  /** `framed`: see there. Calls once another may follow; never where the call is over by then. */
  write(framedMessage: Buffer, done: () => void = () => undefined): void {
    if (this.#isOver) return;
    if (!this.#hasHead) this.#stream.head(HEAD, false);
    this.#hasHead = true;
    if (this.#stream.write(framedMessage)) done();
    else this.#written = done;
  }

  end(status: Status, details = ''): void {
    if (this.#isOver) return;
    const why = details === '' ? [] : ['grpc-message', asField(details.slice(0, MAX_DETAILS))];
    const said = ['grpc-status', String(status), ...why];
    const stream = this.#stream;
    this.#finish();
    if (this.#hasHead) stream.end(said);
    else stream.head(HEAD + blockOf(said), true);
    if (stream.isOver || stream.isAnswered) return;
    const cancel = whenIdle(this.#clock, UNREAD_MS, {
      moved: () => stream.gone,
      tell: () => stream.abort(CODE.cancel),
    });
    this.onceGone(cancel);
  }

  /** Ends it where nobody has said a whole message by then. */
  expect(withinMs: number): void {
    this.#heard();
    this.#heard = this.#clock.after(withinMs, () => {
      // It may have come, and not been taken here.
      if (this.#isPaused) this.expect(withinMs);
      else this.end(STATUS.late, 'nothing was asked in time');
    });
  }

  /** At once: others have less than whoever made it, who hears that there is too much of it. */
  giveWay(): void {
    this.#finish();
    this.#stream.abort(CODE.calm);
  }

  /** Calls when nothing of it is left, what was told included. */
  onceGone(tell: () => void): void {
    const { whenOver } = this.#stream;
    this.#stream.whenOver = () => {
      whenOver();
      tell();
    };
  }

  /** Until `resume` no message is told, the last one counts as kept, and the client is held up before long. */
  pause(): void {
    this.#isPaused = true;
    if (!this.#isTaking) this.#stream.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#holds(0);
    this.#take();
  }

  #holds(bytes: number): void {
    if (bytes === this.#held) return;
    this.#stream.buffered?.keeps(bytes - this.#held);
    this.#held = bytes;
  }

  fieldsCame(_: Block, isEnd: boolean): void {
    if (!isEnd) this.#stream.fault(CODE.protocol);
  }

  data(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#parts.push(chunk);
    this.#take();
  }

  ended(): void {
    this.#isEndDue = true;
    this.#take();
  }

  broken(): void {
    this.#finish();
  }

  drained(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  /** Whoever is told of a message may have no other come, and may say so within it or later. */
  #take(): void {
    if (this.#isTaking) return;
    this.#isTaking = true;
    while (!this.#isPaused && !this.#isOver) {
      const message = this.#next();
      if (message === undefined) break;
      this.#heard();
      this.#holds(message.length);
      this.taker.message(message);
      if (!this.#isPaused) this.#holds(0);
    }
    this.#isTaking = false;
    if (this.#isOver) return;
    if (this.#isPaused) this.#stream.pause();
    else {
      this.#stream.resume();
      this.#endIfDue();
    }
  }

  #next(): Buffer | undefined {
    this.#length ??= this.#begun();
    if (this.#length === undefined) return undefined;
    const message = taken(this.#parts, this.#length);
    if (message !== undefined) this.#length = undefined;
    // What it was put together in is as large as the largest of them.
    if (this.#parts.bytes === 0) this.#parts.clear();
    return message;
  }

  #begun(): number | undefined {
    const prefix = taken(this.#parts, PREFIX_BYTES);
    if (prefix === undefined) return undefined;
    const length = prefix.readUInt32BE(1);
    if (prefix[0] === 0 && length <= MAX_MESSAGE_BYTES) return length;
    if (prefix[0] !== 0) this.end(STATUS.unimplemented, 'no compressed message is taken');
    else this.end(STATUS.busy, `a message of more than ${MAX_MESSAGE_BYTES} bytes`);
    return undefined;
  }

  #endIfDue(): void {
    if (!this.#isEndDue || this.#isOver || this.#isPaused) return;
    this.#isEndDue = false;
    const isWhole = this.#parts.bytes === 0 && this.#length === undefined;
    if (isWhole) this.taker.ended();
    else this.end(STATUS.internal, 'it ended within a message');
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#heard();
    this.#parts.clear();
    this.#holds(0);
    this.#written = undefined;
    this.taker.over();
  }
}

/** A message with what stands before it; `parts`: of it, one after another. */
export function framed(parts: readonly Buffer[]): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(
    parts.reduce((sum, { length }) => sum + length, 0),
    1,
  );
  return Buffer.concat([prefix, ...parts]);
}

/** So many bytes in one piece; undefined where there are not as many yet. */
function taken(parts: Parts, bytes: number): Buffer | undefined {
  if (parts.bytes < bytes) return undefined;
  const pieces: Buffer[] = [];
  for (let left = bytes; left > 0; ) {
    const piece = parts.take(left) as Buffer;
    pieces.push(piece);
    left -= piece.length;
  }
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
}

const PERCENT = 0x25;

/** As gRPC has a text in a field: in ASCII that can be seen, and all else by its bytes. */
function asField(text: string): string {
  let field = '';
  for (const byte of Buffer.from(text)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== PERCENT;
    field += isPlain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return field;
}
