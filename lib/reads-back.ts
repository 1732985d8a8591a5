import { MAX_OWN_JSON_DEPTH } from './json.ts';

/**
 * Whether `encodeOwnJson` of the value reads back as the very same, so that nobody has to read it: texts,
 * numbers that are written digit by digit, lists, and plain objects of which JSON leaves nothing out and
 * puts nothing elsewhere. Nearly everything that is written is of these.
 */
export function readsBack(value: unknown, depth = MAX_OWN_JSON_DEPTH): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Math.abs(value) <= Number.MAX_SAFE_INTEGER && !Object.is(value, -0);
    case 'object':
      if (value === null) return true;
      if (depth === 0) return false;
      return Array.isArray(value) ? listReadsBack(value, depth) : objectReadsBack(value, depth);
    default:
      return false;
  }
}

function listReadsBack(list: readonly unknown[], depth: number): boolean {
  for (const each of list) if (!readsBack(each, depth - 1)) return false;
  return true;
}

function objectReadsBack(value: object, depth: number): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const name in value) {
    // A name that is a number stands before all others, wherever it was written.
    if (isDigit(name.charCodeAt(0))) return false;
    if (!readsBack((value as Record<string, unknown>)[name], depth - 1)) return false;
  }
  return true;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
