/** Queries of /v1/kv. */
import { ProconsulError } from '../../lib/errors.ts';
import { quote } from '../../lib/go-literals.ts';
import type { KeyValue } from '../../lib/model.ts';
import type { Revision } from '../state/revisions.ts';
import { type Content, keyOf, type Query } from './query.ts';

const MISSING: Content = { status: 404 };

export function oneKey(key: string): Query {
  return {
    key: keyOf('kv', key),
    run: (reader) => {
      const row = reader.key(key);
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
      const row = reader.key(key);
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
      const rows = reader.keysUnder(prefix, asWhole);
      return rows.length === 0 ? MISSING : { json: rows };
    },
  };
}

/** The keys under a prefix; with a separator each only up to the next one. */
export function keys(prefix: string, separator: string, asWhole = false): Query {
  return {
    ...tree(prefix),
    key: keyOf('kv-keys', separator, prefix),
    run: (reader) => {
      const found: string[] = [];
      for (const { Key } of reader.keysUnder(prefix, asWhole)) {
        const at = separator === '' ? -1 : Key.indexOf(separator, prefix.length);
        const key = at < 0 ? Key : Key.slice(0, at + separator.length);
        if (found.at(-1) !== key) found.push(key);
      }
      // Whoever may not see all is not told whether there are others.
      const none = found.length === 0 && reader.seesKeysUnder(prefix);
      return none ? MISSING : { json: found };
    },
  };
}

/** What a key said at an index, as it was shown then. */
export function revision(key: string, index: number, raw: boolean): Query {
  return {
    key: keyOf('kv-revision', String(index), raw, key),
    run: (reader) => {
      const found = reader.revisionsOf(key).findLast((each) => each.index <= index);
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
      const all = reader.revisionsOf(key);
      return { json: all.slice(-atMost).reverse().map(shownRevision) };
    },
  };
}

/** Who held a lock on it then is nobody's business any more. */
function shownAt(ModifyIndex: number, { Session: _, ...row }: KeyValue): KeyValue {
  return { ...row, ModifyIndex };
}

function shownRevision({ key, index, t, by, row }: Revision) {
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
