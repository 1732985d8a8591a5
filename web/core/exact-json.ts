/**
 * JSON that is read to be written again, as the API reads it: integers of 64 bits digit by digit (as bigint where a
 * number would lose some). JSON's own reader rounds what nobody has touched.
 */
import { unmarked } from '../../lib/marked-integers.ts';

/** Throws SyntaxError, as JSON.parse does; a number beyond all, which nobody takes and which would be written as null, too. */
export function readJson(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (!MAYBE_LARGE.test(text)) return value;
  return unmarked(JSON.parse(text.replace(TOKENS, marked)), MARK, BigInt);
}

/** With `indent` it is laid out. */
export function writeJson(value: unknown, indent?: number): string {
  const mark = (_: string, each: unknown) => {
    if (Object.is(each, -0)) return `${MARK}-0`;
    return typeof each === 'bigint' ? `${MARK}${each}` : each;
  };
  return JSON.stringify(value, mark, indent).replace(MARKED, '$1');
}

const MAYBE_LARGE = /\d{16}|\d[eE]\+?\d{3}/;
/** Strings and numbers: that a string is one token is why nothing within it is taken for a number. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/gs;

/** It stands before an integer on its way through the built-in reader or writer, and never leaves the page. */
const MARK = `${crypto.getRandomValues(new Uint32Array(4)).join('-')}:`;
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g');

function marked(token: string): string {
  if (token.startsWith('"')) return token;
  const number = Number(token);
  if (/^-?\d+$/.test(token)) return Number.isSafeInteger(number) ? token : `"${MARK}${token}"`;
  if (!Number.isFinite(number)) throw new SyntaxError(`number ${token} is out of range`);
  return token;
}
