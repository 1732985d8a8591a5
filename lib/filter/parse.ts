/** Reads Consul's filter language (go-bexpr's of Consul 1.8) in time linear in its length. */
import { ProconsulError } from '../errors.ts';
import { unquote } from '../go-literals.ts';
import { type CharacterClass, Scanner } from './scanner.ts';

/** Named as Consul's messages name them. */
export type Operator =
  | 'Equal'
  | 'Not Equal'
  | 'In'
  | 'Not In'
  | 'Is Empty'
  | 'Is Not Empty'
  | 'Matches'
  | 'Not Matches';

export interface Match {
  readonly type: 'match';
  readonly selector: readonly string[];
  readonly operator: Operator;
  /** As it was written, without its quotes; '' where the operator takes none. */
  readonly value: string;
}

export type Expression =
  | Match
  | { readonly type: 'not'; readonly operand: Expression }
  | { readonly type: 'and' | 'or'; readonly operands: readonly Expression[] };

/** A filter comes in a URL and is read on the event loop; people's are some hundred bytes. */
export const MAX_FILTER_BYTES = 4096;
/** Parentheses and `not` within one another. Reading recurses; Consul itself hangs at ten. */
export const MAX_FILTER_DEPTH = 64;

const LETTER: CharacterClass = { label: '[a-zA-Z]', pattern: /[a-zA-Z]/ };
const WORD: CharacterClass = { label: '[a-zA-Z0-9_]', pattern: /\w/ };
const DIGIT: CharacterClass = { label: '[0-9]', pattern: /[0-9]/ };
const FIRST_DIGIT: CharacterClass = { label: '[1-9]', pattern: /[1-9]/ };

/** Throws ProconsulError 'rejected', with Consul's text, when the filter is malformed. */
export function parseFilter(text: string): Expression {
  if (Buffer.byteLength(text) > MAX_FILTER_BYTES) {
    throw malformed(`longer than ${MAX_FILTER_BYTES} bytes`);
  }
  const scanner = new Scanner(text);
  scanner.spaces();
  const expression = either(scanner, 0);
  if (expression !== undefined) {
    scanner.spaces();
    if (scanner.end() && !scanner.hasMistakes) return expression;
  }
  throw malformed(scanner.complaint());
}

/** How Consul begins, unless the filter is part of something larger. */
export const MALFORMED = 'Failed to create boolean expression evaluator: ';

export function malformed(message: string): ProconsulError {
  return new ProconsulError('rejected', `${MALFORMED}${message}`);
}

function either(scanner: Scanner, depth: number): Expression | undefined {
  return chain(scanner, 'or', () => both(scanner, depth));
}

function both(scanner: Scanner, depth: number): Expression | undefined {
  return chain(scanner, 'and', () => negation(scanner, depth));
}

function chain(
  scanner: Scanner,
  type: 'and' | 'or',
  operand: () => Expression | undefined,
): Expression | undefined {
  const first = operand();
  if (first === undefined) return undefined;
  const operands = [first];
  for (;;) {
    const next = scanner.attempt(() => (keyword(scanner, type) ? operand() : undefined));
    if (next === undefined) break;
    operands.push(next);
  }
  return operands.length === 1 ? first : { type, operands };
}

function negation(scanner: Scanner, depth: number): Expression | undefined {
  if (depth > MAX_FILTER_DEPTH) throw malformed(`nested deeper than ${MAX_FILTER_DEPTH} levels`);
  const operand = scanner.attempt(() =>
    scanner.literal('not') && scanner.spaces() ? negation(scanner, depth + 1) : undefined,
  );
  if (operand !== undefined) return { type: 'not', operand };
  // `not` is also a word like any other: `not in Service.Tags` asks for the tag "not".
  return scanner.attempt(() => group(scanner, depth)) ?? scanner.attempt(() => match(scanner));
}

function group(scanner: Scanner, depth: number): Expression | undefined {
  if (!scanner.literal('(')) return undefined;
  scanner.spaces();
  const expression = either(scanner, depth + 1);
  if (expression === undefined) return undefined;
  scanner.spaces();
  if (scanner.literal(')')) return expression;
  scanner.mistake('grouping', 'Unmatched parentheses');
  return undefined;
}

function match(scanner: Scanner): Match | undefined {
  const selector = readSelector(scanner);
  const left = selector?.join('.') ?? readNumber(scanner) ?? readString(scanner);
  if (left === undefined) return undefined;
  const comparison =
    selector && scanner.attempt(() => readComparison(scanner) ?? readEmptiness(scanner));
  if (selector && comparison) return { type: 'match', selector, ...comparison };
  return readMembership(scanner, left);
}

type Test = Pick<Match, 'operator' | 'value'>;

