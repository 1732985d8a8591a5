/** Patterns whose groups are wanted: Go's syntax, and time linear in the text. */
import { RE2JS } from 're2js';
import { ProconsulError } from './errors.ts';

/**
 * Compiling and matching are linear in a pattern's size, and the size in what its counted repeats
 * come to: `x{1000}` over and over would take a second.
 */
const MAX_REGEXP_CHARS = 1024;
const MAX_REPEATS = 1000;

/** The whole match and its groups, '' for one that took no part; empty when nothing matches. */
export type Groups = (text: string) => readonly string[];

/** Throws ProconsulError 'invalid' with Go's words for what is wrong with the pattern. */
export function compileGroups(pattern: string): Groups {
  const repeats = [...pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)];
  const copies = repeats.reduce((sum, [, a, b]) => sum + Math.max(Number(a), Number(b ?? 0)), 0);
  if (pattern.length > MAX_REGEXP_CHARS || copies > MAX_REPEATS) {
    throw new ProconsulError('invalid', 'the pattern is too large');
  }
  const regexp = compile(pattern);
  return (text) => {
    const matcher = regexp.matcher(text);
    if (!matcher.find()) return [];
    return Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? '');
  };
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    throw new ProconsulError('invalid', cause instanceof Error ? cause.message : '', { cause });
  }
}
