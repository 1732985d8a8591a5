/**
 * Patterns that users write: Go's syntax, and time linear in the text whatever the pattern. Linear is
 * not yet cheap, so the size of a pattern is limited as well, and of what it compiles to.
 */
import { RE2JS } from 're2js';
import { messageOf, ProconsulError } from './errors.ts';

/**
 * Of all patterns of one filter together, since the time for one text may grow with this times its
 * length: bench/filter.ts shows how far. A UUID takes 40, an alternation of ten names some 100.
 */
export const MAX_PATTERN_INSTRUCTIONS = 128;
/**
 * RE2JS makes the states of an automaton as the texts need them, which is fast while they repeat.
 * Past this many they do not: such a pattern (`[0-7].{20}[g-z]` on UUIDs) would make new ones for
 * ever. Its other engine is slower for ordinary patterns, and ten times faster for these.
 */
const MAX_STATES = 1000;
/**
 * Of one pattern before it is compiled, where a counted repeat is so many copies: `x{1000}` over and
 * over takes a second. More than the instructions, since alternatives that start alike share them.
 */
const MAX_PATTERN_ATOMS = 1000;
/** RE2JS reads some malformed patterns in quadratic time. */
const MAX_PATTERN_LENGTH = 1000;
/** Of those in templates of prepared queries. */
const MAX_GROUPS_LENGTH = 1024;

export interface Pattern {
  readonly instructions: number;
  /** Whether the pattern is found anywhere in the text. */
  test(text: string): boolean;
}

/** Throws an Error whose message is RE2's own. */
export function boundedPattern(pattern: string, limit: number): Pattern {
  if (pattern.length > MAX_PATTERN_LENGTH || atoms(pattern) > MAX_PATTERN_ATOMS) throw tooLarge();
  const compiled = compile(pattern);
  const instructions = compiled.programSize();
  if (instructions > limit) throw tooLarge();
  const { dfa } = compiled.re2Input;
  const test = (text: string) =>
    dfa.stateCount < MAX_STATES ? compiled.test(text) : compiled.matcher(text).find();
  return { instructions, test };
}

/** The whole match and its groups, '' for one that took no part; empty when nothing matches. */
export type Groups = (text: string) => readonly string[];

/** A pattern whose groups are wanted. Throws ProconsulError 'invalid' with Go's words. */
export function compileGroups(pattern: string): Groups {
  if (pattern.length > MAX_GROUPS_LENGTH || atoms(pattern) > MAX_PATTERN_ATOMS) {
    throw new ProconsulError('invalid', 'the pattern is too large');
  }
  const regexp = compiledForGroups(pattern);
  return (text) => {
    const matcher = regexp.matcher(text);
    if (!matcher.find()) return [];
    return Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? '');
  };
}

function compiledForGroups(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    throw new ProconsulError('invalid', cause instanceof Error ? cause.message : '', { cause });
  }
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    const message = messageOf(cause);
    // Go always says where; RE2JS leaves it out where that is the pattern's end.
    throw new Error(message.includes('`') ? message : `${message}: \`\``, { cause });
  }
}

function tooLarge(): Error {
  return new Error(`the filter's patterns need more than ${MAX_PATTERN_INSTRUCTIONS} instructions`);
}

const TOKEN =
  /\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*(?:\]|$)|\{(\d+)(?:,(\d*))?\}|./gsu;
/** What RE2 refuses by itself, and says so better. */
const MAX_REPEAT = 1000;

/** How many characters and classes there are. */
function atoms(pattern: string): number {
  const groups: number[] = [];
  let size = 0;
  let last = 0;
  for (const [token, least, most] of pattern.matchAll(TOKEN)) {
    if (least !== undefined) {
      const copies = Math.max(Number(least), Number(most ?? 0), 1);
      if (copies > MAX_REPEAT) continue;
      size += last * (copies - 1);
      last *= copies;
    } else if (token === '(') {
      groups.push(size);
      size = 0;
    } else if (token === ')') {
      last = size;
      size += groups.pop() ?? 0;
    } else if (!/^[*+?|^$]/.test(token)) {
      last = atomsIn(token);
      size += last;
    }
  }
  return size;
}

function atomsIn(token: string): number {
  return token.startsWith('\\Q') ? token.length : 1;
}
