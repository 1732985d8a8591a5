/** Queries of /v1/kv. */
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
