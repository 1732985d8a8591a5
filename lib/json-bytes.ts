/**
 * JSON as `encodeJson` writes it, straight into bytes. Long values are copied and not searched, and
 * no text is made of the whole: a tree of keys may have more than a text can hold. What is large is
 * made in slices, between which everybody else gets their turn.
 */

import { type Claim, largeBodies } from './body-room.ts';
import { ProconsulError } from './errors.ts';
import { withHeadRoom } from './head-room.ts';
import { encodeJson } from './json.ts';
import { MAX_ANSWER_BYTES } from './limits.ts';
import { inSlices, type Steps, type Work } from './slices.ts';

/** Shorter ones are written faster together with what is around them. */
const LONG = 8 * 1024;
/** Values of keys are in base64, which nothing in JSON has to be escaped in. */
const PLAIN = /^[A-Za-z0-9+/=]*$/;
/** So many small rows become one text: half a millisecond or two. */
const MAX_RUN = 128;
/** In a row a long text is a field of its own, or of what the row says of one thing. */
const ROW_DEPTH = 2;
/** As much around rows: an object with a list of them. */
const MAX_DEPTH = 2 + ROW_DEPTH;
/** To make a row and leave it out takes as long as to write so much. */
const ROW_COST = 128;
/** To copy a text takes so much less than to write JSON. */
const COPY_SPEED = 16;

/** What a list takes for a row that is there anyway. */
export const REFERENCE_BYTES = 8;
/** And for one that may have been made for it: a small object. */
const ITEM_BYTES = 64;

/** A list, or what is handed out as a part of one at a time. */
type InParts<T> = Pick<readonly T[], 'length' | 'slice'>;

/** A list whose items are made while it is written, and kept by nobody; undefined is left out. */
export class Rows {
  readonly size: number;
  /** Up to some of the items from a place on. */
  readonly made: (from: number, to: number) => readonly unknown[];
  /** What it keeps alive until it is written. */
  readonly bytes: number;

  constructor(
    size: number,
    made: (from: number, to: number) => readonly unknown[],
    bytes = size * REFERENCE_BYTES,
  ) {
    this.size = size;
    this.made = made;
    this.bytes = bytes;
  }

  /** For whoever writes it at once. */
  toJSON(): readonly unknown[] {
    return this.made(0, this.size);
  }

  /**
   * `from` must not change meanwhile, nor what `show` looks at. `bytes` is what it takes where its items
   * are not rows that are there anyway.
   */
  static of<T>(from: InParts<T>, show: (row: T) => unknown, bytes?: number): Rows {
    const made = (first: number, end: number) =>
      from
        .slice(first, end)
        .map(show)
        .filter((row) => row !== undefined);
    return new Rows(from.length, made, bytes);
  }
}

/** A row that is written already, by whoever keeps it to be written again. */
export class Written {
  readonly text: string;
  readonly #value: () => object;

  constructor(value: () => object) {
    this.#value = value;
    this.text = encodeJson(value());
  }

  /** For people it is written otherwise. */
  toJSON(): object {
    return this.#value();
  }
}

/** Work where it is large; comes to, or throws, what making a row throws, and where it is too busy. */
export function encodeJsonBytes(
  value: unknown,
  pretty = false,
  maxBytes = MAX_ANSWER_BYTES,
): Buffer | Work<Buffer> {
  if (!pretty && roomAfter(value, LITTLE.depth, LITTLE.values) >= 0) {
    // Most answers: what bounds the others takes ten microseconds, a tenth of a whole request.
    const text = encodeJson(value);
    const bytes = withHeadRoom(Buffer.byteLength(text));
    bytes.write(text);
    if (bytes.length <= maxBytes) return bytes;
  }
  return inSlices(() => encoding(value, pretty, maxBytes), heldBy(value));
}

/** The same for texts of any kind, each made when its turn comes; `bytes` is what they keep alive until then. */
export function encodeTexts(
  texts: () => Iterable<string>,
  bytes: number,
  maxBytes = MAX_ANSWER_BYTES,
): Buffer | Work<Buffer> {
  return inSlices(() => inBytes(maxBytes, (pieces) => putTexts(texts(), pieces)), bytes);
}

