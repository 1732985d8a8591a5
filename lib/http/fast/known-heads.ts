/**
 * Heads of requests that were parsed before: whoever writes sends the same one again and again, but for
 * the target and the length of the body. A request is taken by such a head where its bytes are those that
 * Node's parser has read already, and where what is not among them can be read in one way alone.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ByteCache } from '../../byte-cache.ts';
import { systemClock } from '../../clock.ts';
import { type Begin, ReadyMessage } from '../ready-exchange.ts';

const MAX_HEADS_BYTES = 8 * 1024 * 1024;
const MAX_IDLE_MS = 5 * 60_000;
/** What is longer is worth its parser. */
const MAX_HEAD_BYTES = 4096;
const HEAD_END = '\r\n\r\n';
const LINE_END_BYTES = 2;
const LINE_FEED = 10;
const LENGTH_NAME = 'content-length';

/** Characters that no parser takes for anything else than a part of the target. */
const REQUEST_LINE = /^(PUT|POST|DELETE) (\/[\w\-.~!$&'()*+,;=:@%/?]*) HTTP\/1\.1\r\n$/;
/** As every client writes it: no sign, no zero in front. */
const LENGTH = /^(content-length: )(0|[1-9]\d{0,6})(?=\r$)/im;
const EVERY_LENGTH = /content-length/gi;

interface KnownHead {
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly begin: Begin;
}

/** A request, and what begins its exchange. */
export interface Known {
  readonly message: ReadyMessage;
  readonly begin: Begin;
}

interface Read {
  readonly method: string;
  readonly target: string;
  /** All header lines. */
  readonly lines: string;
  /** The method, and the header lines without the length of the body. */
  readonly key: string;
  /** As it is written; undefined where none is. */
  readonly length: string | undefined;
  readonly body: Buffer;
}

export class KnownHeads {
  /** By the method and the header lines without the length. */
  readonly #heads = new ByteCache<string, KnownHead>({
    maxBytes: MAX_HEADS_BYTES,
    idle: { maxMs: MAX_IDLE_MS, clock: systemClock },
  });

  readonly #maxHeadBytes: number;

  /** A head that may be too long for the parser is left to it. */
  constructor(maxHeadBytes = MAX_HEAD_BYTES) {
    this.#maxHeadBytes = Math.min(maxHeadBytes, MAX_HEAD_BYTES);
  }

  get size(): { heads: number; bytes: number } {
    return { heads: this.#heads.size, bytes: this.#heads.bytes };
  }

  /** `chunk` is the whole message, as the parser has read it. */
  learn(message: IncomingMessage, chunk: Buffer, begin: Begin): void {
    const read = readingOf(chunk, this.#maxHeadBytes);
    if (read === undefined || !isAsParsed(read, message)) return;
    const headers = { ...message.headers };
    const head = { headers, rawHeaders: [...message.rawHeaders], begin };
    // As a text, as the parser's headers, and as they came.
    this.#heads.keep(read.key, head, 6 * read.lines.length);
  }

  /** Undefined where it is the parser's. */
  find(chunk: Buffer, socket: Socket): Known | undefined {
    const read = readingOf(chunk, this.#maxHeadBytes);
    const known = read && this.#heads.get(read.key)?.value;
    if (read === undefined || known === undefined) return undefined;
    const { method, target: url, length, body } = read;
    const head = { method, url, ...withLength(known, length) };
    return { message: new ReadyMessage(head, socket, body), begin: known.begin };
  }
}

/** Undefined for what is not one whole request with a body of the length that it says. */
function readingOf(chunk: Buffer, maxHeadBytes: number): Read | undefined {
  const lineEnd = chunk.indexOf(LINE_FEED) + 1;
  if (lineEnd === 0 || lineEnd >= maxHeadBytes) return undefined;
  const linesEnd = chunk.indexOf(HEAD_END, lineEnd) + LINE_END_BYTES;
  if (linesEnd < lineEnd || linesEnd >= maxHeadBytes) return undefined;
  const [, method, target] = REQUEST_LINE.exec(chunk.toString('latin1', 0, lineEnd)) ?? [];
  if (method === undefined || target === undefined) return undefined;
  const lines = chunk.toString('latin1', lineEnd, linesEnd);
  const said = LENGTH.exec(lines);
  const length = said?.[2];
  const body = chunk.subarray(linesEnd + LINE_END_BYTES);
  if (body.length !== Number(length ?? 0)) return undefined;
  return { method, target, lines, key: keyOf(method, lines, said), length, body };
}

function keyOf(method: string, lines: string, said: RegExpExecArray | null): string {
  if (said === null) return `${method} ${lines}`;
  const [whole, before = ''] = said;
  const digitsAt = said.index + before.length;
  // What says it without a digit has another key.
  return `${method} of a length ${lines.slice(0, digitsAt)}${lines.slice(said.index + whole.length)}`;
}

/** Whether the parser has made of it what is made of its like, and of no other head with the same key. */
function isAsParsed({ method, target, lines, length }: Read, message: IncomingMessage): boolean {
  const { headers } = message;
  return (
    message.httpVersion === '1.1' &&
    message.method === method &&
    message.url === target &&
    (headers.connection === undefined || headers.connection.toLowerCase() === 'keep-alive') &&
    headers['transfer-encoding'] === undefined &&
    headers.expect === undefined &&
    headers.upgrade === undefined &&
    headers['content-length'] === length &&
    (lines.match(EVERY_LENGTH)?.length ?? 0) === (length === undefined ? 0 : 1)
  );
}

function withLength({ headers, rawHeaders }: KnownHead, length: string | undefined) {
  if (length === undefined || headers[LENGTH_NAME] === length) return { headers, rawHeaders };
  const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === LENGTH_NAME);
  return {
    headers: { ...headers, [LENGTH_NAME]: length },
    rawHeaders: rawHeaders.with(at + 1, length),
  };
}
