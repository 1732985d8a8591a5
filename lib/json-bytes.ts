/**
 * JSON as `encodeJson` writes it, straight into bytes. Long values are copied and not searched, and
 * no text is made of the whole: a tree of keys may have more than a text can hold, and while one is
 * written everybody else waits.
 */
import { encodeJson } from './json.ts';

/** Shorter ones are written faster together with what is around them. */
const LONG = 8 * 1024;
/** Values of keys are in base64, which nothing in JSON has to be escaped in. */
const PLAIN = /^[A-Za-z0-9+/=]*$/;
/** So many small rows become one text. */
const MAX_RUN = 1024;
/** In a row a long text is a field of its own, or of what the row says of one thing. */
const ROW_DEPTH = 2;
/** As much around rows: an object with a list of them. */
const MAX_DEPTH = 2 + ROW_DEPTH;

export function encodeJsonBytes(value: unknown, pretty = false): Buffer {
  const pieces: string[] = [];
  put(value, pieces, pretty ? '\n' : '');
  if (pretty) pieces.push('\n');
  let length = 0;
  for (const piece of pieces) length += Buffer.byteLength(piece);
  // Not one of Node's pool, which would live on as long as an answer is kept.
  const bytes = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const piece of pieces) at += bytes.write(piece, at);
  return bytes;
}

/** `line` is what begins a line as deep as the value stands; '' where all is in one. */
function put(value: unknown, pieces: string[], line: string): void {
  if (typeof value === 'string' && value.length >= LONG && PLAIN.test(value)) {
    pieces.push('"', value, '"');
  } else if (Array.isArray(value) && value.length > 0) putList(value, pieces, line);
  else if (isObject(value) && isLarge(value)) putFields(value, pieces, line);
  else pieces.push(small(value, line));
}

function small(value: unknown, line: string): string {
  return line === '' ? encodeJson(value) : encodeJson(value, true).replaceAll('\n', line);
}

function putList(list: readonly unknown[], pieces: string[], line: string): void {
  const inner = deeper(line);
  pieces.push('[');
  let at = 0;
  while (at < list.length) {
    if (at > 0) pieces.push(',');
    const end = endOfRun(list, at);
    if (end === at) {
      pieces.push(inner);
      put(list[at++], pieces, inner);
    } else {
      pieces.push(small(list.slice(at, end), line).slice(1, -1 - line.length));
      at = end;
    }
  }
  pieces.push(line, ']');
}

function endOfRun(list: readonly unknown[], from: number): number {
  const last = Math.min(list.length, from + MAX_RUN);
  let end = from;
  while (end < last && !isLarge(list[end], ROW_DEPTH)) end++;
  return end;
}

function putFields(object: object, pieces: string[], line: string): void {
  const fields = Object.entries(object).filter(([, value]) => value !== undefined);
  // These stand in an order of their own.
  if (fields.some(([name]) => /^\d+$/.test(name))) {
    pieces.push(small(object, line));
    return;
  }
  const inner = deeper(line);
  pieces.push('{');
  for (const [i, [name, value]] of fields.entries()) {
    pieces.push(i > 0 ? ',' : '', inner, encodeJson(name), line === '' ? ':' : ': ');
    put(value, pieces, inner);
  }
  pieces.push(line, '}');
}

/** Whether a long text is in it, or more rows than become one text. */
function isLarge(value: unknown, depth = MAX_DEPTH): boolean {
  if (typeof value === 'string') return value.length >= LONG;
  if (depth === 0) return false;
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
