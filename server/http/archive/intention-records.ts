/** Intentions of an archive: 1.8 has them one by one, and those of one destination are one entry here. */
import type { ConfigEntry, Intention } from '../../../lib/config-entries/entry.ts';
import { entryOf } from '../../../lib/config-entries/intentions.ts';
import { type Fields, structOf, timeOf } from './go-values.ts';

export class IntentionRecords {
  readonly #byDestination = new Map<string, Intention[]>();

  add(record: Fields): void {
    const intention = intentionOf(record);
    const name = intention.DestinationName.toLowerCase();
    const others = this.#byDestination.get(name);
    if (others === undefined) this.#byDestination.set(name, [intention]);
    else others.push(intention);
  }

  entries(): ConfigEntry[] {
    return [...this.#byDestination.values()].map(entryOf);
  }
}

function intentionOf({ fields, raw, indexed }: Fields): Intention {
  return {
    createdAt: timeOf(raw['CreatedAt']),
    updatedAt: timeOf(raw['UpdatedAt']),
    ...indexed,
    ID: String(fields['ID']),
    SourceName: String(fields['SourceName']),
    DestinationName: String(fields['DestinationName']),
    Action: fields['Action'] === 'allow' ? 'allow' : 'deny',
    Description: String(fields['Description'] ?? ''),
    Meta: (structOf(fields['Meta']) ?? {}) as Intention['Meta'],
    DefaultAddr: String(fields['DefaultAddr'] ?? ''),
    DefaultPort: Number(fields['DefaultPort']) || 0,
  };
}
