/**
 * HCL, version 1, as Consul 1.8 reads it: configuration files, service definitions, ACL rules.
 * The other version that calls itself HCL, Terraform's, is another language.
 */
import { ProconsulError } from '../errors.ts';
import { decodeJson, MAX_JSON_DEPTH } from '../json.ts';
import { HclScanner, type Token, type TokenKind } from './hcl-scanner.ts';
import type { Tree } from './row.ts';

/** What stands in a text for bytes that are no UTF-8. */
const BROKEN = '\uFFFD';

export type HclValue = string | number | boolean | readonly HclValue[] | HclObject;
export interface HclObject {
  readonly [key: string]: HclValue;
}

/**
 * Reads HCL, or JSON where the text begins with a brace. A block comes out as a list of the objects
 * under its name, for it may be repeated, and a label as one more level: `service "a" { port = 1 }`
 * is `{service: [{a: [{port: 1}]}]}`. Throws ProconsulError 'invalid' with line and column.
 */
export function parseHcl(text: string): Tree {
  if (/^\s*\{/.test(text)) return parseJsonObject(text);
  const broken = text.indexOf(BROKEN);
  if (broken >= 0) throw new HclScanner(text).fault(broken, 'illegal UTF-8 encoding');
  return new HclParser(text).parse();
}

function parseJsonObject(text: string): Tree {
  try {
    return decodeJson(text) as Tree;
  } catch (error) {
    throw new ProconsulError('invalid', error instanceof Error ? error.message : String(error));
  }
}

class HclParser {
  readonly #scanner: HclScanner;
  #token: Token;
  #depth = 0;

  constructor(text: string) {
    this.#scanner = new HclScanner(text);
    this.#token = this.#scanner.next();
  }

  parse(): HclObject {
    const object = this.#items('EOF');
    return object;
  }

  #advance(): Token {
    const token = this.#token;
    this.#token = this.#scanner.next();
    return token;
  }

  #skipCommas(): void {
    while (this.#token.kind === 'COMMA') this.#advance();
  }

  /** The items up to the token that ends them, which is left standing. */
  #items(end: 'EOF' | 'RBRACE'): HclObject {
    const object = new Map<string, HclValue>();
    while (this.#token.kind !== end) {
      this.#item(object);
      if (end === 'RBRACE') this.#skipCommas();
    }
    return Object.fromEntries(object);
  }

  #item(object: Map<string, HclValue>): void {
    const keys = this.#keys();
    const [key = '', ...labels] = keys.map(({ value }) => String(value));
    if (this.#token.kind === 'LBRACE') {
      // Each label is a level of its own, and a level is a list.
      const value = labels.reduceRight<HclObject>(
        (inner, label) => Object.fromEntries([[label, [inner]]]),
        this.#object(),
      );
      put(object, key, [value]);
      return;
    }
    this.#advance();
    const value = this.#value();
    put(object, key, isObject(value) ? [value] : value);
  }

  /** The keys before a block or an assignment, which is left standing. */
  #keys(): readonly Token[] {
    const keys: Token[] = [];
    while (this.#token.kind === 'IDENT' || this.#token.kind === 'STRING') {
      // Each is a level of the tree that comes out.
      if (keys.length + this.#depth > MAX_JSON_DEPTH) throw this.#tooDeep();
      keys.push(this.#advance());
    }
    const { kind, at } = this.#token;
    if (keys.length === 0) {
      if (kind === 'ASSIGN') throw this.#fault(at, 'no object keys found!');
      if (kind === 'EOF') throw this.#fault(at, 'object expected closing RBRACE got: EOF');
      throw this.#fault(at, `expected: IDENT | STRING | ASSIGN | LBRACE got: ${kind}`);
    }
    if (kind === 'LBRACE') return keys;
    if (kind === 'ASSIGN' && keys.length === 1) return keys;
    if (kind === 'ASSIGN') throw this.#fault(at, 'nested object expected: LBRACE got: ASSIGN');
    const names = keys.map(({ text }) => text).join(' ');
    throw this.#fault(at, `key '${names}' expected start of object ('{') or assignment ('=')`);
  }

  #value(): HclValue {
    const { kind, value, text, at } = this.#token;
    switch (kind) {
      case 'STRING':
      case 'HEREDOC':
      case 'NUMBER':
      case 'FLOAT':
      case 'BOOL':
        this.#advance();
        return value;
      case 'LBRACK':
        return this.#list();
      case 'LBRACE':
        return this.#object();
      default:
        throw this.#fault(
          at,
          `Unknown token: ${this.#scanner.position(at)} ${kind} ${text}`.trim(),
        );
    }
  }

  #object(): HclObject {
    return this.#nested(() => {
      const object = this.#items('RBRACE');
      this.#advance();
      return object;
    });
  }

  #list(): readonly HclValue[] {
    return this.#nested(() => {
      const list: HclValue[] = [];
      for (;;) {
        this.#skipCommas();
        if (this.#token.kind === 'RBRACK') break;
        list.push(this.#value());
        this.#expectListGoesOn();
      }
      this.#advance();
      return list;
    });
  }

  #expectListGoesOn(): void {
    const { kind, at } = this.#token;
    const allowed: readonly TokenKind[] = ['COMMA', 'RBRACK'];
    if (allowed.includes(kind)) return;
    throw this.#fault(at, `error parsing list, expected comma or list end, got: ${kind}`);
  }

  #nested<T>(read: () => T): T {
    if (this.#depth >= MAX_JSON_DEPTH) throw this.#tooDeep();
    this.#depth++;
    this.#advance();
    const value = read();
    this.#depth--;
    return value;
  }

  #tooDeep(): ProconsulError {
    return this.#fault(this.#token.at, 'nested too deeply');
  }

  #fault(at: number, reason: string): ProconsulError {
    return this.#scanner.fault(at, reason);
  }
}

/** Lists and blocks of one name are strung together; of anything else, the last one stands. */
function put(object: Map<string, HclValue>, key: string, value: HclValue): void {
  const before = object.get(key);
  const both = Array.isArray(before) && Array.isArray(value);
  object.set(key, both ? [...before, ...value] : value);
}

function isObject(value: HclValue): value is HclObject {
  return typeof value === 'object' && !Array.isArray(value);
}
