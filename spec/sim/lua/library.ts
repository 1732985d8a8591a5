/** What of Lua's own functions scripts use. */
import { Many, num, type Table, toNumber, toText, typeOf } from './values.ts';

type Fn = (...args: readonly never[]) => unknown;

/** A real Lua has it: no error that a script could catch, but one that ends the run. */
function lacking(what: string): Error {
  return new Error(`a script uses ${what}, which is not known here: see spec/sim/lua/`);
}

function none(what: string, ...more: readonly unknown[]): void {
  if (more.some((each) => each !== undefined)) throw lacking(what);
}

const CLASSES: Readonly<Record<string, string>> = {
  d: '0-9',
  x: '0-9A-Fa-f',
  s: '\\s',
  w: '0-9A-Za-z',
  a: 'A-Za-z',
};
const NOT_CLASSES: Readonly<Record<string, string>> = { D: '0-9', S: '\\s', W: '0-9A-Za-z' };
const PATTERNS = new Map<string, RegExp>();

/** A pattern of Lua's as one of JavaScript's. */
function pattern(text: string): RegExp {
  let known = PATTERNS.get(text);
  if (known === undefined) {
    known = new RegExp(translated(text));
    PATTERNS.set(text, known);
  }
  return known;
}

function translated(text: string): string {
  return text.replace(/%(.)|[^%]/gs, (c: string, escaped?: string) =>
    escaped === undefined ? plain(c) : classOf(escaped),
  );
}

function plain(c: string): string {
  if (c === '-') return '*?';
  if (c === '.') return '[\\s\\S]';
  if (c === '[' || c === ']') throw lacking('a set in a pattern');
  return '{}|\\'.includes(c) ? `\\${c}` : c;
}

function classOf(c: string): string {
  if (c === 'b' || c === 'f') throw lacking(`%${c} in a pattern`);
  if (CLASSES[c] !== undefined) return `[${CLASSES[c]}]`;
  return NOT_CLASSES[c] === undefined ? `\\${c}` : `[^${NOT_CLASSES[c]}]`;
}

export const GLOBALS: Readonly<Record<string, Fn>> = {
  tonumber: (value: unknown, base?: unknown) => {
    none('a base of tonumber', base);
    return toNumber(value);
  },
  tostring: (value: unknown) => {
    if (typeof value !== 'string' && typeof value !== 'number') throw lacking('tostring of it');
    return toText(value);
  },
  type: (value: unknown) => typeOf(value),
  unpack: ({ list }: Table, from?: unknown, to?: unknown) => {
    none('a range of unpack', from, to);
    return new Many(list);
  },
};

export const LIBRARIES: Readonly<Record<string, Readonly<Record<string, Fn>>>> = {
  math: {
    floor: (n: unknown) => Math.floor(num(n)),
    max: (...all: readonly unknown[]) => Math.max(...all.map(num)),
    min: (...all: readonly unknown[]) => Math.min(...all.map(num)),
  },
  string: {
    match: (text: unknown, form: string, from?: unknown) => {
      none('where string.match begins', from);
      const found = pattern(form).exec(toText(text));
      if (found === null) return undefined;
      return found.length > 2 ? new Many(found.slice(1)) : found[found.length - 1];
    },
    find: (text: string, form: string, from?: unknown, plain?: unknown) => {
      none('where string.find begins', from, plain);
      const found = pattern(form).exec(text);
      if (found === null) return undefined;
      return new Many([found.index + 1, found.index + found[0].length]);
    },
    sub: (text: string, from: number, to = -1) => {
      const start = from < 0 ? Math.max(0, text.length + from) : from - 1;
      return text.slice(start, to < 0 ? text.length + to + 1 : to);
    },
    format: (form: string, n: unknown, ...more: readonly unknown[]) => {
      none('several values of string.format', ...more);
      if (form !== '%d') throw lacking(`the format ${form}`);
      return String(Math.trunc(num(n)));
    },
  },
  table: {
    concat: ({ list }: Table, between = '', from?: unknown, to?: unknown) => {
      none('a range of table.concat', from, to);
      return list.map(toText).join(between);
    },
  },
};
