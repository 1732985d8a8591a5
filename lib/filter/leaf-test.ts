/** What is asked of one field's value, once the way to it is known. */

import { messageOf } from '../errors.ts';
import { parseBool, parseInteger, quote } from '../go-literals.ts';
import { boundedPattern, type Pattern } from '../regexp.ts';
import type { FieldSchema } from './fields.ts';
import { type Match, malformed, type Operator } from './parse.ts';

type Kind = FieldSchema['kind'];
export type Predicate = (value: unknown) => boolean;

/** What the patterns of one filter have left of their common limit. */
export interface Allowance {
  instructions: number;
}

const ON_VALUES: readonly Operator[] = ['Equal', 'Not Equal'];
const ON_MEMBERS: readonly Operator[] = ['In', 'Not In'];
const ON_EMPTINESS: readonly Operator[] = ['Is Empty', 'Is Not Empty'];
const OPERATORS: Readonly<Record<Kind, ReadonlySet<Operator>>> = {
  string: new Set([...ON_VALUES, ...ON_MEMBERS, 'Matches', 'Not Matches']),
  int: new Set(ON_VALUES),
  bool: new Set(ON_VALUES),
  strings: new Set([...ON_MEMBERS, ...ON_EMPTINESS]),
  map: new Set([...ON_MEMBERS, ...ON_EMPTINESS]),
  structs: new Set(ON_EMPTINESS),
  struct: new Set(),
};

/** Where a map lacks the key, these hold: `matches` too, which is Consul 1.8's own surprise. */
export const WHEN_MISSING: ReadonlySet<Operator> = new Set([
  'Not Equal',
  'Not In',
  'Matches',
  'Not Matches',
  'Is Empty',
]);

/** Throws ProconsulError 'rejected' when a field of this kind cannot be asked that. */
export function compileTest(match: Match, kind: Kind, allowance: Allowance): Predicate {
  const { operator, value } = match;
  if (!OPERATORS[kind].has(operator)) {
    const selector = quote(match.selector.join('.'));
    throw malformed(`Invalid match operator "${operator}" for selector ${selector}`);
  }
  switch (operator) {
    case 'Equal':
    case 'Not Equal':
      return unless(operator === 'Not Equal', equality(match, kind));
    case 'In':
    case 'Not In':
      return unless(operator === 'Not In', membership(value, kind));
    case 'Is Empty':
    case 'Is Not Empty':
      return unless(operator === 'Is Not Empty', emptiness(kind));
    case 'Matches':
    case 'Not Matches': {
      const pattern = compilePattern(value, allowance.instructions);
      allowance.instructions -= pattern.instructions;
      return unless(operator === 'Not Matches', (text) => pattern.test(stringOf(text)));
    }
  }
}

function unless(negated: boolean, test: Predicate): Predicate {
  return negated ? (value) => !test(value) : test;
}

function equality(match: Match, kind: Kind): Predicate {
  if (kind === 'int') {
    const integer = integerOf(match);
    return (value) => (value ?? 0) === integer;
  }
  if (kind === 'bool') {
    const boolean = booleanOf(match);
    return (value) => (value ?? false) === boolean;
  }
  return (value) => stringOf(value) === match.value;
}

function integerOf(match: Match): number | bigint {
  const integer = parseInteger(match.value);
  if (typeof integer === 'string') throw misfit(match, { reader: 'ParseInt', why: integer });
  return integer;
}

function booleanOf(match: Match): boolean {
  const boolean = parseBool(match.value);
  if (boolean === undefined) throw misfit(match, { reader: 'ParseBool', why: 'invalid syntax' });
  return boolean;
}

function misfit({ selector, value }: Match, { reader, why }: { reader: string; why: string }) {
  const text = quote(value);
  const place = `value ${text} for selector ${quote(selector.join('.'))}`;
  return malformed(`Failed to coerce ${place}: strconv.${reader}: parsing ${text}: ${why}`);
}

function membership(member: string, kind: Kind): Predicate {
  if (kind === 'map') return (value) => Object.hasOwn(objectOf(value), member);
  if (kind === 'strings') return (value) => listOf(value).includes(member);
  return (value) => stringOf(value).includes(member);
}

function emptiness(kind: Kind): Predicate {
  if (kind === 'map') return (value) => Object.keys(objectOf(value)).length === 0;
  return (value) => listOf(value).length === 0;
}

// An item that lacks a field, or has null there, is to Consul one with the field's zero value.

const NOTHING: Readonly<Record<string, unknown>> = {};

/** A map or a struct, empty where there is none. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : NOTHING;
}

/** A list, empty where there is none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Throws ProconsulError 'rejected' when the pattern is malformed or needs more than `limit`. */
function compilePattern(pattern: string, limit: number): Pattern {
  try {
    return boundedPattern(pattern, limit);
  } catch (cause) {
    const why = messageOf(cause);
    throw malformed(`Failed to compile regular expression ${quote(pattern)}: ${why}`);
  }
}
