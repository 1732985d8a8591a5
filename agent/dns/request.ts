/** Reading a question, from anybody: it takes one pass, bounded by the packet, and never throws. */
import {
  CLASS_ANY,
  CLASS_IN,
  FLAG,
  HEADER_BYTES,
  MAX_LABEL_BYTES,
  MAX_NAME_BYTES,
  RCODE,
  TYPE,
} from './wire.ts';

export interface Request {
  /** As it came. */
  readonly packet: Buffer;
  readonly id: number;
  readonly wantsRecursion: boolean;
  /** Name, type and class as they came. */
  readonly question: Buffer;
  readonly type: number;
  /** Name and type in one form: two questions with one key have one answer. */
  readonly key: string;
  /** How large an answer over UDP may be; undefined without EDNS. */
  readonly edns: number | undefined;
}

/** A packet that cannot be answered as asked, and with which code. */
export interface Unanswerable {
  readonly rcode: number;
  readonly packet: Buffer;
}

const OPCODE_MASK = 0x7800;
/** OPT, and a signature or a cookie beside it; more is nobody's. */
const MAX_ADDITIONALS = 4;
/** Type and class. */
const TAIL_BYTES = 4;
/** Type, class, TTL and the length of the data. */
const RECORD_HEAD_BYTES = 10;

/** undefined for what must not be answered at all: an answer, or no packet. */
export function parseRequest(packet: Buffer): Request | Unanswerable | undefined {
  if (packet.length < HEADER_BYTES) return undefined;
  const flags = packet.readUInt16BE(2);
  // Two servers that answer each other's answers would never end.
  if ((flags & FLAG.QR) !== 0) return undefined;
  if ((flags & OPCODE_MASK) !== 0) return { rcode: RCODE.NOTIMP, packet };
  const oneQuestion = packet.readUInt16BE(4) === 1;
  const bare = packet.readUInt16BE(6) === 0 && packet.readUInt16BE(8) === 0;
  const nameEnd = oneQuestion && bare ? endOfName(packet, HEADER_BYTES) : -1;
  const end = nameEnd + TAIL_BYTES;
  if (nameEnd < 0 || end > packet.length) return { rcode: RCODE.FORMERR, packet };
  const options = readOptions(packet, end);
  if (options === undefined) return { rcode: RCODE.FORMERR, packet };
  if (options.version > 0) return { rcode: RCODE.BADVERS, packet };
  const type = packet.readUInt16BE(nameEnd);
  const classOf = packet.readUInt16BE(end - 2);
  const known = classOf === CLASS_IN || classOf === CLASS_ANY;
  if (!known || type === TYPE.AXFR || type === TYPE.IXFR) return { rcode: RCODE.REFUSED, packet };
  return {
    packet,
    id: packet.readUInt16BE(0),
    wantsRecursion: (flags & FLAG.RD) !== 0,
    question: packet.subarray(HEADER_BYTES, end),
    type,
    key: keyOf(packet.toString('latin1', HEADER_BYTES, nameEnd), type),
    edns: options.udpBytes,
  };
}

/** Where a name without pointers ends; -1 when it does not. */
function endOfName(packet: Buffer, start: number): number {
  let at = start;
  while (at < packet.length) {
    const length = packet[at] as number;
    if (length > MAX_LABEL_BYTES) return -1;
    at += length + 1;
    if (at - start > MAX_NAME_BYTES) return -1;
    if (length === 0) return at;
  }
  return -1;
}

interface Options {
  readonly udpBytes: number | undefined;
  readonly version: number;
}

const NO_OPTIONS: Options = { udpBytes: undefined, version: 0 };

function readOptions(packet: Buffer, start: number): Options | undefined {
  const count = packet.readUInt16BE(10);
  if (count === 0) return NO_OPTIONS;
  if (count > MAX_ADDITIONALS) return undefined;
  let found: Options | undefined;
  let at = start;
  for (let i = 0; i < count; i++) {
    at = endOfName(packet, at);
    const end = at + RECORD_HEAD_BYTES;
    if (at < 0 || end > packet.length) return undefined;
    if (packet.readUInt16BE(at) === TYPE.OPT) {
      if (found !== undefined) return undefined;
      found = { udpBytes: packet.readUInt16BE(at + 2), version: packet[at + 5] as number };
    }
    at = end + packet.readUInt16BE(end - 2);
    if (at > packet.length) return undefined;
  }
  return found ?? NO_OPTIONS;
}

/** All others have the same answer, which is that there is no such record. */
const TOLD_APART = new Set<number>([
  TYPE.A,
  TYPE.NS,
  TYPE.CNAME,
  TYPE.SOA,
  TYPE.PTR,
  TYPE.TXT,
  TYPE.AAAA,
  TYPE.SRV,
  TYPE.ANY,
]);

/** ASCII letters alone are folded; the lengths of labels, at most 63, lie below them. */
function keyOf(name: string, type: number): string {
  const folded = name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return `${folded}${TOLD_APART.has(type) ? type : ''}`;
}

/** The labels of a question's name, in lower case. */
export function labelsOf(question: Buffer): string[] {
  const labels: string[] = [];
  for (let at = 0; question[at] !== 0; at += (question[at] as number) + 1) {
    labels.push(question.toString('utf8', at + 1, at + 1 + (question[at] as number)).toLowerCase());
  }
  return labels;
}
