/** HCL, version 1, as its parts stand in the text: what it means is for who reads the parts. */
import type { ProconsulError } from '../errors.ts';
import { MAX_JSON_DEPTH } from '../json-bounds.ts';
import { HclScanner, type Token, type TokenKind } from './hcl-scanner.ts';

/** What stands in a text for bytes that are no UTF-8. */
const BROKEN = '\uFFFD';

export type HclNode =
  | { readonly kind: 'literal'; readonly token: Token }
  | { readonly kind: 'list'; readonly nodes: readonly HclNode[]; readonly at: number }
  | { readonly kind: 'object'; readonly items: readonly HclItem[]; readonly at: number };

/** `key = value`, or a block, which may have labels: `service "a" { port = 1 }`. */
export interface HclItem {
  readonly keys: readonly Token[];
  /** Whether a `=` stands before the value. */
  readonly assigned: boolean;
  readonly value: HclNode;
}

/** Throws ProconsulError 'invalid' with line and column. */
export function parseHclItems(text: string): readonly HclItem[] {
  const broken = text.indexOf(BROKEN);
  if (broken >= 0) throw new HclScanner(text).fault(broken, 'illegal UTF-8 encoding');
  return new HclParser(text).parse();
}

class HclParser {
  readonly #scanner: HclScanner;
  #token: Token;
  #depth = 0;

  constructor(text: string) {
    this.#scanner = new HclScanner(text);
    this.#token = this.#scanner.next();
  }

  parse(): readonly HclItem[] {
    return this.#items('EOF');
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
  #items(end: 'EOF' | 'RBRACE'): readonly HclItem[] {
    const items: HclItem[] = [];
    while (this.#token.kind !== end) {
      items.push(this.#item());
      if (end === 'RBRACE') this.#skipCommas();
    }
    return items;
  }

  #item(): HclItem {
    const keys = this.#keys();
    if (this.#token.kind === 'LBRACE') return { keys, assigned: false, value: this.#object() };
    this.#advance();
    return { keys, assigned: true, value: this.#value() };
  }

  /** The keys before a block or an assignment, which is left standing. */
  #keys(): readonly Token[] {
    const keys: Token[] = [];
    while (this.#token.kind === 'IDENT' || this.#token.kind === 'STRING') {
      // Each may become a level of the tree that comes out.
      if (keys.length + this.#depth > MAX_JSON_DEPTH) throw this.#tooDeep();
      keys.push(this.#advance());
    }
    const { kind, at } = this.#token;
    if (keys.length === 0) {
      if (kind === 'ASSIGN') throw this.#fault(at, 'no object keys found!');
      // The end is one further on, to HCL.
      if (kind === 'EOF') throw this.#fault(at + 1, 'object expected closing RBRACE got: EOF');
      throw this.#fault(at, `expected: IDENT | STRING | ASSIGN | LBRACE got: ${kind}`);
    }
    if (kind === 'LBRACE') return keys;
    if (kind === 'ASSIGN' && keys.length === 1) return keys;
    if (kind === 'ASSIGN') throw this.#fault(at, 'nested object expected: LBRACE got: ASSIGN');
    const names = keys.map(({ text }) => text).join(' ');
    throw this.#fault(at, `key '${names}' expected start of object ('{') or assignment ('=')`);
  }

  #value(): HclNode {
    const { kind, text, at } = this.#token;
    switch (kind) {
      case 'STRING':
      case 'HEREDOC':
      case 'NUMBER':
      case 'FLOAT':
      case 'BOOL':
        return { kind: 'literal', token: this.#advance() };
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

  #object(): HclNode {
    const { at } = this.#token;
    return this.#nested(() => {
      const items = this.#items('RBRACE');
      this.#advance();
      return { kind: 'object', items, at };
    });
  }

  #list(): HclNode {
    const { at } = this.#token;
    return this.#nested(() => {
      const nodes: HclNode[] = [];
      for (;;) {
        this.#skipCommas();
        if (this.#token.kind === 'RBRACK') break;
        nodes.push(this.#value());
        this.#expectListGoesOn();
      }
      this.#advance();
      return { kind: 'list', nodes, at };
    });
  }

  #expectListGoesOn(): void {
    const { kind, at } = this.#token;
    const allowed: readonly TokenKind[] = ['COMMA', 'RBRACK'];
    if (allowed.includes(kind)) return;
    throw this.#fault(at, `error parsing list, expected comma or list end, got: ${kind}`);
  }

  #nested(read: () => HclNode): HclNode {
    if (this.#depth >= MAX_JSON_DEPTH) throw this.#tooDeep();
    this.#depth++;
    this.#advance();
    const node = read();
    this.#depth--;
    return node;
  }

  #tooDeep(): ProconsulError {
    return this.#fault(this.#token.at, 'nested too deeply');
  }

  #fault(at: number, reason: string): ProconsulError {
    return this.#scanner.fault(at, reason);
  }
}
