/**
 * Reads the answers of an HTTP/1.1 host, one request after another. What could be read in two ways is not
 * read at all: behind it the next caller's answer would begin somewhere else for us than for the host.
 */
import { ProconsulError } from '../../lib/errors.ts';
import { type Fields, isFieldName, NO_FIELDS, sorted, tokensIn, trimmed } from './fields.ts';

export interface AnswerHead {
  readonly status: number;
  readonly fields: Fields;
  /** Of its body; undefined where nobody knows before its end. */
  readonly length: number | undefined;
  /** To which protocol the connection changes; '' where it does not. */
  readonly upgrade: string;
}

export interface AnswerTaker {
  head(head: AnswerHead, isLast: boolean): void;
  /** Valid until it returns to whoever reads the connection. */
  data(chunk: Buffer): void;
  end(trailers: Fields): void;
}

/** Of a head, and of trailers. */
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_FIELDS = 256;
/** Of a line that says how long the next part is. */
const MAX_SIZE_LINE = 1024;
/** Of those before the answer itself (103 Early Hints, and the like). */
const MAX_INTERIM = 16;

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: .*)?$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
const BAD = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?:^|[^\r])\n/;
const SIZE = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/;
const LENGTH = /^\d{1,15}$/;
const END = Buffer.from('\r\n\r\n');

type State =
  | 'idle'
  | 'head'
  | 'length'
  | 'size'
  | 'part'
  | 'part-end'
  | 'trailers'
  | 'close'
  | 'tunnel';

export class AnswerParser {
  readonly #taker: AnswerTaker;
  #state: State = 'idle';
  #kept: Buffer | undefined;
  #isHead = false;
  #interim = 0;
  /** Of the body, or of its part. */
  #left = 0;
  /** The connection may have another request when this answer is over. */
  isReusable = true;
  /** Seconds that the host keeps a silent connection, as it says; 0 where it does not. */
  keepsSeconds = 0;

  constructor(taker: AnswerTaker) {
    this.#taker = taker;
  }

  get isIdle(): boolean {
    return this.#state === 'idle';
  }

  /** Whether any of the answer has come. */
  get hasBegun(): boolean {
    return this.#state !== 'idle' && (this.#state !== 'head' || this.#kept !== undefined);
  }

  /** A request goes out. */
  asked(method: string): void {
    this.#state = 'head';
    this.#isHead = method === 'HEAD';
    this.#interim = 0;
  }

  /** Throws ProconsulError 'unavailable' for what is no answer. What follows on an upgrade is returned. */
  push(chunk: Buffer): Buffer | undefined {
    let rest: Buffer | undefined =
      this.#kept === undefined ? chunk : Buffer.concat([this.#kept, chunk]);
    this.#kept = undefined;
    while (rest !== undefined && rest.length > 0) {
      if (this.#state === 'tunnel') return rest;
      if (this.#state === 'idle' && !this.isReusable) return undefined;
      if (this.#state === 'idle') throw bad('it says more than it was asked');
      rest = this.#step(rest);
    }
    return undefined;
  }

  /** The host has closed. Whether the answer is whole by that. */
  closed(): boolean {
    if (this.#state !== 'close') return false;
    this.#state = 'idle';
    this.isReusable = false;
    this.#taker.end(NO_FIELDS);
    return true;
  }

  /** What is left of it; undefined where more has to come first. */
  #step(bytes: Buffer): Buffer | undefined {
    switch (this.#state) {
      case 'head':
        return this.#head(bytes);
      case 'length':
      case 'part':
        return this.#counted(bytes);
      case 'size':
        return this.#size(bytes);
      case 'part-end':
        return this.#partEnd(bytes);
      case 'trailers':
        return this.#trailers(bytes);
      default:
        this.#taker.data(bytes);
        return undefined;
    }
  }

  #keep(bytes: Buffer, most: number): undefined {
    if (bytes.length > most) throw bad('its head is too long');
    this.#kept = bytes;
    return undefined;
  }

  #head(bytes: Buffer): Buffer | undefined {
    const at = bytes.indexOf(END);
    if (at < 0 || at > MAX_HEAD_BYTES) return this.#keep(bytes, MAX_HEAD_BYTES);
    const lines = linesIn(bytes, at);
    const [, minor, code = ''] = STATUS_LINE.exec(lines[0] ?? '') ?? [];
    if (minor === undefined) throw bad('it does not begin as one');
    const raw = fieldsIn(lines, 1);
    const status = Number(code);
    const rest = bytes.subarray(at + END.length);
    if (status < 200 && status !== 101) {
      if (++this.#interim > MAX_INTERIM) throw bad('it never comes to its answer');
      return rest;
    }
    this.#begin(status, raw, { isOld: minor === '0', isRest: rest.length > 0 });
    return rest;
  }

  #begin(
    status: number,
    raw: readonly string[],
    { isOld, isRest }: { readonly isOld: boolean; readonly isRest: boolean },
  ): void {
    const { fields, connection, upgrade, keepAlive } = sorted(raw);
    const { length, isChunked } = framingOf(raw, isOld);
    const options = tokensIn(connection);
    this.isReusable = isOld ? options.includes('keep-alive') : !options.includes('close');
    this.keepsSeconds = Number(/timeout=(\d{1,6})/.exec(keepAlive)?.[1] ?? 0);
    const isUpgrade = status === 101;
    const hasNone = this.#isHead || status === 204 || status === 304;
    const head = { status, fields, length, upgrade: isUpgrade ? upgrade : '' };
    if (isUpgrade) {
      this.isReusable = false;
      this.#state = 'tunnel';
      this.#taker.head(head, false);
    } else if (hasNone || length === 0) {
      this.#over(isRest);
      // HEAD says how long it would be.
      this.#taker.head(head, true);
    } else {
      const uncounted = isChunked ? 'size' : 'close';
      this.#state = length === undefined ? uncounted : 'length';
      this.#left = length ?? 0;
      this.#taker.head(head, false);
    }
  }

  #counted(bytes: Buffer): Buffer {
    const part = bytes.length <= this.#left ? bytes : bytes.subarray(0, this.#left);
    this.#left -= part.length;
    const rest = bytes.subarray(part.length);
    const isOver = this.#left === 0;
    const isWhole = isOver && this.#state === 'length';
    if (isWhole) this.#over(rest.length > 0);
    else if (isOver) this.#state = 'part-end';
    this.#taker.data(part);
    if (isWhole) this.#taker.end(NO_FIELDS);
    return rest;
  }

