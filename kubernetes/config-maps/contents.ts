/** What keys and ConfigMaps hold, alike: values by their names, in base64. */
import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { listIn, objectIn, objectsIn, pairsIn, type Said, textIn, textsIn } from '../api/shapes.ts';
import { isMapName } from './rules.ts';

export type Contents = ReadonlyMap<string, string>;

export interface Keys {
  readonly contents: Contents;
  /** By name: at which index each was written, and its flags, which stay. */
  readonly rows: ReadonlyMap<string, { readonly index: unknown; readonly flags: unknown }>;
  /** That no map can have. */
  readonly leftOut: readonly string[];
}

/** Of the answer to `/v1/kv/PREFIX?recurse`. */
export function keysIn(json: unknown, prefix: string): Keys {
  const contents = new Map<string, string>();
  const rows = new Map<string, { index: unknown; flags: unknown }>();
  const leftOut: string[] = [];
  for (const pair of objectsIn(json)) {
    const key = textIn(pair['Key']);
    const name = key.slice(prefix.length);
    // The folder itself, as a page makes one.
    if (name === '' || !key.startsWith(prefix)) continue;
    if (!isMapName(name)) {
      leftOut.push(key);
      continue;
    }
    contents.set(name, textIn(pair['Value']));
    rows.set(name, { index: pair['ModifyIndex'], flags: pair['Flags'] });
  }
  return { contents, rows, leftOut };
}

export function contentsOf(map: Said): Contents {
  const texts = [...pairsIn(map['data'])].map(
    ([name, text]) => [name, Buffer.from(text).toString('base64')] as const,
  );
  // Written anew: others write the same bytes otherwise, in lines.
  const binaries = [...pairsIn(map['binaryData'])].map(
    ([name, text]) => [name, Buffer.from(text, 'base64').toString('base64')] as const,
  );
  return new Map([...texts, ...binaries]);
}

/** Text where it is one. */
export function dataOf(contents: Contents) {
  const all = [...contents].sort(([a], [b]) => (a < b ? -1 : 1));
  const bytes = all.map(([name, value]) => [name, Buffer.from(value, 'base64')] as const);
  const texts = bytes.filter(([, value]) => isUtf8(value));
  const binaries = all.filter(([, value]) => !isUtf8(Buffer.from(value, 'base64')));
  return {
    data: Object.fromEntries(texts.map(([name, value]) => [name, value.toString()])),
    binaryData: Object.fromEntries(binaries),
  };
}

export function bytesOf(contents: Contents): number {
  return [...contents.values()].reduce((sum, each) => sum + Buffer.byteLength(each, 'base64'), 0);
}

export function sameContents(a: Contents, b: Contents): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}

/**
 * By name, what both sides held when they agreed last, and what one of them was about to be given: of each value as
 * much as tells it from others, of one that is not there `ABSENT`. A name that is missing was on neither side.
 */
export type Agreed = ReadonlyMap<string, readonly string[]>;

const ABSENT = '';

export function knownOf(agreed: Agreed, name: string): readonly string[] {
  return agreed.get(name) ?? [ABSENT];
}

export function agreedOf(contents: Contents): Agreed {
  return new Map([...contents].map(([name, value]) => [name, [digest(value)]]));
}

/** Where the map is about to hold this: whoever finds it, or what was before, knows that nobody else wrote it. */
export function intended(agreed: Agreed, map: Contents, wanted: Contents): Agreed {
  const names = new Set([...agreed.keys(), ...map.keys(), ...wanted.keys()]);
  const pairs = [...names].map((name) => {
    const [is, was] = [wanted.get(name), map.get(name)];
    const known = knownOf(agreed, name);
    const next = is === was ? known : [...new Set([...known, digest(is)])];
    return [name, next] as const;
  });
  return new Map(pairs.filter(([, known]) => known.some((each) => each !== ABSENT)));
}

/** Of another prefix nothing was agreed. */
export function agreedIn(json: unknown, prefix: string): Agreed {
  const said = objectIn(json);
  if (said['Prefix'] !== prefix) return new Map();
  return new Map(
    listIn(said['Names']).map((each) => {
      const [name = '', ...known] = textsIn(each);
      return [name, known];
    }),
  );
}

/** Names are in a list: somebody else gives them. */
export function agreedText(agreed: Agreed, prefix: string): string {
  const sorted = [...agreed].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ Prefix: prefix, Names: sorted.map(([name, known]) => [name, ...known]) });
}

export function digest(value: string | undefined): string {
  if (value === undefined) return ABSENT;
  return createHash('sha256').update(value).digest('base64url').slice(0, 22);
}
