/**
 * JSON as Go reads and writes it: integers of 64 bits digit by digit (as bigint where a number
 * would lose some), `<`, `>`, `&` and the two line separators escaped, names in the order of their
 * bytes also where they look like numbers.
 */
import { randomUUID } from 'node:crypto';
import { complaintOfBounds, MAX_JSON_DEPTH, NO_BOUNDS } from './json-bounds.ts';
import { syntaxComplaint } from './json-syntax.ts';
import { compareKeys } from './key-order.ts';
import { unmarked } from './marked-integers.ts';
import { wholeCharacters } from './whole-characters.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};
// Only strings can hold these, so replacing them in the whole text is right.
const TO_ESCAPE = /[<>&\u2028\u2029]/;
const LONG_INTEGER = /\d{16}/;
/** The same but for a fraction: those of coordinates and shares are nearly all as long, and are read as they stand. */
const MAYBE_LONG_INTEGER = /(?:^|[^\d.])\d{16}/;

/**
 * For what we wrote ourselves: a body that was let in, wrapped a few times. What cannot be read back
 * must not exist.
 */
export const MAX_OWN_JSON_DEPTH = 2 * MAX_JSON_DEPTH;

export function encodeJson(value: unknown, pretty = false): string {
  const text = inOrder(
    value,
    pretty ? writeMarked(value ?? null, { indent: 4 }) : write(value),
    pretty,
  );
  return escaped(text);
}

/**
 * For what we read back ourselves: a number is a number again. Written digit by digit, one beyond 2^53, such
 * as a duration of 105 days, would come back as a bigint, which no number can be reckoned with: the server
 * that applies it ends, and so does each that reads it later.
 */
export function encodeOwnJson(value: unknown): string {
  const text = encodeJson(value);
  if (!LONG_INTEGER.test(text)) return text;
  return escaped(writeMarked(value, { names: true, exponents: true }));
}

/** The same of what reads back as the very same (reads-back.ts): there nothing is to be looked for in the text. */
export function encodePlainJson(value: unknown): string {
  return escaped(JSON.stringify(value));
}

function escaped(text: string): string {
  if (!TO_ESCAPE.test(text)) return text;
  return text.replace(/[<>&\u2028\u2029]/g, (c) => ESCAPES[c] ?? c);
}

function write(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    // A bigint, which the built-in writer knows no way to write; it is rare, and the rest is fast.
    if (error instanceof TypeError) return writeMarked(value);
    throw error;
  }
}

/**
 * A key that is a number, which only an object has whose keys are names: JavaScript puts it before
 * all others, whatever was meant. In a text it can stand nowhere else, for there quotes are escaped.
 */
