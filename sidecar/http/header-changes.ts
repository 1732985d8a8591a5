/** What config entries say of the headers of a request, or of an answer. */
import { objectIn, textIn, textsIn } from '../said.ts';
import { type Fields, isFieldName, isFieldValue, sorted, without } from './fields.ts';
import { isAuthority } from './head.ts';

export interface HeaderChanges {
  readonly removed: ReadonlySet<string>;
  /** In place of what is there. */
  readonly set: Fields;
  readonly added: Fields;
  /** '' where it stays as it is. */
  readonly host: string;
}

/** Undefined where nothing is said. What cannot be sent is left out, and what the connection is about. */
export function changesIn(json: unknown): HeaderChanges | undefined {
  const said = objectIn(json);
  const set = pairsIn(said['Set']);
  const added = pairsIn(said['Add']);
  const removed = new Set(textsIn(said['Remove']).map((name) => name.toLowerCase()));
  removed.delete('host');
  const ofTheWay = sorted(set);
  if (set.length + added.length + removed.size === 0) return undefined;
  const host = isAuthority(ofTheWay.host) ? ofTheWay.host : '';
  return { removed, set: ofTheWay.fields, added: sorted(added).fields, host };
}

function pairsIn(json: unknown): readonly string[] {
  return Object.entries(objectIn(json)).flatMap(([name, value]) =>
    isFieldName(name) && isFieldValue(textIn(value)) ? [name, textIn(value)] : [],
  );
}

export function changed(fields: Fields, changes: HeaderChanges | undefined): Fields {
  if (changes === undefined) return fields;
  const { removed, set, added } = changes;
  const gone = new Set(removed);
  for (let i = 0; i < set.length; i += 2) gone.add(set[i] as string);
  return [...without(fields, gone), ...set, ...added];
}
