/** The flags of `agent`: a table of what each sets, and Go's way of reading a command line. */
import { ProconsulError } from '../errors.ts';
import { boolComplaint, integerComplaint, parseBool } from '../go-literals.ts';
import type { Tree } from './row.ts';

export interface Flags {
  readonly dev: boolean;
  /** Files and folders in the order in which they were given. */
  readonly configPaths: readonly string[];
  /** 'json' or 'hcl' whatever a file's ending says; '' to go by the ending. */
  readonly configFormat: string;
  /** Each -hcl fragment. */
  readonly fragments: readonly string[];
  /** What the flags say of lists: goes before the files, for lists are strung together. */
  readonly lists: Tree;
  /** What the flags say of the rest: goes after the files, for the last one stands. */
  readonly values: Tree;
}

export type FlagKind = 'bool' | 'string' | 'int' | 'strings' | 'map';

export interface Flag {
  readonly kind: FlagKind;
  /** The configuration key that it sets, with dots; none for flags about the reading itself. */
  readonly key?: string;
  readonly help: string;
}

export type FlagTable = ReadonlyMap<string, Flag>;

/** One flag of the command line with its value, the one of a boolean as 'true' or 'false'. */
export interface FlagValue {
  readonly name: string;
  readonly value: string;
}

/**
 * Reads a command line as Go's flag package does: `-x v`, `-x=v`, `--x`, and `-x=false` for
 * booleans, which never take the next word.
 */
export function scanFlags(
  argv: readonly string[],
  table: FlagTable,
): { given: readonly FlagValue[]; rest: readonly string[] } {
  const given: FlagValue[] = [];
  let at = 0;
  while (at < argv.length) {
    const word = argv[at] ?? '';
    if (!word.startsWith('-') || word === '-') break;
    at++;
    if (word === '--') break;
    const { name, value = implied(table, name) } = splitWord(table, word);
    if (!table.has(name)) throw usageError(table, `flag provided but not defined: -${name}`);
    if (value === undefined && at >= argv.length) {
      throw usageError(table, `flag needs an argument: -${name}`);
    }
    given.push({ name, value: value ?? argv[at++] ?? '' });
  }
  return { given, rest: argv.slice(at) };
}

/** What a flag means that stands alone; undefined when it needs the next word. */
function implied(table: FlagTable, name: string): string | undefined {
  return table.get(name)?.kind === 'bool' ? 'true' : undefined;
}

function splitWord(table: FlagTable, word: string): { name: string; value: string | undefined } {
  const body = word.replace(/^--?/, '');
  if (body === '' || body.startsWith('-') || body.startsWith('=')) {
    throw usageError(table, `bad flag syntax: ${word}`);
  }
  const equals = body.indexOf('=');
  if (equals < 0) return { name: body, value: undefined };
  return { name: body.slice(0, equals), value: body.slice(equals + 1) };
}

/** The complaint and then what there is, as Go's flag package prints it. */
function usageError(table: FlagTable, complaint: string): ProconsulError {
  const lines = byName(table).map(([name, { kind, help }]) => {
    const value = kind === 'bool' ? '' : ' value';
    return `  -${name}${value}\n    \t${help}\n`;
  });
  return new ProconsulError('invalid', `${complaint}\nUsage:\n${lines.join('')}`);
}

function byName(table: FlagTable): readonly (readonly [string, Flag])[] {
  return [...table].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Throws what Go's flag package prints, for a flag that is unknown or whose value is no good. */
export function parseFlags(argv: readonly string[], table: FlagTable): Flags {
  const { given, rest } = scanFlags(argv, table);
  if (rest.length > 0) {
    throw new ProconsulError('invalid', `Unexpected extra arguments: [${rest.join(' ')}]`);
  }
  const sorted = sortFlags(given, table);
  const last = (name: string) => sorted.plain.get(name)?.at(-1) ?? '';
  return {
    dev: last('dev') === 'true',
    configPaths: sorted.configPaths,
    configFormat: last('config-format'),
    fragments: sorted.plain.get('hcl') ?? [],
    lists: nest(sorted.lists),
    values: nest(sorted.values),
  };
}

/** Puts each flag where it belongs; `plain` are those about the reading itself. */
function sortFlags(given: readonly FlagValue[], table: FlagTable) {
  const lists = new Map<string, unknown>();
  const values = new Map<string, unknown>();
  const plain = new Map<string, string[]>();
  const configPaths: string[] = [];
  for (const { name, value } of given) {
    const { kind, key } = table.get(name) ?? { kind: 'string' };
    const parsed = parseValue(table, { name, value });
    if (name === 'config-file' || name === 'config-dir') configPaths.push(value);
    else if (key === undefined) plain.set(name, [...(plain.get(name) ?? []), `${parsed}`]);
    else if (kind === 'strings') append(lists, key, value);
    else if (kind === 'map') setPair(values, key, value);
    else values.set(key, parsed);
  }
  return { lists, values, plain, configPaths };
}

/** Throws what Go's flag package prints, for a value that is no good. */
export function parseValue(table: FlagTable, { name, value: text }: FlagValue): unknown {
  const kind = table.get(name)?.kind;
  const quoted = JSON.stringify(text);
  if (kind === 'bool') {
    const value = parseBool(text);
    if (value !== undefined) return value;
    const cause = boolComplaint(text);
    throw usageError(table, `invalid boolean value ${quoted} for -${name}: ${cause}`);
  }
  if (kind === 'int') {
    const value = Number(text);
    if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(value)) return value;
    const cause = integerComplaint(text);
    throw usageError(table, `invalid value ${quoted} for flag -${name}: ${cause}`);
  }
  return text;
}

function append(lists: Map<string, unknown>, key: string, value: string): void {
  const before = lists.get(key);
  lists.set(key, Array.isArray(before) ? [...before, value] : [value]);
}

function setPair(values: Map<string, unknown>, key: string, text: string): void {
  const colon = text.indexOf(':');
  const pair: [string, string] =
    colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  const before = values.get(key);
  const pairs = typeof before === 'object' && before !== null ? Object.entries(before) : [];
  values.set(key, Object.fromEntries([...pairs, pair]));
}

/** {'ports.http': 1} → {ports: {http: 1}}. The keys are the table's own, never a user's. */
function nest(flat: ReadonlyMap<string, unknown>): Tree {
  const tree: Record<string, unknown> = {};
  for (const [key, value] of flat) {
    const [head = '', tail] = key.split('.', 2);
    tree[head] = tail === undefined ? value : { ...(tree[head] as Tree), [tail]: value };
  }
  return tree;
}

const INDENT = '     ';
const LINE_LENGTH = 79;

/** One block of lines for each flag, by name. */
export function describeFlags(table: FlagTable): readonly string[] {
  return byName(table).map(([name, { kind, help }]) => {
    const value = kind === 'bool' ? '' : `=<${kind === 'map' ? 'key:value' : 'value'}>`;
    return `  -${name}${value}\n${wrap(help, INDENT)}`;
  });
}

/** The text in lines of a terminal's length, each with a newline. */
export function wrap(text: string, indent: string, length = LINE_LENGTH): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > length) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each) => `${indent}${each}\n`).join('');
}
