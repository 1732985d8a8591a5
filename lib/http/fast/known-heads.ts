/**
 * Heads of requests that were parsed before: whoever writes sends the same one again and again, but for
 * the target and the length of the body, and all agents send the same one, but for their names, places and tokens.
 * A request is taken by such a head where its bytes are those that Node's parser has read already, and
 * where what is not among them can be read in one way alone.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ByteCache } from '../../byte-cache.ts';
import { systemClock } from '../../clock.ts';
import { PLACE_HEADER } from '../../place.ts';
import { type Begin, ReadyMessage } from '../ready-exchange.ts';

const MAX_HEADS_BYTES = 8 * 1024 * 1024;
const MAX_IDLE_MS = 5 * 60_000;
/** What is longer is worth its parser. */
const MAX_HEAD_BYTES = 4096;
const HEAD_END = Buffer.from('\r\n\r\n');
const LINE_END_BYTES = 2;
const LINE_FEED = 10;
const LENGTH_NAME = 'content-length';

/** Characters that no parser takes for anything else than a part of the target. */
const REQUEST_LINE = /^(PUT|POST|DELETE) (\/[\w\-.~!$&'()*+,;=:@%/?]*) HTTP\/1\.1\r\n$/;

/** Headers whose value is no part of a head. */
const FREE = ['content-length', 'x-proconsul-node', 'x-consul-token', PLACE_HEADER] as const;
/** Their lines as every client writes them: a length without a sign or a zero in front, and visible letters. */
const FREE_LINES =
  /^(?:content-length: (0|[1-9]\d{0,6})|x-proconsul-node: ([!-~]*)|x-consul-token: ([!-~]*)|x-proconsul-place: ([!-~]*))(?=\r$)/gim;
const EVERY_NAME = FREE.map((name) => new RegExp(`${name}(?![\\w-])`, 'gi'));

/** As they are written, in the order of FREE; undefined where a line is not there. */
type Values = readonly [
  length: string | undefined,
  node: string | undefined,
  token: string | undefined,
  place: string | undefined,
];

interface KnownHead {
  /** A node, its place and a token without their values: none that was sent once is kept. */
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** Where the values stand among the latter, in the order of FREE. */
  readonly valuesAt: readonly number[];
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
  /** The method, and the header lines without the values that are free. */
  readonly key: string;
  readonly values: Values;
  readonly body: Buffer;
}

export class KnownHeads {
  /** By the method and the header lines without the values that are free. */
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
    // As a text, as the parser's headers, and as they came.
    this.#heads.keep(read.key, headOf(message, begin), 6 * read.lines.length);
  }

  /** Undefined where it is the parser's. */
  find(chunk: Buffer, socket: Socket): Known | undefined {
    const read = readingOf(chunk, this.#maxHeadBytes);
    const known = read && this.#heads.get(read.key)?.value;
    if (read === undefined || known === undefined) return undefined;
    const { method, target: url, values, body } = read;
    const { headers, rawHeaders } = withValues(known, values);
    const head = { method, url, headers, rawHeaders };
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
  const taken = apart(lines);
  const body = chunk.subarray(linesEnd + LINE_END_BYTES);
  if (taken === undefined || body.length !== Number(taken.values[0] ?? 0)) return undefined;
  const { values, rest } = taken;
  return { method, target, lines, key: `${method} ${rest}`, values, body };
}

/** The values that are free, and the lines without them; undefined where one is there twice. */
function apart(lines: string): { values: Values; rest: string } | undefined {
  const values: { -readonly [I in keyof Values]: Values[I] } = [
    undefined,
    undefined,
    undefined,
    undefined,
  ];
  // What has a line without a value has another key than what has one that is free.
  let which = 0;
  let rest = '';
  let from = 0;
  FREE_LINES.lastIndex = 0;
  for (let said = FREE_LINES.exec(lines); said !== null; said = FREE_LINES.exec(lines)) {
    const at = FREE.findIndex((_, i) => said[i + 1] !== undefined) as 0 | 1 | 2 | 3;
    if (values[at] !== undefined) return undefined;
    const value = said[at + 1] as string;
    values[at] = value;
    which += 1 << at;
    rest += lines.slice(from, FREE_LINES.lastIndex - value.length);
    from = FREE_LINES.lastIndex;
  }
  return { values, rest: `${which} ${rest}${lines.slice(from)}` };
}

/** Whether the parser has made of it what is made of its like, and of no other head with the same key. */
function isAsParsed({ method, target, lines, values }: Read, message: IncomingMessage): boolean {
  const { headers } = message;
  return (
    message.httpVersion === '1.1' &&
    message.method === method &&
    message.url === target &&
    (headers.connection === undefined || headers.connection.toLowerCase() === 'keep-alive') &&
    headers['transfer-encoding'] === undefined &&
    headers.expect === undefined &&
    headers.upgrade === undefined &&
    FREE.every((name, i) => {
      const said = lines.match(EVERY_NAME[i] as RegExp)?.length ?? 0;
      return headers[name] === values[i] && said === (values[i] === undefined ? 0 : 1);
    })
  );
}

function headOf(message: IncomingMessage, begin: Begin): KnownHead {
  const headers = { ...message.headers };
  const rawHeaders = [...message.rawHeaders];
  const valuesAt = FREE.map((name) => {
    const at = rawHeaders.findIndex((each, i) => i % 2 === 0 && each.toLowerCase() === name) + 1;
    if (at > 0 && name !== LENGTH_NAME) {
      headers[name] = '';
      rawHeaders[at] = '';
    }
    return at;
  });
  return { headers, rawHeaders, valuesAt, begin };
}

function withValues(known: KnownHead, values: Values): Pick<KnownHead, 'headers' | 'rawHeaders'> {
  const [length, node, token, place] = values;
  const isPlain = node === undefined && token === undefined && place === undefined;
  if (isPlain && known.headers[LENGTH_NAME] === length) return known;
  const headers = { ...known.headers };
  const rawHeaders = [...known.rawHeaders];
  for (let i = 0; i < FREE.length; i++) {
    const value = values[i];
    if (value === undefined) continue;
    headers[FREE[i] as string] = value;
    rawHeaders[known.valuesAt[i] as number] = value;
  }
  return { headers, rawHeaders };
}
