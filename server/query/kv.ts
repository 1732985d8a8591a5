/** Queries of /v1/kv. */
import type { Revision as ShownRevision } from '../../lib/answers.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { quote } from '../../lib/go-literals.ts';
import { Rows } from '../../lib/json-bytes.ts';
import type { KeyValue } from '../../lib/model.ts';
import { KeyRange } from '../state/key-range.ts';
import type { Revision } from '../state/revisions.ts';
import { type Content, keyOf, type Query } from './query.ts';

const MISSING: Content = { status: 404 };

export function oneKey(key: string): Query {
  return {
    key: keyOf('kv', key),
    run: (reader) => {
      const row = reader.keys.named(key);
      return row === undefined ? MISSING : { json: [row] };
    },
  };
}

/** The value alone, as bytes. */
export function rawKey(key: string): Query {
  return {
    ...oneKey(key),
    key: keyOf('kv-raw', key),
    run: (reader) => {
      const row = reader.keys.named(key);
      if (row === undefined) return MISSING;
      return { bytes: Buffer.from(row.Value ?? '', 'base64'), contentType: 'text/plain' };
    },
  };
}

/** `asWhole`: only for who may list the folder, whatever of it he may see. */
export function tree(prefix: string, asWhole = false): Query {
  return {
    key: keyOf('kv-tree', prefix),
    run: (reader) => {
      const rows = reader.keys.under(prefix, asWhole, Infinity);
      return rows.length === 0 ? MISSING : { json: shown(rows, (row) => row) };
    },
  };
}

export interface TreeLimit {
  readonly rows: number;
  /** They end with the one by which they come to so many. */
  readonly bytes: number;
}

/** The first of them alone. */
export function firstOfTree(prefix: string, limit: TreeLimit, asWhole = false): Query {
  return {
    key: keyOf('kv-first', String(limit.rows), String(limit.bytes), prefix),
    run: (reader) => {
      const rows = reader.keys.under(prefix, asWhole, limit.rows);
      if (rows.length === 0) return MISSING;
      return { json: Rows.of(firstOf(rows, countWithin(rows, limit)), (row) => row) };
    },
  };
}

/** What a row counts for beside its value. */
const ROW_BYTES = 128;
const COUNTED_AT_ONCE = 64;

function countWithin(rows: KeyRange | readonly KeyValue[], limit: TreeLimit): number {
  const most = Math.min(rows.length, limit.rows);
  if (limit.bytes === Infinity) return most;
  let [count, left] = [0, limit.bytes];
  while (count < most && left > 0) {
    for (const { Value } of rows.slice(count, Math.min(count + COUNTED_AT_ONCE, most))) {
      if (left <= 0) return count;
      left -= ROW_BYTES + (Value?.length ?? 0);
      count++;
    }
  }
  return count;
}

/** The keys under a prefix; with a separator each only up to the next one. The first so many of them. */
export function keys(prefix: string, separator: string, asWhole = false, atMost = Infinity): Query {
  return {
    key: keyOf('kv-keys', String(atMost), separator, prefix),
    run: ({ keys }) => {
      // Whoever may not see all is not told whether there are others.
      const isMissing = (found: { readonly length: number }) =>
        found.length === 0 && keys.seesAllUnder(prefix);
      if (separator !== '') {
        const names = keys.namesUnder(prefix, separator, asWhole, atMost);
        return isMissing(names) ? MISSING : { json: names };
      }
      const rows = keys.under(prefix, asWhole, atMost);
      if (isMissing(rows)) return MISSING;
      if (atMost < rows.length) return { json: Rows.of(firstOf(rows, atMost), ({ Key }) => Key) };
      return { json: shown(rows, ({ Key }) => Key) };
    },
  };
}

/** Of many none is made before it is written. */
function shown(rows: KeyRange | readonly KeyValue[], show: (row: KeyValue) => unknown) {
  return rows instanceof KeyRange ? Rows.of(rows, show) : rows.map(show);
}

/** They are read as they are written: to read a million at once takes most of a second. */
function firstOf(rows: KeyRange | readonly KeyValue[], atMost: number) {
  const length = Math.min(rows.length, atMost);
  return { length, slice: (from: number, to: number) => rows.slice(from, Math.min(to, length)) };
}

/** What a key said at an index, as it was shown then. */
export function revision(key: string, index: number, raw: boolean): Query {
  return {
    key: keyOf('kv-revision', String(index), raw, key),
    run: (reader) => {
      const found = reader.keys.revisionsOf(key).findLast((each) => each.index <= index);
      if (found === undefined) throw noRevision(key, index);
      if (found.row === undefined) return MISSING;
      if (!raw) return { json: [shownAt(found.index, found.row)] };
      return { bytes: Buffer.from(found.row.Value ?? '', 'base64'), contentType: 'text/plain' };
    },
  };
}

export function noRevision(key: string, index: number): ProconsulError {
  const what = `no revision ${index} of the key ${quote(key)} is kept`;
  return new ProconsulError('not-found', `${what}: see /v1/operator/kv-revisions`);
}

/** Its revisions, the newest first. */
export function history(key: string, atMost: number): Query {
  return {
    key: keyOf('kv-history', String(atMost), key),
    run: (reader) => {
      const all = reader.keys.revisionsOf(key);
      return { json: all.slice(-atMost).reverse().map(shownRevision) };
    },
  };
}

/** Who held a lock on it then is nobody's business any more. */
function shownAt(ModifyIndex: number, { Session: _, ...row }: KeyValue): KeyValue {
  return { ...row, ModifyIndex };
}

function shownRevision({ key, index, t, by, row }: Revision): ShownRevision {
  return {
    Key: key,
    Revision: index,
    Time: t === 0 ? null : new Date(t).toISOString(),
    AccessorID: by,
    Deleted: row === undefined,
    Flags: row?.Flags ?? 0,
    Value: row?.Value ?? null,
  };
}
