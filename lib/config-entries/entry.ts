/** A config entry: what is said once of a service, or of all, and heeded wherever they are. */
import type { Indexed, StringMap } from '../model.ts';

/**
 * As it is stored: in the fields of its kind's table, in their order, those without a value left out as
 * Go leaves them out. Durations are in nanoseconds.
 */
export interface ConfigEntryDefinition {
  readonly Kind: string;
  readonly Name: string;
  readonly [field: string]: unknown;
}

export interface ConfigEntry extends ConfigEntryDefinition, Indexed {}

/** Who may call whom, as Consul 1.8 has it: by itself, with an id. It is kept as a part of an entry. */
export interface IntentionDefinition {
  /** '' where it is known by its source and destination alone. */
  readonly ID: string;
  readonly SourceName: string;
  readonly DestinationName: string;
  readonly Action: string;
  readonly Permissions?: readonly object[];
  readonly Description: string;
  readonly Meta: StringMap;
  readonly DefaultAddr: string;
  readonly DefaultPort: number;
}

/** Which one is meant. */
export type IntentionKey =
  | Pick<IntentionDefinition, 'ID'>
  | Pick<IntentionDefinition, 'SourceName' | 'DestinationName'>;

export interface Intention extends IntentionDefinition {
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
  /** The token of a user that callers are to show besides: the whole entry's. */
  readonly JWT?: object;
  /** Milliseconds since 1970; 0 where nobody knows. */
  readonly createdAt: number;
  readonly updatedAt: number;
}
