/**
 * Turns a script in Lua into a function of JavaScript: as much of Lua as the log's scripts use, and
 * whatever else there is throws here. A Lua that is interpreted took two thirds of all time; a spec
 * compares the two.
 */
import { assigned, type Expression, listOf, single, spread, truth } from './expression.ts';
import { GLOBALS, LIBRARIES } from './library.ts';
import { BINARY, scan, UNARY, type Word } from './scan.ts';
import * as values from './values.ts';

export type Compiled = (
  redis: Readonly<Record<string, unknown>>,
  keys: values.Table,
  argv: values.Table,
) => unknown;

export function compile(source: string): Compiled {
  const body = new Compiler(scan(source)).chunk();
  const make = new Function('V', 'G', 'L', 'redis', 'KEYS', 'ARGV', body);
  return (redis, keys, argv) => make(values, GLOBALS, LIBRARIES, redis, keys, argv);
}

class Compiler {
  readonly #words: readonly Word[];
  #at = 0;
  #count = 0;
  #scopes: Map<string, string>[] = [new Map()];
  /** Variables that are functions, and never anything else: they are constants. */
  readonly #functions = new Set<string>();

  constructor(words: readonly Word[]) {
    this.#words = words;
  }

  chunk(): string {
    const body = this.#block();
    if (this.#word.kind !== 'end') throw this.#unknown();
    return body;
  }

  get #word(): Word {
    return this.#words[this.#at] as Word;
  }

