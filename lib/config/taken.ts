/** Reads objects of a configuration whose fields are too free for rows: watches, targets of notices. */
import { durationComplaint, NS_PER_MS, parseDuration } from '../duration.ts';
import { ProconsulError } from '../errors.ts';
import { isTree, type Tree } from './row.ts';

/** Reads the fields of a tree one by one; what nobody has read is left. */
export class Taken {
  readonly #left: Map<string, unknown>;

  constructor(tree: Tree) {
    this.#left = new Map(Object.entries(tree));
  }

  text(name: string): string {
    const value = this.#take(name) ?? '';
    return typeof value === 'string' ? value : refuse(`Expecting ${name} to be a string`);
  }

  flag(name: string): boolean {
    const value = this.#take(name) ?? false;
    return typeof value === 'boolean' ? value : refuse(`Expecting ${name} to be a boolean`);
  }

  /** Undefined where nothing is said. */
  count(name: string): number | undefined {
    const value = this.#take(name);
    if (value === undefined || (Number.isSafeInteger(value) && Number(value) > 0)) {
      return value as number | undefined;
    }
    return refuse(`Expecting ${name} to be a whole number above 0`);
  }

  /** A text alone is a list of it, as where HCL has the two alike. */
  words(name: string, complaint: string): readonly string[] | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.every((each) => typeof each === 'string') ? list : refuse(complaint);
  }

  /** As `words`, of numbers too. */
  figures(name: string, complaint: string): readonly string[] | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const isSaid = (each: unknown) => typeof each === 'string' || typeof each === 'number';
    return list.every(isSaid) ? list.map(String) : refuse(complaint);
  }

  /** A block of HCL is a list of one. */
  tree(name: string): Tree | undefined {
    const value = this.#take(name);
    const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
    if (one === undefined || isTree(one)) return one;
    return refuse(`${name} must be an object`);
  }

  /** The names of what nobody has read. */
  get left(): readonly string[] {
    return [...this.#left.keys()];
  }

  #take(name: string): unknown {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value ?? undefined;
  }
}

export type HeaderLists = Readonly<Record<string, readonly string[]>>;

/** Each a list of values that can be sent. */
export function headersOf(tree: Tree = {}): HeaderLists {
  const taken = new Taken(tree);
  const names = Object.keys(tree);
  return Object.fromEntries(
    names.map((name) => {
      const values = taken.words(name, `the header ${name} must be a list of strings`) ?? [];
      const isSendable = /^[\w!#$%&'*+.^`|~-]+$/.test(name) && values.every(isHeaderValue);
      return isSendable ? [name, values] : refuse(`the header ${name} cannot be sent`);
    }),
  );
}

function isHeaderValue(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}

/** Throws with Go's words for a text that is no duration, or none above 0. */
export function durationMs(text: string): number {
  const ns = parseDuration(text);
  if (ns !== undefined && ns > 0) return ns / NS_PER_MS;
  return refuse(durationComplaint(text));
}

/** Throws ProconsulError 'invalid'. */
export function refuse(why: string): never {
  throw new ProconsulError('invalid', why);
}
