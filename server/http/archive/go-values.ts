/** Values of Go, as Consul's records hold them. */
import type { Raw } from '../../../lib/archive/records.ts';
import type { Indexed } from '../../../lib/model.ts';

export type Plain = Readonly<Record<string, unknown>>;

/** A record's struct: with texts as texts, and as it came, where bytes are meant. */
export interface Fields {
  readonly fields: Plain;
  readonly raw: Readonly<Record<string, Raw>>;
  readonly indexed: Indexed;
}

export function fieldsOf(value: Raw): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('a record of the state is no struct');
  }
  const raw = value as Readonly<Record<string, Raw>>;
  const fields = plain(value) as Plain;
  return { fields, raw, indexed: indexedOf(fields) };
}

export function indexedOf({ CreateIndex = 1, ModifyIndex = 1 }: Plain): Indexed {
  return { CreateIndex: index(CreateIndex), ModifyIndex: index(ModifyIndex) };
}

/** A cluster would have to write for thousands of years to reach a larger one, and later ones are larger yet. */
export const MAX_INDEX = 2 ** 48;

function index(value: unknown): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0 || number > MAX_INDEX)
    throw new Error(`no index: ${String(value)}`);
  return Math.max(1, number);
}

/** Texts as texts, and integers as numbers wherever those are exact. */
function plain(value: Raw): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

/** Null when empty, as our rows have it. */
export function base64Of(value: unknown): string | null {
  return value instanceof Uint8Array && value.length > 0
    ? Buffer.from(value).toString('base64')
    : null;
}

/** What Go writes of a time: a version, seconds since the year 1, nanoseconds, and the zone. */
const TIME_BYTES = 15;
const UNIX_EPOCH_S = 62_135_596_800n;
const NS_PER_MS = 1e6;

/** The last that Go writes as JSON: the end of the year 9999. */
const MAX_TIME_MS = 253_402_300_799_999;

/** In milliseconds since 1970; 0 for none, and for Go's own "no time", which is the year 1. */
export function timeOf(value: unknown): number {
  if (!(value instanceof Uint8Array) || value.length < TIME_BYTES) return 0;
  const view = Buffer.from(value);
  const seconds = view.readBigInt64BE(1) - UNIX_EPOCH_S;
  const ms = Number(seconds) * 1000 + Math.floor(view.readUInt32BE(9) / NS_PER_MS);
  if (ms > MAX_TIME_MS) throw new Error('a time is after the year 9999');
  return Math.max(0, ms);
}

/** The other way; in UTC. */
export function goTime(ms: number): Uint8Array {
  const bytes = Buffer.alloc(TIME_BYTES);
  bytes[0] = 1;
  bytes.writeBigInt64BE(ms === 0 ? 0n : BigInt(Math.floor(ms / 1000)) + UNIX_EPOCH_S, 1);
  bytes.writeUInt32BE(ms === 0 ? 0 : (ms % 1000) * NS_PER_MS, 9);
  bytes.writeInt16BE(-1, 13);
  return bytes;
}

export function structOf(value: unknown): Plain | undefined {
  const isStruct = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isStruct ? (value as Plain) : undefined;
}
