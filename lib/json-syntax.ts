/**
 * What Go says of a text that is no JSON. The reader has refused it already: this finds the first
 * place that is wrong, and quotes no more of the text than one character.
 */

/** What comes next: a value, or something in an object or array that is open. */
type Expected =
  | 'value'
  | 'first-key'
  | 'key'
  | 'colon'
  | 'after-pair'
  | 'first-item'
  | 'after-item';

const WHERE: Readonly<Record<Expected, string>> = {
  value: 'looking for beginning of value',
  'first-key': 'looking for beginning of object key string',
  key: 'looking for beginning of object key string',
  colon: 'after object key',
  'after-pair': 'after object key:value pair',
  'first-item': 'looking for beginning of value',
  'after-item': 'after array element',
};
/** What ends the object or array instead. */
const CLOSES: Readonly<Partial<Record<Expected, string>>> = {
  'first-key': '}',
  'after-pair': '}',
  'first-item': ']',
  'after-item': ']',
};
const SEPARATORS: Readonly<Partial<Record<Expected, readonly [string, Expected]>>> = {
  colon: [':', 'value'],
  'after-pair': [',', 'key'],
  'after-item': [',', 'value'],
};
const CUT_OFF = 'unexpected EOF';

export function syntaxComplaint(text: string): string {
  return new SyntaxScan(text).run();
}

class SyntaxScan {
  readonly #text: string;
  #at = 0;
  #complaint: string | undefined;
  /** The objects and arrays that are open, as what is expected in them next. */
  readonly #open: Expected[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  run(): string {
    let expected: Expected | undefined = 'value';
    while (expected !== undefined && this.#complaint === undefined) {
      this.#skip(/[ \t\r\n]*/y);
      if (this.#at >= this.#text.length) return this.#text.trim() === '' ? 'EOF' : CUT_OFF;
      expected = this.#step(expected, this.#text[this.#at] as string);
    }
    if (this.#complaint !== undefined) return this.#complaint;
    this.#skip(/[ \t\r\n]*/y);
    this.#refuse('after top-level value');
    return this.#complaint ?? CUT_OFF;
  }

  /** Reads one token; what is expected after it, undefined at the end of the whole value. */
  #step(expected: Expected, char: string): Expected | undefined {
    if (char === CLOSES[expected]) return this.#close();
    const separator = SEPARATORS[expected];
    if (separator !== undefined) {
      return char === separator[0] ? this.#take(separator[1]) : this.#refuse(WHERE[expected]);
    }
    if (expected !== 'first-key' && expected !== 'key') return this.#value(char);
    return char === '"' ? this.#string('colon') : this.#refuse(WHERE[expected]);
  }

  #value(char: string): Expected | undefined {
    if (char === '{') return this.#enter('after-pair', 'first-key');
    if (char === '[') return this.#enter('after-item', 'first-item');
    if (char === '"') return this.#string(this.#open.at(-1));
    if (char === '-' || (char >= '0' && char <= '9')) return this.#number();
    const word = ['true', 'false', 'null'].find((name) => name.startsWith(char));
    return word === undefined ? this.#refuse(WHERE.value) : this.#word(word);
  }

  #enter(then: Expected, first: Expected): Expected {
    this.#open.push(then);
    return this.#take(first);
  }

  #close(): Expected | undefined {
    this.#at++;
    this.#open.pop();
    return this.#open.at(-1);
  }

  #take(then: Expected): Expected {
    this.#at++;
    return then;
  }

  #word(word: string): Expected | undefined {
    for (const letter of word) {
      if (this.#text[this.#at] !== letter) {
        return this.#refuse(`in literal ${word} (expecting '${letter}')`);
      }
      this.#at++;
    }
    return this.#open.at(-1);
  }

  #number(): Expected | undefined {
    this.#skip(/-?/y);
    if (!this.#skip(/0|[1-9]\d*/y)) return this.#refuse('in numeric literal');
    if (this.#skip(/\./y) && !this.#skip(/\d+/y)) {
      return this.#refuse('after decimal point in numeric literal');
    }
    if (this.#skip(/[eE][+-]?/y) && !this.#skip(/\d+/y)) {
      return this.#refuse('in exponent of numeric literal');
    }
    return this.#open.at(-1);
  }

  #string(then: Expected | undefined): Expected | undefined {
    this.#at++;
    for (;;) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON takes none of them in a text.
      this.#skip(/[^"\\\u0000-\u001f]*/y);
      if (this.#skip(/"/y)) return then;
      if (!this.#skip(/\\/y)) return this.#refuse('in string literal');
      if (this.#skip(/u/y)) {
        if (!this.#skip(/[0-9a-fA-F]{4}/y)) {
          this.#skip(/[0-9a-fA-F]{0,3}/y);
          return this.#refuse('in \\u hexadecimal character escape');
        }
      } else if (!this.#skip(/["\\/bfnrt]/y)) return this.#refuse('in string escape code');
    }
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const found = pattern.test(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found;
  }

  #refuse(where: string): undefined {
    // Go reads bytes, and shows the first one of a character that has several.
    const [byte] = Buffer.from(this.#text.slice(this.#at, this.#at + 2));
    this.#complaint = byte === undefined ? CUT_OFF : `invalid character ${quoted(byte)} ${where}`;
    return undefined;
  }
}

const QUOTED: Readonly<Record<string, string>> = {
  "'": `'\\''`,
  '"': `'"'`,
  '\n': `'\\n'`,
  '\r': `'\\r'`,
  '\t': `'\\t'`,
};

/** As Go shows one character. */
function quoted(code: number): string {
  const char = String.fromCharCode(code);
  const known = QUOTED[char];
  if (known !== undefined) return known;
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, '0')}'`;
  return code >= 0x80 && code < 0xa1 ? `'\\u00${code.toString(16)}'` : `'${char}'`;
}
