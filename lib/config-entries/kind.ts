/** What a kind of config entry is: a table of its fields, and what must hold of them. */
import type { Resource } from '../acl/rights.ts';
import { ProconsulError } from '../errors.ts';
import type { ConfigEntryDefinition } from './entry.ts';
import { map, type Table, text } from './fields.ts';

export interface Kind<E extends ConfigEntryDefinition = ConfigEntryDefinition> {
  readonly kind: string;
  /** For people: what it is about. */
  readonly says: string;
  /** No Consul knows it: in archives it stands where no Consul looks. */
  readonly isOwn?: true;
  /** With Kind, Name and Meta among them, in the order in which they are shown. */
  readonly fields: Table;
  /** Whoever may write this resource under the entry's name may write the entry. */
  readonly changedBy: Resource;
  /** Whoever may read this one may see it; anybody where nothing is said. */
  readonly seenBy?: Resource;
  /** Fields that are shown only to who may write it. */
  readonly secrets?: readonly string[];
  /** The entry as it is to be stored; what may be left out is filled in. */
  normal?(entry: E): E;
  /** What is wrong with a normal one, in Consul's words; undefined when nothing is. */
  fault?(entry: E): string | undefined;
  /** What nobody may write any more, and stands where it was written before, in archives too. */
  unwritable?(entry: E): string | undefined;
  /** The services whose chains or listeners this one is a part of, beside its own name. */
  refersTo?(entry: E): readonly string[];
}

/** By which name the right to an entry is asked for: some resources have none. */
export function nameOfRight(resource: Resource, entry: string): string {
  return resource === 'mesh' ? '' : entry;
}

export const HEAD: Table = { Kind: text, Name: text };
export const META: Table = { Meta: map(text) };

export function rejected(why: string): ProconsulError {
  return new ProconsulError('rejected', why);
}

/** A list that may be missing, each of it made into something else. */
export function eachOf<T>(list: readonly T[] | null, as: (each: T) => T): readonly T[] | null {
  return list === null ? null : list.map(as);
}

/** The first fault that there is. */
export function firstFault<T>(
  all: Iterable<T>,
  faultOf: (each: T, at: number) => string | undefined,
): string | undefined {
  let at = 0;
  for (const each of all) {
    const fault = faultOf(each, at++);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The first that is there more than once. */
export function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}
