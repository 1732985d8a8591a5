/** A request by HTTP/2: one stream of a connection. */
import type { Socket } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import type { Buffered } from './buffers.ts';
import { type Fields, fieldIn, NO_FIELDS, trailersIn } from './fields.ts';
import { CODE } from './h2/frames.ts';
import { type Block, blockOf, fieldText } from './h2/hpack.ts';
import type { Stream, StreamTaker } from './h2/stream.ts';
import { type Head, headOf, type Unclear } from './head.ts';
import { whenIdle } from './idleness.ts';
import type { BodyTaker, Incoming, IncomingBody } from './incoming.ts';

/** RFC 9113, 8.2.2: those are about a connection of HTTP/1.1, and another proxy might heed them. */
const OF_A_CONNECTION: ReadonlySet<string> = new Set([
  ...['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'],
]);
const PSEUDO: readonly string[] = [':method', ':scheme', ':path', ':authority'];
const COLON = 0x3a;

/** `malformed`: no request is written in this way. */
export function h2Head(raw: Fields, hasBody: boolean): Head | Unclear | 'malformed' {
  const said = pseudoIn(raw);
  if (said === undefined) return 'malformed';
  const [method = '', scheme = '', target = '', authority = ''] = PSEUDO.map((name) =>
    said.get(name),
  );
  // Tunnels are not built, and one has neither of the two.
  const isTunnel = method === 'CONNECT';
  if (method === '' || (scheme === '') !== isTunnel || (target === '') !== isTunnel)
    return 'malformed';
  if (!hasBody && Number(fieldIn(raw, 'content-length') ?? 0) !== 0) return 'malformed';
  // Another host in the path would be the one that counts in HTTP/1.1.
  const isPath = target.startsWith('/') || target === '*';
  const isNobodys = authority === '' && (fieldIn(raw, 'host') ?? '') === '';
  if (!isPath || isNobodys) return 'unclear';
  return headOf({ method, target, authority, raw, hasBody });
}

/** Undefined where there is what may not be. */
function pseudoIn(raw: Fields): ReadonlyMap<string, string> | undefined {
  const said = new Map<string, string>();
  for (let i = 0; i < raw.length; i += 2) {
    const [name, value] = [raw[i] as string, raw[i + 1] as string];
    if (name.charCodeAt(0) !== COLON) {
      if (OF_A_CONNECTION.has(name) || (name === 'te' && value !== 'trailers')) return undefined;
      continue;
    }
    // Each once, and before all others.
    if (!PSEUDO.includes(name) || said.has(name) || i !== said.size * 2) return undefined;
    said.set(name, value);
  }
  return said;
}

/** Of trailers too: they say nothing of the connection, and nothing of the request itself. */
function isPlain(raw: Fields): boolean {
  return raw.every((name, i) => i % 2 === 1 || name.charCodeAt(0) !== COLON);
}

/** Who calls. */
export interface H2Caller {
  readonly who: string;
  readonly from: string;
  readonly port: number;
  readonly buffered: Buffered;
  readonly clock: Clock;
  /** How long the rest of an answer waits for him without going on; 0 for ever. */
  readonly streamIdleMs: number;
}

export class H2Incoming implements Incoming, IncomingBody, StreamTaker {
  readonly #stream: Stream;
  readonly #caller: H2Caller;
  readonly head: Head;
  #trailers: Fields = NO_FIELDS;
  #taker: BodyTaker | undefined;
  #gone: () => void = () => undefined;
  #drained: () => void = () => undefined;

  constructor(stream: Stream, head: Head, caller: H2Caller) {
    this.#stream = stream;
    this.head = head;
    this.#caller = caller;
    stream.taker = this;
    stream.expected = head.length;
    if (head.length !== 0) stream.pause();
  }

  get who(): string {
    return this.#caller.who;
  }

  get from(): string {
    return this.#caller.from;
  }

  get port(): number {
    return this.#caller.port;
  }

  get buffered(): Buffered {
    return this.#caller.buffered;
  }

  get body(): IncomingBody | undefined {
    return this.head.length === 0 ? undefined : this;
  }

  takenBy(taker: BodyTaker): void {
    this.#taker = taker;
    this.#stream.resume();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  trailers(): Fields {
    return this.#trailers;
  }

  answer(status: number, fields: Fields, length: number | undefined, isLast: boolean): void {
    let text = fieldText(':status', String(status)) + blockOf(fields);
    if (length !== undefined) text += fieldText('content-length', String(length));
    this.#stream.head(text, isLast);
  }

  write(chunk: Buffer): boolean {
    return this.#stream.write(chunk);
  }

  end(trailers: Fields): void {
    const stream = this.#stream;
    stream.end(trailers);
    const { clock, streamIdleMs } = this.#caller;
    if (stream.isOver || stream.isAnswered || streamIdleMs === 0) return;
    stream.whenOver = whenIdle(clock, streamIdleMs, {
      moved: () => stream.gone,
      tell: () => stream.abort(CODE.cancel),
    });
  }

  abort(): void {
    this.#stream.abort(CODE.internal);
  }

  upgrade(): { socket: Socket; rest: Buffer } {
    throw new Error('HTTP/2 has no upgrades');
  }

  onDrained(tell: () => void): void {
    this.#drained = tell;
  }

  onGone(tell: () => void): void {
    this.#gone = tell;
  }

  fieldsCame({ fields }: Block, isEnd: boolean): void {
    if (isEnd && isPlain(fields)) this.#trailers = trailersIn(fields);
    else this.#stream.fault(CODE.protocol);
  }

  data(chunk: Buffer): void {
    this.#taker?.came(chunk);
  }

  ended(): void {
    this.#taker?.ended();
  }

  broken(): void {
    this.#gone();
  }

  drained(): void {
    this.#drained();
  }
}
