/** Queries of /v1/config: what is said of services and of all. */
import type { ConfigEntry } from '../../lib/config-entries/entry.ts';
import { shownEntry } from '../../lib/config-entries/shown.ts';
import { quote } from '../../lib/go-literals.ts';
import { compareKeys } from '../../lib/key-order.ts';
import { fold } from '../state/topic-names.ts';
import { keyOf, type Query } from './query.ts';

export function configEntry(kind: string, name: string): Query {
  return {
    key: keyOf('config', kind, name),
    run: (reader) => {
      const entry = reader.config.entry(kind, name);
      if (entry !== undefined) return { json: shownEntry(entry) };
      const none = `Config entry not found for ${quote(kind)} / ${quote(name)}`;
      return { status: 404, bytes: Buffer.from(none), contentType: 'text/plain; charset=utf-8' };
    },
  };
}

/** By kind and name. */
export function configEntries(kind: string): Query {
  return {
    key: keyOf('config', kind),
    run: (reader) => ({ json: reader.config.entries(kind).sort(byKindAndName).map(shownEntry) }),
  };
}

function byKindAndName(a: ConfigEntry, b: ConfigEntry): number {
  return compareKeys(a.Kind, b.Kind) || compareKeys(fold(a.Name), fold(b.Name));
}
