/** Cuts HCL (version 1) into tokens. */
import { ProconsulError } from '../errors.ts';
import { SIMPLE_ESCAPES } from '../simple-escapes.ts';

export type TokenKind =
  | 'IDENT'
  | 'STRING'
  | 'HEREDOC'
  | 'NUMBER'
  | 'FLOAT'
  | 'BOOL'
  | 'LBRACE'
  | 'RBRACE'
  | 'LBRACK'
  | 'RBRACK'
  | 'COMMA'
  | 'ASSIGN'
  | 'SUB'
  | 'EOF';

export interface Token {
  readonly kind: TokenKind;
  /** As it stands in the text. */
  readonly text: string;
  /** What it means. */
  readonly value: string | number | boolean;
  /** Where it begins in the text. */
  readonly at: number;
}

const SPACE_AND_COMMENTS = /(?:\s+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
/** Nearly all are of these letters, which cost a fraction to look for. */
const ASCII_IDENTIFIER = /[A-Za-z_][\w.-]*/y;
/** Likewise: nothing in it stands for anything else. */
const PLAIN_STRING = /"[^"\\\n$]*"/y;
const IDENTIFIER = /[\p{L}_][\p{L}\p{Nd}_.-]*/uy;
const NUMBER = /-?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)/y;
const HEREDOC = /<<(-?)([\p{L}\p{Nd}_]+)\r?\n/uy;
const PUNCTUATION: Readonly<Record<string, TokenKind>> = {
  '{': 'LBRACE',
  '}': 'RBRACE',
  '[': 'LBRACK',
  ']': 'RBRACK',
  ',': 'COMMA',
  '=': 'ASSIGN',
  '-': 'SUB',
};
const ESCAPE =
  /\\(?:([abfnrtv\\"])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;
const LAST_ASCII = 0x7f;

export class HclScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  next(): Token {
    this.#skip();
    const at = this.#at;
    const char = this.#text[at];
    if (char === undefined) return { kind: 'EOF', text: '', value: '', at };
    if (char === '"') return this.#string();
    if (char === '<') return this.#heredoc();
    const word = this.#word();
    if (word !== undefined) return wordToken(word, at);
    const number = this.#match(NUMBER);
    if (number !== undefined) return this.#number(number, at);
    const kind = PUNCTUATION[char];
    if (kind === undefined) throw this.fault(at, 'illegal char');
    this.#at++;
    return { kind, text: char, value: char, at };
  }

  /** An error that says where: 'At 3:14: …'. */
  fault(at: number, reason: string): ProconsulError {
    return new ProconsulError('invalid', `At ${this.position(at)}: ${reason}`);
  }

  /** Line and column, from 1. */
  position(at: number): string {
    const before = this.#text.slice(0, at);
    const line = before.split('\n').length;
    return `${line}:${at - before.lastIndexOf('\n')}`;
  }

  #word(): string | undefined {
    const at = this.#at;
    const word = this.#match(ASCII_IDENTIFIER);
    if (word !== undefined && !(this.#text.charCodeAt(this.#at) > LAST_ASCII)) return word;
    this.#at = at;
    return this.#match(IDENTIFIER);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #skip(): void {
    this.#match(SPACE_AND_COMMENTS);
    if (this.#text.startsWith('/*', this.#at)) {
      throw this.fault(this.#text.length, 'comment not terminated');
    }
  }

  #number(text: string, at: number): Token {
    const negative = text.startsWith('-');
    const digits = negative ? text.slice(1) : text;
    const isOctal = /^0\d+$/.test(digits);
    if (isOctal && /[89]/.test(digits)) throw this.fault(at, 'illegal octal number');
    const size = isOctal ? Number.parseInt(digits, 8) : Number(digits);
    const kind = /^(0[xX]|\d+$)/.test(digits) ? 'NUMBER' : 'FLOAT';
    return { kind, text, value: negative ? -size : size, at };
  }

  #string(): Token {
    const start = this.#at;
    const plain = this.#match(PLAIN_STRING);
    if (plain !== undefined) {
      return { kind: 'STRING', text: plain, value: plain.slice(1, -1), at: start };
    }
    const parts: string[] = [];
    // Inside ${…} a quote does not end the string, and nothing is an escape.
    let braces = 0;
    this.#at++;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined || (char === '\n' && braces === 0)) {
        throw this.fault(this.#at, 'literal not terminated');
      }
      if (char === '"' && braces === 0) break;
      if (char === '\\' && braces === 0) {
        parts.push(this.#escape());
        continue;
      }
      braces += this.#braceStep(char, braces);
      parts.push(char);
      this.#at++;
    }
    this.#at++;
    const text = this.#text.slice(start, this.#at);
    return { kind: 'STRING', text, value: parts.join(''), at: start };
  }

  #braceStep(char: string, braces: number): number {
    if (char === '{') return braces > 0 || this.#text[this.#at - 1] === '$' ? 1 : 0;
    return char === '}' && braces > 0 ? -1 : 0;
  }

  #escape(): string {
    const at = this.#at;
    ESCAPE.lastIndex = at;
    const found = ESCAPE.exec(this.#text);
    if (found === null) throw this.fault(at, 'illegal char escape');
    this.#at += found[0].length;
    const [, simple, octal, hex2, hex4, hex8] = found;
    if (simple !== undefined) return SIMPLE_ESCAPES[simple] ?? simple;
    const code =
      octal === undefined
        ? Number.parseInt(hex2 ?? hex4 ?? hex8 ?? '', 16)
        : Number.parseInt(octal, 8);
    if (code > 0x10ffff) throw this.fault(at, 'illegal char escape');
    // As Go: each half of a pair by itself is none.
    return String.fromCodePoint(code >= 0xd800 && code <= 0xdfff ? 0xfffd : code);
  }

  #heredoc(): Token {
    const start = this.#at;
    const opening = this.#match(HEREDOC);
    if (opening === undefined) throw this.fault(start, 'invalid characters in heredoc anchor');
    const [, dash, marker = ''] = /<<(-?)(\S+)/.exec(opening) ?? [];
    const lines: string[] = [];
    let line = this.#line();
    // Either form ends at an indented marker too; only `<<-` takes the indent off.
    while (line.trim() !== marker) {
      // A file from Windows means the same lines.
      lines.push(line.replace(/\r$/, ''));
      this.#at++;
      line = this.#line();
    }
    const indent = dash === '-' ? line.slice(0, line.indexOf(marker)) : '';
    const value = withoutIndent(lines, indent).map((each) => `${each}\n`);
    const text = this.#text.slice(start, this.#at);
    return { kind: 'HEREDOC', text, value: value.join(''), at: start };
  }

  /** The rest of the line, without the line break, which is left standing. */
  #line(): string {
    const start = this.#at;
    if (start >= this.#text.length) throw this.fault(start, 'heredoc not terminated');
    const end = this.#text.indexOf('\n', start);
    this.#at = end < 0 ? this.#text.length : end;
    return this.#text.slice(start, this.#at);
  }
}

/** The marker's own indent is taken off, if every line has it. */
function withoutIndent(lines: readonly string[], indent: string): readonly string[] {
  const all = lines.every((line) => line.startsWith(indent) || line === '');
  return all ? lines.map((line) => line.slice(indent.length)) : lines;
}

function wordToken(text: string, at: number): Token {
  if (text === 'true' || text === 'false') {
    return { kind: 'BOOL', text, value: text === 'true', at };
  }
  return { kind: 'IDENT', text, value: text, at };
}
