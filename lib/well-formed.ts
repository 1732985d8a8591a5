/**
 * Half of a pair of UTF-16 may stand in JSON, and in no UTF-8: it is in no URL, in no certificate, and Envoy refuses
 * everything that comes with a message in which it is.
 */
import { cleanPath } from './http/path.ts';

const HALF_OF_A_PAIR = /[\ud800-\udfff]/gu;

export function isWellFormed(text: string): boolean {
  return text.search(HALF_OF_A_PAIR) < 0;
}

export function wellFormed(text: string): string {
  return text.replace(HALF_OF_A_PAIR, '\ufffd');
}

/** In no path: what is asked with it is refused, and so there is nothing of that name. */
const NOWHERE = '%00';

/** As one part of a path. One by which it would be led elsewhere, to be answered with a page, is nowhere. A name with half of a pair is another's then, so whoever lists names leaves it out. */
export function inPath(name: string): string {
  const path = `/${name}`;
  return cleanPath(path) === path ? percentEncoded(name) : NOWHERE;
}

/** Whatever the text: that of a language throws at half of a pair. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(wellFormed(text));
}

/** All texts in it, and the names of its fields. What is well-formed is the same object. */
export function wellFormedAll<T>(value: T): T {
  // JSON has such a half escaped; so it is seen whether there is any.
  return /\\ud[89a-f]/.test(JSON.stringify(value)) ? (mended(value) as T) : value;
}

function mended(value: unknown): unknown {
  if (typeof value === 'string') return wellFormed(value);
  if (Array.isArray(value)) return value.map(mended);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, each]) => [wellFormed(name), mended(each)]);
  return Object.fromEntries(fields);
}