function* putTexts(texts: Iterable<string>, pieces: Pieces): Steps<void> {
  for (const text of texts) {
    pieces.push(text);
    yield text.length;
  }
}

/** A few rows of a few short texts, one within another: some ten kilobytes, at the very most sixty. */
const LITTLE = { depth: 5, length: 512, values: 128 };

/** How many more values there may be behind this one; below 0 where it is not little. */
function roomAfter(value: unknown, depth: number, room: number): number {
  if (typeof value === 'string') return value.length <= LITTLE.length ? room - 1 : TOO_MUCH;
  if (!isObject(value)) return room - 1;
  if (depth === 0 || value instanceof Rows || value instanceof Written) return TOO_MUCH;
  return Array.isArray(value)
    ? roomAfterList(value, depth - 1, room - 1)
    : roomAfterFields(value as Readonly<Record<string, unknown>>, depth - 1, room - 1);
}

function roomAfterList(list: readonly unknown[], depth: number, room: number): number {
  let left = room;
  for (let i = 0; left >= 0 && i < list.length; i++) left = roomAfter(list[i], depth, left);
  return left;
}

function roomAfterFields(
  fields: Readonly<Record<string, unknown>>,
  depth: number,
  room: number,
): number {
  let left = room;
  for (const name in fields) {
    left = name.length > LITTLE.length ? TOO_MUCH : roomAfter(fields[name], depth, left);
    if (left < 0) break;
  }
  return left;
}

const TOO_MUCH = -1;

/** What waits to be written is a list of rows, or has some: what else it is made of is little. */
function heldBy(value: unknown): number {
  if (value instanceof Rows) return value.bytes;
  if (Array.isArray(value)) return value.length * ITEM_BYTES;
  if (!isObject(value)) return 0;
  return Object.values(value).reduce<number>((sum, each) => sum + listBytes(each), 0);
}

function listBytes(value: unknown): number {
  if (value instanceof Rows) return value.bytes;
  return Array.isArray(value) ? value.length * ITEM_BYTES : ITEM_BYTES;
}

/** What was written of an answer, as far as it may grow. */
class Pieces {
  readonly texts: string[] = [];
  readonly #maxBytes: number;
  readonly #claim: Claim;
  #length = 0;

  constructor(maxBytes: number, claim: Claim) {
    this.#maxBytes = maxBytes;
    this.#claim = claim;
  }

