/** Config entries on their way out: as answers show them, and as archives hold them. */
import { formatDuration } from '../duration.ts';
import type { ConfigEntry, ConfigEntryDefinition } from './entry.ts';
import { type Field, type Table, zeroOf } from './fields.ts';
import { kindNamed } from './kinds.ts';

type Plain = Readonly<Record<string, unknown>>;

/** As Consul's API writes it. */
export function shownEntry(entry: ConfigEntry): object {
  const { CreateIndex, ModifyIndex, ...fields } = entry;
  return { ...shownFields(fields), CreateIndex, ModifyIndex };
}

/** The same of one that is not stored: as the API takes it. */
export function shownFields(entry: ConfigEntryDefinition): object {
  return asShown(kindOfEntry(entry).fields, entry);
}

/** As Go writes a struct into an archive: with all its fields, and durations as nanoseconds. */
export function archivedEntry({ CreateIndex, ModifyIndex, ...entry }: ConfigEntry): object {
  const { fields } = kindOfEntry(entry);
  return { ...archived(fields, entry), CreateIndex, ModifyIndex };
}

function kindOfEntry({ Kind }: Pick<ConfigEntryDefinition, 'Kind'>) {
  const kind = kindNamed(Kind);
  // What is stored was read by its kind's table.
  if (kind === undefined) throw new Error(`a stored config entry is of no kind: ${Kind}`);
  return kind;
}

/** The part of an entry that a table is about, with its durations as texts. */
export function asShown(table: Table, fields: Plain): Plain {
  const names = Object.keys(table).filter((name) => fields[name] !== undefined);
  return Object.fromEntries(
    names.map((name) => [name, shownValue(table[name] as Field, fields[name])]),
  );
}

function shownValue(field: Field, value: unknown): unknown {
  return value === null ? null : written(field, value, SHOWN);
}

/** In which form a value is written out, field by field. */
interface Form {
  readonly duration: (ns: number) => unknown;
  readonly struct: (table: Table, fields: Plain) => Plain;
  readonly value: (field: Field, value: unknown) => unknown;
  /** What stands as it was written. */
  readonly free: (value: unknown) => unknown;
}

const SHOWN: Form = {
  duration: formatDuration,
  struct: asShown,
  value: shownValue,
  free: (value) => value,
};
const ARCHIVED: Form = {
  duration: BigInt,
  struct: archived,
  value: archivedValue,
  free: withoutNulls,
};

function written(field: Field, value: unknown, form: Form): unknown {
  switch (field.is) {
    case 'duration':
      return form.duration(value as number);
    case 'struct':
      return form.struct(field.fields, value as Plain);
    case 'list':
      return (value as readonly Plain[]).map((each) => form.struct(field.fields, each));
    case 'map':
      return mapped(value as Plain, (each) => form.value(field.of, each));
    case 'free':
      return form.free(value);
    default:
      return value;
  }
}

/** A Consul that restores one ends. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((each) => each !== null).map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const said = Object.entries(value).filter(([, each]) => each !== null);
  return Object.fromEntries(said.map(([name, each]) => [name, withoutNulls(each)]));
}

function mapped(object: Plain, as: (value: unknown) => unknown): Plain {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, as(value)]));
}

function archived(table: Table, fields: Plain): Plain {
  return Object.fromEntries(
    Object.entries(table).map(([name, field]) => [name, archivedValue(field, fields[name])]),
  );
}

function archivedValue(field: Field, value: unknown): unknown {
  if (value === undefined || value === null) {
    return field.is === 'struct' && field.always === true
      ? archived(field.fields, {})
      : zeroOf(field);
  }
  return written(field, value, ARCHIVED);
}
