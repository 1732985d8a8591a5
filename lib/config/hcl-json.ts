/**
 * JSON as HCL's parts, for what Consul reads with HCL's own reader of JSON: a name that stands twice
 * counts twice, what is cut off ends where it ends, and what follows the object is passed over.
 */
import { ProconsulError } from '../errors.ts';
import { MAX_JSON_DEPTH } from '../json-bounds.ts';
import { wholeCharacters } from '../whole-characters.ts';
import type { Token } from './hcl-scanner.ts';
import type { HclItem, HclNode } from './hcl-syntax.ts';

const SPACE = /[ \t\r\n]*/y;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/sy;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

/** Of parts that have no place of their own. */
const NOWHERE = -1;

/** The text begins with a brace. Throws ProconsulError 'invalid' with line and column. */
export function parseJsonItems(text: string): readonly HclItem[] {
  return new JsonParser(text).parse();
}

class JsonParser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): readonly HclItem[] {
    this.#match(SPACE);
    return this.#items().flatMap(flattened);
  }

  #items(): readonly HclItem[] {
    const items: HclItem[] = [];
    this.#each('}', () => {
      const key = this.#string();
      this.#expect(':');
      const value = this.#value();
      if (value !== undefined) items.push({ keys: [key], assigned: true, value });
    });
    return items;
  }

  #nodes(): readonly HclNode[] {
    const nodes: HclNode[] = [];
    this.#each(']', () => {
      const node = this.#value();
      if (node !== undefined) nodes.push(node);
    });
    return nodes;
  }

  /** What is between two brackets, up to the second or the end of the text. */
  #each(closing: string, read: () => void): void {
    if (++this.#depth > MAX_JSON_DEPTH) throw this.#fault('nested too deeply');
    this.#step();
    while (!this.#ended && !this.#stands(closing)) {
      read();
      if (!this.#stands(closing)) this.#expect(',');
    }
    this.#step();
    this.#depth--;
  }

  /** Undefined at the end of the text. */
  #value(): HclNode | undefined {
    if (this.#ended) return undefined;
    const char = this.#text[this.#at];
    if (char === '{') return { kind: 'object', items: this.#items(), at: NOWHERE };
    if (char === '[') return { kind: 'list', nodes: this.#nodes(), at: NOWHERE };
    if (char === '"') return { kind: 'literal', token: this.#string() };
    return { kind: 'literal', token: this.#number() ?? this.#word() };
  }

  #string(): Token {
    const text = this.#match(STRING);
    if (text === undefined) {
      throw this.#fault(this.#text[this.#at] === '"' ? 'literal not terminated' : 'illegal char');
    }
    let value: unknown;
    try {
      value = JSON.parse(wholeCharacters(text));
    } catch (cause) {
      throw new ProconsulError('invalid', `${this.#where()}: illegal char escape`, { cause });
    }
    this.#match(SPACE);
    return { kind: 'STRING', text, value: String(value), at: NOWHERE };
  }

  #number(): Token | undefined {
    const text = this.#match(NUMBER);
    this.#match(SPACE);
    if (text === undefined) return undefined;
    const kind = /[.eE]/.test(text) ? 'FLOAT' : 'NUMBER';
    return { kind, text, value: Number(text), at: NOWHERE };
  }

  #word(): Token {
    const text = this.#match(WORD);
    if (text === undefined) throw this.#fault('illegal char');
    this.#match(SPACE);
    // To HCL, null is a text that says nothing.
    if (text === 'null') return { kind: 'STRING', text, value: '', at: NOWHERE };
    return { kind: 'BOOL', text, value: text === 'true', at: NOWHERE };
  }

  get #ended(): boolean {
    return this.#at >= this.#text.length;
  }

  #stands(char: string): boolean {
    return this.#text[this.#at] === char;
  }

  /** At the end of the text nothing is expected any more. */
  #expect(char: string): void {
    if (!this.#ended && !this.#stands(char)) throw this.#fault(`expected: ${char}`);
    this.#step();
  }

  #step(): void {
    this.#at++;
    this.#match(SPACE);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #fault(reason: string): ProconsulError {
    return new ProconsulError('invalid', `${this.#where()}: ${reason}`);
  }

  #where(): string {
    const before = this.#text.slice(0, this.#at);
    return `${before.split('\n').length}:${this.#at - before.lastIndexOf('\n')}`;
  }
}

/** An object that holds nothing but objects is a block for each of them, with its name as a label. */
function flattened({ keys, assigned, value }: HclItem): readonly HclItem[] {
  if (value.kind === 'list' && isObjects(value)) {
    return value.nodes.flatMap((node) => flattened({ keys, assigned: false, value: node }));
  }
  const isNest = value.kind === 'object' && value.items.every((inner) => isObjects(inner.value));
  if (!isNest) return [{ keys, assigned, value }];
  return value.items.flatMap((inner) =>
    flattened({ keys: [...keys, ...inner.keys], assigned: false, value: inner.value }),
  );
}

function isObjects(node: HclNode): boolean {
  if (node.kind === 'list') return node.nodes.every(({ kind }) => kind === 'object');
  return node.kind === 'object';
}
