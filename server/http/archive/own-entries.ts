/** Config entries of kinds that no Consul knows: in a field of a node's record, where no Consul looks. */
import type { ConfigEntry } from '../../../lib/config-entries/entry.ts';
import { decodeEntry, kindNamed, refuseFaulty } from '../../../lib/config-entries/kinds.ts';
import { decodeJson, encodeJson } from '../../../lib/json.ts';
import { withFields } from '../../../lib/with-fields.ts';
import type { StagedRow } from '../../commands.ts';
import { indexedOf, type Plain } from './go-values.ts';

const FIELD = 'ProconsulEntries';

export function isOwnKind({ Kind }: Pick<ConfigEntry, 'Kind'>): boolean {
  return kindNamed(Kind)?.isOwn === true;
}

export function ownEntriesField(entries: readonly ConfigEntry[]): object {
  return { [FIELD]: encodeJson(entries) };
}

/** Throws where it is not as it is written. */
export function ownEntriesOf(fields: Plain): readonly StagedRow[] {
  const text = fields[FIELD];
  if (text === undefined) return [];
  return (decodeJson(String(text)) as readonly Plain[]).map((each) => {
    const entry = decodeEntry(each);
    if (!isOwnKind(entry)) throw new Error(`a config entry of kind ${entry.Kind} is out of place`);
    refuseFaulty(entry);
    return { configEntry: withFields(entry, indexedOf(each)) };
  });
}
