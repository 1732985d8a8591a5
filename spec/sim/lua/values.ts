/** Values of Lua: nil is undefined, a table a Table, several values at once a Many. */

export class LuaError extends Error {
  /** What was raised. */
  readonly value: unknown;

  constructor(value: unknown) {
    super(typeof value === 'string' ? value : 'a table was raised');
    this.value = value;
  }
}

export class Table {
  /** What stands at 1, 2, 3 and so on. */
  readonly list: unknown[];
  fields: Map<unknown, unknown> | undefined;

  constructor(list: unknown[] = []) {
    this.list = list;
  }

  get(key: unknown): unknown {
    if (typeof key === 'number') {
      const found = this.list[key - 1];
      if (found !== undefined) return found;
    }
    return this.fields?.get(key);
  }

  set(key: unknown, value: unknown): void {
    const { list } = this;
    if (typeof key === 'number' && key >= 1 && key <= list.length + 1) {
      if (key > list.length) this.#append(key, value);
      else if (key === list.length && value === undefined) list.pop();
      else if (key <= list.length) list[key - 1] = value;
      return;
    }
    this.fields ??= new Map();
    if (value === undefined) this.fields.delete(key);
    else this.fields.set(key, value);
  }

  /** At the end, and with it what stood beyond the end before. */
  #append(key: number, value: unknown): void {
    const { list, fields } = this;
    fields?.delete(key);
    if (value === undefined) return;
    list.push(value);
    for (let next = key + 1; fields?.has(next) === true; next++) {
      list.push(fields.get(next));
      fields.delete(next);
    }
  }
}

export class Many {
  readonly values: readonly unknown[];

  constructor(values: readonly unknown[]) {
    this.values = values;
  }
}

export function one(value: unknown): unknown {
  return value instanceof Many ? value.values[0] : value;
}

export function all(value: unknown): readonly unknown[] {
  return value instanceof Many ? value.values : [value];
}

export function isTrue(value: unknown): boolean {
  return value !== undefined && value !== false;
}

export function get(table: unknown, key: unknown): unknown {
  if (table instanceof Table) return table.get(key);
  // Its methods stand there in Lua; nothing here asks for them.
  if (typeof table === 'string') return undefined;
  throw new LuaError(`attempt to index a ${typeOf(table)} value (${String(key)})`);
}

export function set(table: unknown, key: unknown, value: unknown): void {
  if (!(table instanceof Table)) throw new LuaError(`attempt to index a ${typeOf(table)} value`);
  table.set(key, value);
}

export function call(fn: unknown, ...args: readonly unknown[]): unknown {
  if (typeof fn !== 'function') throw new LuaError(`attempt to call a ${typeOf(fn)} value`);
  return fn(...args);
}

/** What stands at numbers first. */
export function* pairs(table: unknown): Generator<readonly [key: unknown, value: unknown]> {
  if (!(table instanceof Table)) throw new LuaError(`attempt to traverse a ${typeOf(table)} value`);
  for (const [i, value] of table.list.entries()) if (value !== undefined) yield [i + 1, value];
  yield* table.fields ?? [];
}

export function num(value: unknown): number {
  if (typeof value === 'number') return value;
  const number = typeof value === 'string' ? toNumber(value) : undefined;
  if (number === undefined)
    throw new LuaError(`attempt to calculate with a ${typeOf(value)} value`);
  return number;
}

export function cat(a: unknown, b: unknown): string {
  return toText(a) + toText(b);
}

export function less(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  if (typeof a === 'string' && typeof b === 'string') return a < b;
  throw new LuaError(`attempt to compare ${typeOf(a)} with ${typeOf(b)}`);
}

export function lessOrEqual(a: unknown, b: unknown): boolean {
  return !less(b, a);
}

export function size(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Table) return value.list.length;
  throw new LuaError(`attempt to get the length of a ${typeOf(value)} value`);
}

export function typeOf(value: unknown): string {
  if (value === undefined) return 'nil';
  return value instanceof Table ? 'table' : typeof value;
}

export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && isDigits(value)) return Number(value);
  if (typeof value !== 'string' || !/^\s*-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/.test(value)) {
    return undefined;
  }
  return Number(value);
}

/** As nearly all texts are of which somebody wants the number: no pattern need be asked. */
function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < ZERO || code > NINE) return false;
  }
  return text !== '';
}

const [ZERO, NINE] = [0x30, 0x39] as const;

/** As Lua 5.1 writes numbers: 14 digits. */
export function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'number')
    throw new LuaError(`attempt to concatenate a ${typeOf(value)} value`);
  if (Number.isInteger(value) && Math.abs(value) < 1e14) return String(value);
  return Number(value.toPrecision(14))
    .toExponential()
    .replace(/e([-+])(\d)$/, 'e$10$2');
}