const NUMBER_AS_KEY = /[{,]"\d+":/;
const NUMBER_AS_PRETTY_KEY = /[{,]\s+"\d+":/;

function inOrder(value: unknown, text: string, pretty: boolean): string {
  if (!(pretty ? NUMBER_AS_PRETTY_KEY : NUMBER_AS_KEY).test(text)) return text;
  return writeMarked(value, { ...(pretty && { indent: 4 }), names: true });
}

/**
 * They stand before what travels in disguise through the built-in reader or writer: an integer as a
 * string, a number that is a key. They are made anew by each process and never leave it, so that
 * nobody's own string can imitate them.
 */
const MARK = `${randomUUID()}:`;
const MARKED = new RegExp(`"${MARK}(-?[\\d.e+]+)"`, 'g');
const KEY_MARK = `${randomUUID()}:`;

interface Marks {
  readonly indent?: number;
  /** Names that are numbers, too. */
  readonly names?: boolean;
  /** Numbers that would be taken for a bigint. */
  readonly exponents?: boolean;
}

function writeMarked(value: unknown, { indent, names = false, exponents = false }: Marks = {}) {
  const mark = (_key: string, v: unknown) => {
    if (typeof v === 'bigint') return `${MARK}${v}`;
    if (exponents && Number.isInteger(v) && !Number.isSafeInteger(v)) {
      return `${MARK}${(v as number).toExponential()}`;
    }
    return names && hasNumberAsKey(v) ? markedNames(v) : v;
  };
  const text = JSON.stringify(value, mark, indent).replace(MARKED, '$1');
  return names ? text.replaceAll(KEY_MARK, '') : text;
}

function hasNumberAsKey(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  for (const key in value) return /^\d+$/.test(key);
  return false;
}

function markedNames(names: object): object {
  const entries = Object.entries(names).sort(([a], [b]) => compareKeys(a, b));
  return Object.fromEntries(entries.map(([name, v]) => [`${KEY_MARK}${name}`, v]));
}

/** Throws SyntaxError. Integers beyond 2^53 come back as bigint; numbers beyond all are refused. */
export function decodeJson(text: string, maxDepth = MAX_JSON_DEPTH, bounds = NO_BOUNDS): unknown {
  return decode(wholeCharacters(text), maxDepth, bounds);
}

/** What we wrote ourselves, as it is: each server that reads an entry must come to the same. */
export function decodeOwnJson(text: string): unknown {
  return decode(text, MAX_OWN_JSON_DEPTH, NO_BOUNDS);
}

function decode(text: string, maxDepth: number, bounds: typeof NO_BOUNDS): unknown {
  // Before anything is made of it: what is nested half a million times is slow to make.
  if (isDeeper(text, maxDepth)) throw new SyntaxError('nested too deeply');
  const complaint = complaintOfBounds(text, bounds);
  if (complaint !== undefined) throw new SyntaxError(complaint);
  // Then this, for it takes linear time: the patterns below need well-formed strings for as much.
  const value = parse(text);
  const mayBeLong = MAYBE_LONG_INTEGER.test(text);
  if (LARGE_EXPONENT.test(text) || (mayBeLong && ENDLESS.test(text))) checkNumbers(text);
  if (!mayBeLong) return value;
  let left = bounds.longIntegers;
  const marked = text.replace(LONG_TOKENS, (token) => {
    if (token.startsWith('"')) return token;
    if (left-- === 0) throw new SyntaxError(`more than ${bounds.longIntegers} long integers`);
    return `"${MARK}${token}"`;
  });
  return unmarked(JSON.parse(marked), MARK, toInteger);
}

/** To look for what is wrong takes a hundred times as long as to read it, while everybody waits. */
const MAX_EXPLAINED = 32 * 1024;

/** The built-in reader's complaint quotes the text, which may hold what belongs in no log. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new SyntaxError(text.length > MAX_EXPLAINED ? 'invalid JSON' : syntaxComplaint(text));
  }
}

/** Strings, and integers that a number may not hold: no fraction, and no exponent. */
const LONG_TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|(?<![\d.eE+-])-?\d{16,}(?![\d.eE])/gs;
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

function toInteger(digits: string): number | bigint {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}

/** One of these a number beyond 1.8e308 has, or now and then a string. As one pattern they took six times as long. */
const LARGE_EXPONENT = /[eE]\+?\d{3}/;
const ENDLESS = /\d{209}/;

function checkNumbers(text: string): void {
  for (const [token] of text.matchAll(TOKENS)) {
    if (token.startsWith('"') || Number.isFinite(Number(token)) || /^-?\d+$/.test(token)) continue;
    throw new SyntaxError(`number ${token} is out of range`);
  }
}

/** Also of a text that is no JSON, whose strings may never end. */
function isDeeper(text: string, maxDepth: number): boolean {
  if (!opensMore(text, maxDepth)) return false;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else depth += levels(code);
    if (depth > maxDepth) return true;
  }
  return false;
}

/** Whether more brackets than that open, within strings too: hardly any body has as many. */
function opensMore(text: string, count: number): boolean {
  let left = count;
  for (const bracket of '{[') {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (left-- === 0) return true;
    }
  }
  return false;
}

function levels(code: number): number {
  if (code === OPEN_BRACE || code === OPEN_BRACKET) return 1;
  return code === CLOSE_BRACE || code === CLOSE_BRACKET ? -1 : 0;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;
