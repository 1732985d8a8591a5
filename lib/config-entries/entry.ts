/** A config entry: what is said once of a service, or of all, and heeded wherever they are. */
import type { Indexed } from '../model.ts';

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