  /** What comes after it would be read as the answer of whoever has the connection next. */
  #over(isRest: boolean): void {
    this.#state = 'idle';
    if (isRest) this.isReusable = false;
  }

  #size(bytes: Buffer): Buffer | undefined {
    const at = bytes.indexOf('\r\n');
    if (at < 0 || at > MAX_SIZE_LINE) return this.#keep(bytes, MAX_SIZE_LINE);
    const line = bytes.toString('latin1', 0, at);
    const [, size] = SIZE.exec(line) ?? [];
    if (size === undefined || BAD.test(line)) throw bad('a part of it has no length');
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'part';
    return bytes.subarray(at + 2);
  }

  #partEnd(bytes: Buffer): Buffer | undefined {
    if (bytes.length < 2) return this.#keep(bytes, 2);
    if (bytes[0] !== 13 || bytes[1] !== 10) throw bad('a part of it is longer than it says');
    this.#state = 'size';
    return bytes.subarray(2);
  }

  #trailers(bytes: Buffer): Buffer | undefined {
    const isNone = bytes.length >= 2 && bytes[0] === 13 && bytes[1] === 10;
    const at = isNone ? 0 : bytes.indexOf(END);
    if (!isNone && (at < 0 || at > MAX_HEAD_BYTES)) return this.#keep(bytes, MAX_HEAD_BYTES);
    const fields = isNone ? NO_FIELDS : sorted(fieldsIn(linesIn(bytes, at), 0)).fields;
    const rest = bytes.subarray(isNone ? 2 : at + END.length);
    this.#over(rest.length > 0);
    this.#taker.end(fields);
    return rest;
  }
}

function linesIn(bytes: Buffer, end: number): readonly string[] {
  const text = bytes.toString('latin1', 0, end);
  if (BAD.test(text)) throw bad('there are signs in its head that nobody may send');
  return text.split('\r\n');
}

function fieldsIn(lines: readonly string[], from: number): readonly string[] {
  if (lines.length - from > MAX_FIELDS) throw bad('it has too many fields');
  const raw: string[] = [];
  for (let i = from; i < lines.length; i++) {
    const line = lines[i] as string;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    // One that goes on on the next line begins with a space, which is no name.
    if (!isFieldName(name)) throw bad('a field of it has no name');
    raw.push(name, trimmed(line.slice(colon + 1)));
  }
  return raw;
}

/** RFC 9112, 6.3; only what leaves no doubt. */
function framingOf(raw: readonly string[], isOld: boolean) {
  let [length, isChunked]: [number | undefined, boolean] = [undefined, false];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const value = raw[i + 1] as string;
    if (name === 'transfer-encoding') {
      if (isChunked || isOld || value.toLowerCase() !== 'chunked')
        throw bad('it is encoded strangely');
      isChunked = true;
    } else if (name === 'content-length') {
      if (length !== undefined || !LENGTH.test(value)) throw bad('it is not clear how long it is');
      length = Number(value);
    }
  }
  if (isChunked && length !== undefined) throw bad('it is not clear how long it is');
  return { length, isChunked };
}

function bad(why: string): ProconsulError {
  return new ProconsulError('unavailable', `what the host answers is no HTTP: ${why}`);
}