function readComparison(scanner: Scanner): Test | undefined {
  const operator = readComparator(scanner);
  if (operator === undefined) return undefined;
  const value = readValue(scanner);
  return value === undefined ? undefined : { operator, value };
}

function readComparator(scanner: Scanner): Operator | undefined {
  const symbol = scanner.attempt(() => {
    scanner.spaces();
    if (scanner.literal('==')) return 'Equal';
    return scanner.literal('!=') ? 'Not Equal' : undefined;
  });
  if (symbol !== undefined) {
    scanner.spaces();
    return symbol;
  }
  return scanner.attempt(() => {
    const not = scanner.attempt(() => keyword(scanner, 'not') || undefined) ?? false;
    if (!not && !scanner.spaces()) return undefined;
    const contains = scanner.literal('contains');
    if (!(contains || scanner.literal('matches')) || !scanner.spaces()) return undefined;
    if (contains) return not ? 'Not In' : 'In';
    return not ? 'Not Matches' : 'Matches';
  });
}

function readEmptiness(scanner: Scanner): Test | undefined {
  return scanner.attempt(() => {
    if (!keyword(scanner, 'is')) return undefined;
    if (scanner.literal('empty')) return { operator: 'Is Empty', value: '' };
    const empty = scanner.literal('not') && scanner.spaces() && scanner.literal('empty');
    return empty ? { operator: 'Is Not Empty', value: '' } : undefined;
  });
}

function readMembership(scanner: Scanner, value: string): Match | undefined {
  const not = scanner.attempt(() => keyword(scanner, 'not') || undefined) ?? false;
  if (!not && !scanner.spaces()) return undefined;
  if (!scanner.literal('in') || !scanner.spaces()) return undefined;
  const selector = readSelector(scanner);
  if (selector === undefined) {
    scanner.mistake('match', 'Invalid selector');
    return undefined;
  }
  return { type: 'match', selector, operator: not ? 'Not In' : 'In', value };
}

/** A word with space on both sides. */
function keyword(scanner: Scanner, word: string): boolean {
  return scanner.spaces() && scanner.literal(word) && scanner.spaces();
}

function readValue(scanner: Scanner): string | undefined {
  // A bare word is read as a selector, so that a.b and a["b"] are values too.
  return readSelector(scanner)?.join('.') ?? readNumber(scanner) ?? readString(scanner);
}

function readSelector(scanner: Scanner): string[] | undefined {
  const first = readWord(scanner);
  if (first === undefined) return undefined;
  const path = [first];
  for (;;) {
    const next =
      scanner.attempt(() => (scanner.literal('.') ? readWord(scanner) : undefined)) ??
      scanner.attempt(() => readIndex(scanner));
    if (next === undefined) return path;
    path.push(next);
  }
}

function readWord(scanner: Scanner): string | undefined {
  const start = scanner.at;
  if (!scanner.one(LETTER)) return undefined;
  scanner.many(WORD);
  return scanner.text.slice(start, scanner.at);
}

function readIndex(scanner: Scanner): string | undefined {
  if (!scanner.literal('[')) return undefined;
  scanner.spaces();
  const key = readString(scanner);
  if (key === undefined) {
    scanner.mistake('index', 'Invalid index');
    return undefined;
  }
  scanner.spaces();
  if (scanner.literal(']')) return key;
  scanner.mistake('index', 'Unclosed index expression');
  return undefined;
}

function readNumber(scanner: Scanner): string | undefined {
  return scanner.attempt(() => {
    const start = scanner.at;
    scanner.literal('-');
    if (!readDigits(scanner)) return undefined;
    scanner.attempt(() => (scanner.literal('.') && scanner.many(DIGIT)) || undefined);
    const number = scanner.text.slice(start, scanner.at);
    if (endsHere(scanner)) return number;
    scanner.mistake('number', 'Invalid number literal');
    return undefined;
  });
}

function readDigits(scanner: Scanner): boolean {
  if (scanner.literal('0')) return true;
  if (!scanner.one(FIRST_DIGIT)) return false;
  scanner.many(DIGIT);
  return true;
}

function endsHere(scanner: Scanner): boolean {
  const at = scanner.at;
  const ends = scanner.spaces() || scanner.end() || scanner.literal(')');
  scanner.at = at;
  return ends;
}

function readString(scanner: Scanner): string | undefined {
  const start = scanner.at;
  const quote = ['`', '"'].find((mark) => scanner.literal(mark));
  if (quote === undefined) return undefined;
  const end = scanner.text.indexOf(quote, scanner.at);
  if (end < 0) {
    scanner.mistake('string', 'Unterminated string literal', scanner.text.length);
    scanner.at = start;
    return undefined;
  }
  scanner.at = end + 1;
  const text = unquote(scanner.text.slice(start, scanner.at));
  if (text === undefined) scanner.mistake('string', 'invalid syntax', start);
  return text ?? '';
}
