/** What is listed of keys: names of one folder, or rows of all below it; so many as are read at once. */
import type { KeyValue } from '../../lib/model.ts';
import { withQuery } from './asked-path.ts';
import { pathOfKey } from './keys-and-values.ts';

/** They come anew, with what they say, whenever any key below changes: of a large store that would be all of it. */
const MAX_ROWS = 1000;
const MAX_BYTES = 4 * 1024 * 1024;
/** What the server counts for a row beside its value. */
const ROW_BYTES = 128;

/** A name is short, but a folder may be all of a store. */
const MAX_NAMES = 10_000;

export function pathOfNames(folder: string): string {
  return withQuery(pathOfKey(folder), {
    keys: 'yes',
    separator: '/',
    limit: String(MAX_NAMES + 1),
  });
}

interface FirstNames {
  readonly names: readonly string[];
  readonly hasMore: boolean;
}

export function firstNames(answered: readonly string[]): FirstNames {
  return { names: answered.slice(0, MAX_NAMES), hasMore: answered.length > MAX_NAMES };
}

export function pathOfRows(folder: string): string {
  // One more tells that there are more.
  const limit = { limit: String(MAX_ROWS + 1), 'limit-bytes': String(MAX_BYTES) };
  return withQuery(pathOfKey(folder), { recurse: 'yes', ...limit });
}

interface FirstRows {
  readonly rows: readonly KeyValue[];
  /** Why there may be others behind them; undefined where there are none. */
  readonly end: 'many' | 'large' | undefined;
}

export function firstRows(answered: readonly KeyValue[]): FirstRows {
  if (answered.length > MAX_ROWS) return { rows: answered.slice(0, MAX_ROWS), end: 'many' };
  const bytes = answered.reduce((sum, { Value }) => sum + ROW_BYTES + (Value?.length ?? 0), 0);
  return { rows: answered, end: bytes < MAX_BYTES ? undefined : 'large' };
}