  push(...texts: readonly string[]): void {
    for (const text of texts) {
      this.texts.push(text);
      this.#length += text.length;
    }
    this.holds(this.#length);
  }

  /** No character takes less than a byte, and what is too large need not be made. */
  holds(bytes: number): void {
    if (bytes > this.#maxBytes) {
      throw new ProconsulError(
        'too-large',
        `The answer is too large, max size: ${this.#maxBytes} bytes.`,
      );
    }
    this.#claim.grow(bytes);
  }
}

function encoding(value: unknown, pretty: boolean, maxBytes: number): Steps<Buffer> {
  return inBytes(maxBytes, function* (pieces) {
    yield* put(value, pieces, pretty ? '\n' : '');
    if (pretty) pieces.push('\n');
  });
}

function* inBytes(maxBytes: number, write: (to: Pieces) => Steps<void>): Steps<Buffer> {
  const claim = largeBodies.claim();
  const pieces = new Pieces(maxBytes, claim);
  try {
    yield* write(pieces);
    let length = 0;
    for (const piece of pieces.texts) {
      length += Buffer.byteLength(piece);
      yield piece.length / COPY_SPEED;
    }
    pieces.holds(length);
    const bytes = withHeadRoom(length);
    let at = 0;
    for (const [i, piece] of pieces.texts.entries()) {
      at += bytes.write(piece, at);
      // The text goes as the bytes come: together they take about as much as either.
      pieces.texts[i] = '';
      yield piece.length / COPY_SPEED;
    }
    return bytes;
  } finally {
    // An error has them in its stack, for as long as anybody has the error.
    pieces.texts.length = 0;
    claim.end();
  }
}

/** `line` is what begins a line as deep as the value stands; '' where all is in one. */
function* put(value: unknown, pieces: Pieces, line: string): Steps<void> {
  if (typeof value === 'string' && value.length >= LONG && PLAIN.test(value)) {
    pieces.push('"', value, '"');
    yield value.length / COPY_SPEED;
  } else if (value instanceof Rows) yield* putRows(value, pieces, line);
  else if (Array.isArray(value) && value.length > 0) yield* putList(value, pieces, line);
  else if (isObject(value) && isLarge(value)) yield* putFields(value, pieces, line);
  else {
    const text = small(value, line);
    pieces.push(text);
    yield text.length;
  }
}

function small(value: unknown, line: string): string {
  return line === '' ? encodeJson(value) : encodeJson(value, true).replaceAll('\n', line);
}

function* putRows(rows: Rows, pieces: Pieces, line: string): Steps<void> {
  let isFirst = true;
  for (let at = 0; at < rows.size; at += MAX_RUN) {
    const made = rows.made(at, at + MAX_RUN);
    yield Math.min(MAX_RUN, rows.size - at) * ROW_COST;
    if (made.length === 0) continue;
    pieces.push(isFirst ? '[' : ',');
    isFirst = false;
    yield* putItems(made, pieces, line);
  }
  pieces.push(...(isFirst ? ['[]'] : [line, ']']));
}

function* putList(list: readonly unknown[], pieces: Pieces, line: string): Steps<void> {
  pieces.push('[');
  yield* putItems(list, pieces, line);
  pieces.push(line, ']');
}

function* putItems(list: readonly unknown[], pieces: Pieces, line: string): Steps<void> {
  const inner = deeper(line);
  let at = 0;
  while (at < list.length) {
    if (at > 0) pieces.push(',');
    const end = endOfRun(list, at);
    if (end === at) {
      pieces.push(inner);
      yield* put(list[at++], pieces, inner);
    } else {
      const text = run(list.slice(at, end), line);
      pieces.push(text);
      yield text.length;
      at = end;
    }
  }
}

/** Without the brackets. */
function run(list: readonly unknown[], line: string): string {
  if (line === '' && list.every((each) => each instanceof Written)) {
    return list.map(({ text }) => text).join(',');
  }
  return small(list, line).slice(1, -1 - line.length);
}

function endOfRun(list: readonly unknown[], from: number): number {
  const last = Math.min(list.length, from + MAX_RUN);
  let end = from;
  while (end < last && !isLarge(list[end], ROW_DEPTH)) end++;
  return end;
}

function* putFields(object: object, pieces: Pieces, line: string): Steps<void> {
  const fields = Object.entries(object).filter(([, value]) => value !== undefined);
  // These stand in an order of their own.
  if (fields.some(([name]) => /^\d+$/.test(name))) {
    const text = small(object, line);
    pieces.push(text);
    yield text.length;
    return;
  }
  const inner = deeper(line);
  pieces.push('{');
  for (const [i, [name, value]] of fields.entries()) {
    pieces.push(i > 0 ? ',' : '', inner, encodeJson(name), line === '' ? ':' : ': ');
    yield* put(value, pieces, inner);
  }
  pieces.push(line, '}');
}

/** Whether a long text is in it, or more rows than become one text. */
function isLarge(value: unknown, depth = MAX_DEPTH): boolean {
  if (typeof value === 'string') return value.length >= LONG;
  if (value instanceof Rows) return true;
  if (depth === 0 || value instanceof Written) return false;
  if (Array.isArray(value)) {
    return value.length > MAX_RUN || value.some((each) => isLarge(each, depth - 1));
  }
  if (!isObject(value)) return false;
  for (const name in value) {
    if (isLarge((value as Record<string, unknown>)[name], depth - 1)) return true;
  }
  return false;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function deeper(line: string): string {
  return line === '' ? '' : `${line}    `;
}
