/** DNS packets as a reader that is not ours reads them; what it would pass over fails. */
import assert from 'node:assert/strict';
import { type Answer, type DecodedPacket, decode } from 'dns-packet';

export interface ParsedRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  /** As dig would print it. */
  readonly data: string;
}

export interface ParsedPacket {
  readonly id: number;
  readonly bytes: number;
  readonly rcode: number;
  readonly flags: {
    readonly qr: boolean;
    readonly aa: boolean;
    readonly tc: boolean;
    readonly rd: boolean;
    readonly ra: boolean;
  };
  readonly questions: readonly { readonly name: string; readonly type: number }[];
  readonly answers: readonly ParsedRecord[];
  readonly authorities: readonly ParsedRecord[];
  /** Without the OPT record. */
  readonly additionals: readonly ParsedRecord[];
  readonly edns: { readonly udpBytes: number; readonly version: number } | undefined;
}

export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  ANY: 255,
} as const;

const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

export function parsePacket(bytes: Buffer): ParsedPacket {
  const packet = decode(bytes);
  assert.equal(decode.bytes, bytes.length, 'bytes are left over');
  const options = (packet.additionals ?? []).filter(({ type }) => type === 'OPT');
  assert(options.length <= 1, 'more than one OPT');
  const [option] = options;
  const records = (section: readonly Answer[] = []) =>
    section.filter((record) => record !== option).map(recordOf);
  return {
    id: packet.id ?? 0,
    bytes: bytes.length,
    rcode: RCODES.indexOf((packet as DecodedPacket & { rcode: string }).rcode),
    flags: {
      qr: packet.type === 'response',
      aa: packet.flag_aa,
      tc: packet.flag_tc,
      rd: packet.flag_rd,
      ra: packet.flag_ra,
    },
    questions: (packet.questions ?? []).map(({ name, type }) => ({
      name: withDot(name),
      type: numberOf(type),
    })),
    answers: records(packet.answers),
    authorities: records(packet.authorities),
    additionals: records(packet.additionals),
    edns:
      option?.type === 'OPT'
        ? { udpBytes: option.udpPayloadSize, version: option.ednsVersion }
        : undefined,
  };
}

function numberOf(type: string): number {
  return new Map<string, number>(Object.entries(TYPE)).get(type) ?? Number(type.slice(8));
}

function withDot(name: string): string {
  return name === '.' ? name : `${name}.`;
}

function recordOf(record: Answer): ParsedRecord {
  const { name, type } = record;
  const { ttl = 0 } = record as { readonly ttl?: number };
  assert(!('class' in record) || record.class === 'IN', 'a class that nobody asks for');
  return { name: withDot(name), type: numberOf(type), class: 1, ttl, data: dataOf(record) };
}

function dataOf(record: Answer): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return record.data;
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return withDot(record.data);
    case 'SRV': {
      const { priority, weight, port, target } = record.data;
      return [priority, weight, port, withDot(target)].join(' ');
    }
    case 'SOA': {
      const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
      const numbers = [serial, refresh, retry, expire, minimum];
      return [withDot(mname), withDot(rname), ...numbers].join(' ');
    }
    case 'TXT': {
      const texts = [record.data].flat() as (string | Buffer)[];
      assert(texts.length > 0, 'a TXT without a text');
      return texts.map((text) => JSON.stringify(text.toString())).join(' ');
    }
    default:
      throw new Error(`a record of type ${record.type}`);
  }
}