  #unknown(): Error {
    const near = this.#words.slice(Math.max(0, this.#at - 5), this.#at + 3);
    return new Error(`no Lua that is known here: ${near.map(({ text }) => text).join(' ')}`);
  }

  #is(text: string): boolean {
    return this.#word.text === text && this.#word.kind !== 'text';
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw this.#unknown();
  }

  #name(): string {
    const { kind, text } = this.#word;
    if (kind !== 'name') throw this.#unknown();
    this.#at++;
    return text;
  }

  /** A variable of its own, also where another one of the name is there. */
  #declare(name: string): string {
    const made = `${name}$${++this.#count}`;
    this.#scopes.at(-1)?.set(name, made);
    return made;
  }

  #find(name: string): string | undefined {
    return this.#scopes.findLast((scope) => scope.has(name))?.get(name);
  }

  #scoped<T>(fn: () => T): T {
    this.#scopes.push(new Map());
    const made = fn();
    this.#scopes.pop();
    return made;
  }

  #block(): string {
    let made = '';
    for (;;) {
      this.#take(';');
      const { text, kind } = this.#word;
      if (kind === 'end' || ['end', 'else', 'elseif', 'until'].includes(text)) return made;
      made += `${this.#statement()}\n`;
    }
  }

  #statement(): string {
    if (this.#take('local')) return this.#take('function') ? this.#function() : this.#local();
    if (this.#take('if')) return this.#if();
    if (this.#take('for')) return this.#for();
    if (this.#take('repeat')) return this.#repeat();
    if (this.#take('return')) return this.#return();
    if (this.#take('break')) return 'break;';
    return this.#assignmentOrCall();
  }

  #function(): string {
    const name = this.#declare(this.#name());
    this.#functions.add(name);
    return this.#scoped(() => {
      this.#expect('(');
      const names: string[] = [];
      while (!this.#is(')')) {
        names.push(this.#declare(this.#name()));
        this.#take(',');
      }
      this.#expect(')');
      const body = this.#block();
      this.#expect('end');
      return `const ${name} = (${names.join(', ')}) => {\n${body}};`;
    });
  }

  #local(): string {
    const names = [this.#name()];
    while (this.#take(',')) names.push(this.#name());
    // The values first: a new variable is not known to its own value.
    const found = this.#take('=') ? this.#list() : [];
    const made = names.map((name) => this.#declare(name));
    if (found.length === 0) return `let ${made.join(', ')};`;
    if (made.length === 1 && found.length === 1) return `let ${made[0]} = ${single(found[0])};`;
    return `let [${made.join(', ')}] = ${listOf(found)};`;
  }

  #if(): string {
    let made = `if (${this.#condition()}) {\n`;
    this.#expect('then');
    made += `${this.#scoped(() => this.#block())}}`;
    if (this.#take('elseif')) return `${made} else ${this.#if()}`;
    if (this.#take('else')) made += ` else {\n${this.#scoped(() => this.#block())}}`;
    this.#expect('end');
    return made;
  }

  #for(): string {
    const names = [this.#name()];
    while (this.#take(',')) names.push(this.#name());
    const made = this.#take('=') ? this.#counting(names) : this.#each(names);
    this.#expect('end');
    return made;
  }

  #counting([name = '']: readonly string[]): string {
    const [from, to, step = { code: '1' }] = this.#list();
    this.#expect('do');
    return this.#scoped(() => {
      const i = this.#declare(name);
      const limit = `limit$${++this.#count}`;
      const by = `step$${this.#count}`;
      const bounds = `${limit} = V.num(${single(to)}), ${by} = V.num(${single(step)})`;
      const goesOn = `${by} > 0 ? ${i} <= ${limit} : ${i} >= ${limit}`;
      const head = `let ${i} = V.num(${single(from)}), ${bounds}; ${goesOn}; ${i} += ${by}`;
      return `for (${head}) {\n${this.#block()}}`;
    });
  }

  #each([index = '', value = '']: readonly string[]): string {
    this.#expect('in');
    const inOrder = this.#take('ipairs');
    if (!inOrder) this.#expect('pairs');
    this.#expect('(');
    const table = single(this.#expression());
    this.#expect(')');
    this.#expect('do');
    return this.#scoped(() => {
      const [i, v] = [this.#declare(index), this.#declare(value)];
      if (!inOrder) return `for (let [${i}, ${v}] of V.pairs(${table})) {\n${this.#block()}}`;
      const list = `list$${++this.#count}`;
      const head = `let ${i} = 1, ${list} = ${table}, ${v}`;
      const check = `(${v} = V.get(${list}, ${i})) !== undefined`;
      return `for (${head}; ${check}; ${i}++) {\n${this.#block()}}`;
    });
  }

  /** Its condition knows the variables of its body. */
  #repeat(): string {
    return this.#scoped(() => {
      const body = this.#block();
      this.#expect('until');
      return `for (;;) {\n${body}if (${this.#condition()}) break;\n}`;
    });
  }

  #return(): string {
    if (this.#is('end') || this.#is('else') || this.#word.kind === 'end')
      return 'return undefined;';
    const found = this.#list();
    const [only] = found;
    if (found.length === 1) return `return ${only?.code};`;
    return `return new V.Many(${listOf(found)});`;
  }

  #assignmentOrCall(): string {
    const targets = [this.#suffixed()];
    while (this.#take(',')) targets.push(this.#suffixed());
    if (!this.#take('=')) {
      if (targets[0]?.many !== true) throw this.#unknown();
      return `${targets[0].code};`;
    }
    const found = this.#list();
    if (targets.length === 1 && found.length === 1) {
      return `${assigned(targets[0]?.code ?? '', single(found[0]))};`;
    }
    const all = `all$${++this.#count}`;
    const each = targets.map(({ code }, i) => assigned(code, `${all}[${i}]`));
    return `{ const ${all} = ${listOf(found)}; ${each.join('; ')}; }`;
  }

  #list(): Expression[] {
    const found = [this.#expression()];
    while (this.#take(',')) found.push(this.#expression());
    return found;
  }

  #condition(): string {
    return truth(this.#expression());
  }

  #expression(above = 0): Expression {
    let left = this.#unary();
    for (;;) {
      const { kind, text } = this.#word;
      const [leftRank, rightRank] = (kind === 'text' ? undefined : BINARY[text]) ?? [0, 0];
      if (leftRank <= above) return left;
      this.#at++;
      left = this.#binary(text, left, this.#expression(rightRank));
    }
  }

  #binary(sign: string, left: Expression, right: Expression): Expression {
    const [a, b] = [single(left), single(right)];
    switch (sign) {
      case 'and':
      case 'or':
        return this.#choice(sign, left, right);
      case '==':
        return { code: `(${a} === ${b})`, truth: true };
      case '~=':
        return { code: `(${a} !== ${b})`, truth: true };
      case '<':
        return { code: `V.less(${a}, ${b})`, truth: true };
      case '>':
        return { code: `V.less(${b}, ${a})`, truth: true };
      case '<=':
        return { code: `V.lessOrEqual(${a}, ${b})`, truth: true };
      case '>=':
        return { code: `V.lessOrEqual(${b}, ${a})`, truth: true };
      case '..':
        return { code: `V.cat(${a}, ${b})` };
      default:
        return { code: `(V.num(${a}) ${sign} V.num(${b}))` };
    }
  }

  #choice(sign: 'and' | 'or', left: Expression, right: Expression): Expression {
    const word = sign === 'and' ? '&&' : '||';
    if (left.truth === true && right.truth === true) {
      return { code: `(${left.code} ${word} ${right.code})`, truth: true };
    }
    const [a, b] = [single(left), single(right)];
    return { code: `((t) => V.isTrue(t) ${sign === 'and' ? `? ${b} : t` : `? t : ${b}`})(${a})` };
  }

  #unary(): Expression {
    if (this.#take('not')) {
      return { code: `(!${truth(this.#expression(UNARY))})`, truth: true };
    }
    if (this.#take('-')) return { code: `(-V.num(${single(this.#expression(UNARY))}))` };
    if (this.#take('#')) return { code: `V.size(${single(this.#expression(UNARY))})` };
    const { kind, text } = this.#word;
    if (kind === 'number' || kind === 'text') {
      this.#at++;
      return { code: kind === 'number' ? text : JSON.stringify(text) };
    }
    if (this.#take('nil')) return { code: 'undefined' };
    if (this.#take('true')) return { code: 'true', truth: true };
    if (this.#take('false')) return { code: 'false', truth: true };
    return this.#is('{') ? this.#table() : this.#suffixed();
  }

  #suffixed(): Expression {
    let found = this.#primary();
    for (;;) {
      if (this.#take('.')) found = this.#field(found, JSON.stringify(this.#name()));
      else if (this.#take('[')) {
        found = this.#field(found, single(this.#expression()));
        this.#expect(']');
      } else if (this.#take('(')) {
        const args = this.#is(')') ? [] : this.#list();
        this.#expect(')');
        found = { code: this.#call(single(found), spread(args)), many: true };
      } else return found;
    }
  }

  /** What is known to be a function need not be asked each time. */
  #call(fn: string, args: readonly string[]): string {
    const isKnown = this.#functions.has(fn) || BUILT_IN.test(fn);
    return isKnown ? `${fn}(${args.join(', ')})` : `V.call(${[fn, ...args].join(', ')})`;
  }

  #primary(): Expression {
    if (this.#take('(')) {
      const inner = single(this.#expression());
      this.#expect(')');
      return { code: `(${inner})` };
    }
    const name = this.#name();
    const known = this.#find(name);
    if (known !== undefined) return { code: known };
    if (name === 'KEYS' || name === 'ARGV' || name === 'redis') return { code: name };
    if (name in GLOBALS) return { code: `G.${name}` };
    if (name in LIBRARIES) return { code: `L.${name}` };
    throw new Error(`a script uses ${name}, which is not known here: see spec/sim/lua/`);
  }

  #field({ code }: Expression, key: string): Expression {
    if (code === 'redis') return { code: `redis[${known(code, key, REDIS)}]` };
    const library = LIBRARIES[/^L\.(\w+)$/.exec(code)?.[1] ?? ''];
    if (library !== undefined)
      return { code: `${code}[${known(code, key, Object.keys(library))}]` };
    return { code: `V.get(${code}, ${key})` };
  }

  #table(): Expression {
    this.#expect('{');
    const list: Expression[] = [];
    const fields: string[] = [];
    while (!this.#is('}')) {
      const next = this.#words[this.#at + 1];
      if (this.#take('[')) {
        const key = single(this.#expression());
        this.#expect(']');
        this.#expect('=');
        fields.push(`.set(${key}, ${single(this.#expression())})`);
      } else if (this.#word.kind === 'name' && next?.kind === 'sign' && next.text === '=') {
        const key = JSON.stringify(this.#name());
        this.#expect('=');
        fields.push(`.set(${key}, ${single(this.#expression())})`);
      } else list.push(this.#expression());
      this.#take(',');
    }
    this.#expect('}');
    const made = `new V.Table(${listOf(list)})`;
    if (fields.length === 0) return { code: made };
    const sets = fields.map((each) => `t${each}`).join('; ');
    return { code: `((t) => { ${sets}; return t; })(${made})` };
  }
}

/** As `#field` and `#primary` write them. */
const BUILT_IN = /^(redis\["\w+"\]|L\.\w+\["\w+"\]|G\.\w+)$/;

/** What of `redis` there is. */
const REDIS = ['call', 'pcall', 'sha1hex', 'error_reply'];

/** A real Lua may have it: that it is lacking here is no error for the script to meet. */
function known(of: string, key: string, all: readonly string[]): string {
  if (all.some((each) => JSON.stringify(each) === key)) return key;
  throw new Error(`a script uses ${of}[${key}], which is not known here: see spec/sim/lua/`);
}
