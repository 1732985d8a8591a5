/** What keys and ConfigMaps hold, alike: values by their names, in base64. */
import { isUtf8 } from 'node:buffer';
import { sameJson } from '../../lib/equal.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { objectsIn, pairsIn, type Said, textIn } from '../api/shapes.ts';
import { isMapName } from './rules.ts';

export type Contents = ReadonlyMap<string, string>;

export interface Keys {
  readonly contents: Contents;
  /** By name: at which index each was written, and its flags, which stay. */
  readonly rows: ReadonlyMap<string, { readonly index: unknown; readonly flags: unknown }>;
  /** That no map can have. */
  readonly leftOut: readonly string[];
}

/** Of the answer to `/v1/kv/PREFIX?recurse`. Throws a ProconsulError where it is no list: that says nothing of keys. */
export function keysIn(json: unknown, prefix: string): Keys {
  if (!Array.isArray(json))
    throw new ProconsulError('unavailable', 'the answer is no list of keys');
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

/** Whether both have the same, whenever each of it was written. */
export function sameKeys(a: Keys, b: Keys): boolean {
  return sameContents(a.contents, b.contents) && sameJson(a.leftOut, b.leftOut);
}

export function sameContents(a: Contents, b: Contents): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}
