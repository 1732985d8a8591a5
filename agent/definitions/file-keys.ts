/**
 * How services and checks are written in configuration files. It follows from what the API takes, and
 * so from the list of check kinds: the names in snake_case, durations as text.
 */

import {
  addresses,
  bool,
  int,
  type Keys,
  lists,
  map,
  newer,
  strings,
  text,
  tree,
  trees,
} from '../../lib/config/row.ts';
import { type Schema, saysWhere } from '../../lib/decode.ts';
import { checkSchema } from './check-spec.ts';
import { serviceSchema } from './service-spec.ts';

type Value = Keys[string];

function keysOf(schema: Schema): Keys {
  const entries = Object.entries<Schema>(schema['properties']).map(
    ([name, field]): [string, Value] => [fileKey(name), keyOf(field)],
  );
  const unheeded: readonly string[] = schema['unheeded'] ?? [];
  const passedOver = unheeded.filter((name) => !saysWhere(name)).map(fileKey);
  const judged = unheeded.filter(saysWhere).map((name): [string, Value] => [fileKey(name), text()]);
  return { ...newer(...passedOver), ...Object.fromEntries([...judged, ...entries]) };
}

function keyOf(schema: Schema): Value {
  if (schema['free'] === true) return tree();
  if (schema['properties'] !== undefined) return keysOf(schema);
  const { items, additionalProperties } = schema;
  if (items !== undefined) {
    if (items['type'] === 'string') return strings();
    return items['properties'] === undefined ? trees() : [keysOf(items)];
  }
  if (additionalProperties !== undefined) {
    if (additionalProperties['type'] === 'array') return lists();
    return additionalProperties['type'] === 'string' ? map() : addresses();
  }
  if (schema['type'] === 'boolean') return bool();
  return schema['type'] === 'integer' ? int() : text();
}

/** TLSServerName → tls_server_name. A check's own id is an ID in files, as in the API's. */
export function fileKey(name: string): string {
  if (name === 'CheckID') return 'id';
  return name
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}

const CHECK = keysOf(checkSchema);
const SERVICE = keysOf(serviceSchema);

/** One of each, or a list of them. */
export const FILE_KEYS = {
  check: CHECK,
  checks: [CHECK],
  service: SERVICE,
  services: [SERVICE],
} as const satisfies Keys;
