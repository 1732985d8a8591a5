/**
 * The records of a state as Consul writes them: a head, then one record after another, each a byte
 * for its type and the fields of a Go struct in MessagePack. Texts and bytes are the same in there.
 */
import { Decoder, type DecoderOptions, Encoder } from '@msgpack/msgpack';

/** Consul's numbers for what a record is. */
export const RECORD = {
  register: 0,
  kv: 2,
  session: 3,
  legacyAcl: 4,
  tombstone: 5,
  coordinates: 6,
  query: 7,
  autopilot: 9,
  bootstrap: 11,
  intention: 12,
  caRoot: 13,
  caState: 14,
  caConfig: 15,
  index: 16,
  token: 17,
  policy: 19,
  configEntry: 22,
  role: 23,
  bindingRule: 25,
  authMethod: 27,
  chunking: 29,
  federationState: 30,
} as const;

export type RecordKind = keyof typeof RECORD;

/** Undefined for one of a later Consul. */
export function kindOf(type: number): RecordKind | undefined {
  return KINDS.get(type);
}

const KINDS: ReadonlyMap<number, RecordKind> = new Map(
  Object.entries(RECORD).map(([kind, type]) => [type, kind as RecordKind]),
);

/** Texts are bytes still: only who knows the field knows which it is. */
export type Raw =
  | Uint8Array
  | number
  | bigint
  | boolean
  | null
  | readonly Raw[]
  | { readonly [field: string]: Raw };

export interface StateRecord {
  readonly type: number;
  readonly value: Raw;
}

/** Of a text: far beyond what Consul takes. */
const MAX_LENGTH = 16 * 1024 * 1024;
/** Of a list or a map: room is made for what it claims to have. */
const MAX_MEMBERS = 256 * 1024;
/** Of structs and lists within one another. */
const MAX_DEPTH = 32;

const DECODING: DecoderOptions = {
  rawStrings: true,
  useBigInt64: true,
  maxStrLength: MAX_LENGTH,
  maxBinLength: MAX_LENGTH,
  maxArrayLength: MAX_MEMBERS,
  maxMapLength: MAX_MEMBERS,
  mapKeyConverter: (key: unknown) =>
    key instanceof Uint8Array ? Buffer.from(key).toString() : String(key),
};

/** Throws where the bytes are not records. */
export async function* readRecords(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<StateRecord> {
  let type: number | undefined;
  let isHead = true;
  for await (const value of boundedDecoder().decodeStream(bytes) as AsyncIterable<Raw>) {
    if (isHead) {
      if (typeof value !== 'object' || value === null || !('LastIndex' in value)) {
        throw new Error('the state does not begin as one of Consul');
      }
      isHead = false;
    } else if (type !== undefined) {
      yield { type, value };
      type = undefined;
    } else if (typeof value === 'number' && value >= 0 && value < 128) type = value;
    else throw new Error('a record of the state has no type');
  }
  if (isHead || type !== undefined) throw new Error('the state breaks off');
}

/** Of the decoder, beside what its types tell. */
interface Nesting {
  readonly stack: { readonly length: number };
  pushArrayState(size: number): void;
  pushMapState(size: number): void;
}

/** It knows no depth by itself: a few hundred bytes of lists in lists would take all memory there is. */
function boundedDecoder(): Decoder {
  const decoder = new Decoder(DECODING);
  const nesting = decoder as unknown as Nesting;
  for (const push of ['pushArrayState', 'pushMapState'] as const) {
    const inner = nesting[push].bind(decoder);
    nesting[push] = (size) => {
      if (nesting.stack.length >= MAX_DEPTH) throw new Error('a record of the state is too deep');
      inner(size);
    };
  }
  return decoder;
}

/** What a config entry's record holds: its kind, and a struct that has the entry in it. */
export function readEntryRecord(value: Raw): Raw {
  if (!(value instanceof Uint8Array)) throw new Error('the record of a config entry is no text');
  const [, request] = [...boundedDecoder().decodeMulti(value)] as Raw[];
  if (typeof request !== 'object' || request === null || !('Entry' in request)) {
    throw new Error('the record of a config entry has no entry');
  }
  const { Entry } = request;
  return Entry instanceof Uint8Array ? (boundedDecoder().decode(Entry) as Raw) : (Entry as Raw);
}

/** Those of a kind that has a reading of its own there are packed once more. */
const PACKED_KINDS: ReadonlySet<string> = new Set(['proxy-defaults']);

export class RecordWriter {
  readonly #encoder = new Encoder({ useBigInt64: true });

  head(LastIndex: number): Uint8Array {
    return this.#encoder.encode({ LastIndex });
  }

  /** Consul puts a config entry into a record of its own within one: its kind, then its fields. */
  entry(kind: string, entry: object): Uint8Array {
    const within = new Encoder({ useBigInt64: true });
    const Entry = PACKED_KINDS.has(kind) ? within.encode(entry) : entry;
    const request = { Datacenter: '', Entry, Op: '', Token: '' };
    const parts = [within.encode(kind), within.encode(request)];
    const packed = this.#encoder.encodeSharedRef(Buffer.concat(parts));
    const record = new Uint8Array(packed.length + 1);
    record[0] = RECORD.configEntry;
    record.set(packed, 1);
    return record;
  }

  record(kind: RecordKind, value: object): Uint8Array {
    const fields = this.#encoder.encodeSharedRef(value);
    const record = new Uint8Array(fields.length + 1);
    record[0] = RECORD[kind];
    record.set(fields, 1);
    return record;
  }
}
