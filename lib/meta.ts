/** Metadata of nodes and services: what Consul takes for a pair, and how many it takes. */
import type { StringMap } from './model.ts';

export const MAX_META_PAIRS = 64;
export const MAX_META_VALUE_BYTES = 512;
const MAX_KEY_BYTES = 128;
const KEY = /^[a-zA-Z0-9_-]+$/;
const RESERVED = 'consul-';

export interface MetaRules {
  /** Whether keys may begin with 'consul-': where metadata is only asked for, it may. */
  readonly mayBeReserved?: boolean;
}

/** What is wrong with it, in Consul's words; undefined when nothing is. */
export function metaFault(meta: StringMap | null | undefined, rules?: MetaRules) {
  const pairs = Object.entries(meta ?? {});
  if (pairs.length > MAX_META_PAIRS) {
    return `Node metadata cannot contain more than ${MAX_META_PAIRS} key/value pairs`;
  }
  for (const [key, value] of pairs) {
    const fault = metaPairFault(key, value, rules);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

export function metaPairFault(key: string, value: string, rules?: MetaRules): string | undefined {
  const fault = faultOfMeta(key, value, rules?.mayBeReserved === true);
  return fault && `Couldn't load metadata pair ('${key}', '${value}'): ${fault}`;
}

export function faultOfMeta(key: string, value: string, mayBeReserved = false): string | undefined {
  if (key === '') return 'Key cannot be blank';
  if (!KEY.test(key)) return 'Key contains invalid characters';
  if (key.length > MAX_KEY_BYTES) return `Key is too long (limit: ${MAX_KEY_BYTES} characters)`;
  if (key.startsWith(RESERVED) && !mayBeReserved) {
    return `Key prefix '${RESERVED}' is reserved for internal use`;
  }
  // Consul says characters, and counts bytes.
  if (Buffer.byteLength(value) <= MAX_META_VALUE_BYTES) return undefined;
  return `Value is too long (limit: ${MAX_META_VALUE_BYTES} characters)`;
}
