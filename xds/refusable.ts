/**
 * By Envoy's own rules (rules.json, recorded of its API): what breaks one is refused with everything that is told
 * together with it. It is asked of parts, so that each is left out alone, and of whole resources before they are told.
 */

import type { Kind, Message } from './resource.ts';
import { TYPE_URLS } from './resource.ts';

interface Field {
  readonly type?: string;
  readonly map?: boolean;
  /** It may be missing, and then nothing is asked of it. */
  readonly optional?: boolean;
  readonly rules?: Readonly<Record<string, unknown>>;
}

interface Ruled {
  readonly fields: Readonly<Record<string, Field>>;
  readonly oneOf: readonly (readonly string[])[];
}

let types: ReadonlyMap<string, Ruled> | undefined;

/** Before anything is asked of them: whoever serves no client never has them. */
export async function loadRules(): Promise<void> {
  if (types !== undefined) return;
  const { default: rules } = await import('./rules.json', { with: { type: 'json' } });
  types = new Map(Object.entries(rules as Record<string, Ruled>));
}

const ANY = 'google.protobuf.Any';
const TYPE_URL = 'type.googleapis.com/';

/** Where Envoy would refuse it, and by which rule; undefined where it would not. */
export function faultIn(type: string, message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const said = message as Message;
  const name = type === ANY ? String(said['@type'] ?? '').slice(TYPE_URL.length) : type;
  if (types === undefined) throw new Error('the rules were not loaded');
  const ruled = types.get(name);
  if (ruled === undefined) return undefined;
  for (const names of ruled.oneOf) {
    if (!names.some((each) => said[each] !== undefined)) return `${name} has none of ${names}`;
  }
  for (const [field, asked] of Object.entries(ruled.fields)) {
    const fault = fieldFault(asked, said[field]);
    if (fault !== undefined) return `${field}: ${fault}`;
  }
  return undefined;
}

export function resourceFault(kind: Kind, message: Message): string | undefined {
  // Made of addresses and numbers that were looked at, and by the thousand.
  if (kind === 'endpoints') return undefined;
  return faultIn(TYPE_URLS[kind].slice(TYPE_URL.length), message);
}

function fieldFault({ type, map, optional, rules = {} }: Field, value: unknown) {
  for (const [rule, bound] of Object.entries(rules)) {
    const [kind = '', ...asked] = rule.split('.');
    if (value === undefined && (optional === true || isSkipped(kind, type))) continue;
    if (breaks(kind, asked, bound, value)) return `it breaks ${rule} = ${String(bound)}`;
  }
  if (type === undefined || value === undefined) return undefined;
  const parts = map === true ? Object.values(value as object) : [value].flat();
  for (const part of parts) {
    const fault = faultIn(type, part);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** A number that may be missing is a message, of which nothing is asked where it is. */
function isSkipped(kind: string, type: string | undefined): boolean {
  return type !== undefined && !PRESENT.has(kind);
}

/** Of these it is asked that they are there, or how many. */
const PRESENT: ReadonlySet<string> = new Set(['message', 'any', 'duration', 'repeated', 'map']);

function breaks(kind: string, asked: readonly string[], bound: unknown, value: unknown): boolean {
  const [rule = '', ...rest] = asked;
  switch (kind) {
    case 'message':
    case 'any':
      return value === undefined;
    case 'string':
      return breaksText(rule, bound, String(value ?? ''));
    case 'repeated':
      return breaksList(rule, rest, bound, (value ?? []) as readonly unknown[]);
    case 'map':
      return breaksMap(rule, rest, bound, (value ?? {}) as object);
    case 'duration':
      return breaksDuration(asked, bound, value as Message | undefined);
    case 'uint32':
    case 'uint64':
    case 'int32':
    case 'int64':
    case 'double':
      return breaksNumber(rule, Number(bound), value);
    default:
      // Of enumerations and flags only what is written here is told.
      return false;
  }
}

/** In headers that are not looked at strictly. */
const NOT_IN_HEADERS = /[\0\n\r]/;

function breaksText(rule: string, bound: unknown, text: string): boolean {
  switch (rule) {
    case 'min_len':
      return text.length < Number(bound);
    case 'max_bytes':
      return Buffer.byteLength(text) > Number(bound);
    case 'well_known_regex':
      return NOT_IN_HEADERS.test(text);
    case 'pattern':
      return !new RegExp(String(bound)).test(text);
    default:
      return false;
  }
}

function breaksList(
  rule: string,
  rest: readonly string[],
  bound: unknown,
  list: readonly unknown[],
) {
  if (rule === 'min_items') return list.length < Number(bound);
  if (rule === 'max_items') return list.length > Number(bound);
  if (rule !== 'items') return false;
  const [kind = '', ...asked] = rest;
  return list.some((each) => breaks(kind, asked, bound, each));
}

function breaksMap(rule: string, rest: readonly string[], bound: unknown, map: object): boolean {
  const keys = Object.keys(map);
  if (rule === 'min_pairs') return keys.length < Number(bound);
  const [kind = '', ...asked] = rest;
  return rule === 'keys' && keys.some((each) => breaks(kind, asked, bound, each));
}

const NANOS = 1_000_000_000;

/** The bounds of a rule stand in parts, seconds and nanoseconds. */
function breaksDuration(
  [rule = '', part = '']: readonly string[],
  bound: unknown,
  value: Message | undefined,
) {
  if (rule === 'required') return value === undefined;
  if (value === undefined) return false;
  const said = Number(value['seconds'] ?? 0) * NANOS + Number(value['nanos'] ?? 0);
  return !compares(rule, said, part === 'seconds' ? Number(bound) * NANOS : Number(bound));
}

function breaksNumber(rule: string, bound: number, value: unknown): boolean {
  const isMessage = typeof value === 'object' && value !== null;
  const said = isMessage ? (value as Message)['value'] : value;
  return !compares(rule, Number(said ?? 0), bound);
}

function compares(rule: string, said: number, bound: number): boolean {
  if (rule === 'gt') return said > bound;
  if (rule === 'gte') return said >= bound;
  if (rule === 'lt') return said < bound;
  return rule === 'lte' ? said <= bound : true;
}
