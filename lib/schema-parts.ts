/**
 * A schema as it is compiled: what is large in it, and mostly not there, is compiled by itself, at the first
 * value that has it. All of a service took some 100 ms of everybody's time at the first registration of a
 * process, nine tenths of it for proxies and sidecars.
 */
import type { SchemaObject } from 'ajv';

/** Of schemas within: what is smaller takes less as a part of the whole. */
const LARGE = 8;

/** The word that a part stands under. */
export const PART = 'part';

/** The schema itself stays as it is. */
export function inParts(schema: SchemaObject): SchemaObject {
  const { properties, additionalProperties, items } = schema;
  return {
    ...schema,
    ...(properties && { properties: eachApart(properties) }),
    ...(isSchema(additionalProperties) && { additionalProperties: apart(additionalProperties) }),
    ...(isSchema(items) && { items: apart(items) }),
  };
}

function eachApart(properties: Readonly<Record<string, SchemaObject>>) {
  return Object.fromEntries(
    Object.entries(properties).map(([name, sub]) => [name, apart(sub)] as const),
  );
}

function apart(schema: SchemaObject): SchemaObject {
  if (sizeOf(schema) <= LARGE) return schema;
  // A list is short, and mostly empty: its members are the part.
  if (isSchema(schema['items'])) return inParts(schema);
  // Whoever has it fills in the default.
  const { default: value, ...part } = schema;
  return { ...(value !== undefined && { default: value }), [PART]: part };
}

function sizeOf({ properties = {}, additionalProperties, items }: SchemaObject): number {
  const within = [...Object.values<SchemaObject>(properties), additionalProperties, items];
  return within.filter(isSchema).reduce((sum, sub) => sum + sizeOf(sub), 1);
}

function isSchema(sub: unknown): sub is SchemaObject {
  return typeof sub === 'object' && sub !== null;
}
