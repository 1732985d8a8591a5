/** What is said once of services and of who may call them: what the log says of it. */
import type {
  ConfigEntryDefinition,
  IntentionDefinition,
  IntentionKey,
} from '../lib/config-entries/entry.ts';
import type { Uint64 } from '../lib/model.ts';

/** Makes a config entry or replaces the one of its kind and name. */
export interface SetConfigEntry {
  readonly type: 'set-config-entry';
  readonly entry: ConfigEntryDefinition;
  /** Only if it stands at this index; 0 only where there is none. */
  readonly cas?: Uint64;
  /** Whether what it says otherwise of intentions is dated. Absent in entries of before, which come to what they came to. */
  readonly dates?: true;
}

export interface DeleteConfigEntry {
  readonly type: 'delete-config-entry';
  readonly kind: string;
  readonly name: string;
  /** Only if it stands at this index. */
  readonly cas?: Uint64;
}

/** Makes an intention, changes the one with its id, or puts it in place of the one of its names. */
export interface SetIntention {
  readonly type: 'set-intention';
  readonly judged?: { readonly at: number };
  readonly intention: IntentionDefinition;
  readonly how: 'create' | 'update' | 'upsert';
}

export interface DeleteIntention {
  readonly type: 'delete-intention';
  readonly judged?: { readonly at: number };
  readonly which: IntentionKey;
}

export type ConfigCommand = SetConfigEntry | DeleteConfigEntry | SetIntention | DeleteIntention;
