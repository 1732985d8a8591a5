/** Reading what a recursor answered: only as much as following a name needs. It never throws. */
import { HEADER_BYTES, MAX_LABEL_BYTES, MAX_NAME_BYTES, POINTER, RCODE, TYPE } from './wire.ts';

export interface UpstreamRecord {
  readonly name: string;
  readonly type: number;
  readonly ttlS: number;
  /** The data of an A or AAAA; of a CNAME the name in full. */
  readonly data: Buffer;
}

/** As many as one name has addresses, with room; a recursor that sends more is no help. */
const MAX_RECORDS = 64;

/** The records of the answer section that lead to addresses; undefined when it makes no sense. */
export function readUpstream(packet: Buffer): UpstreamRecord[] | undefined {
  if (packet.length < HEADER_BYTES || (packet.readUInt16BE(2) & 0xf) !== RCODE.NOERROR) return [];
  try {
    return readAnswers(packet);
  } catch (error) {
    // A length that leads out of the packet.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readAnswers(packet: Buffer): UpstreamRecord[] {
  const records: UpstreamRecord[] = [];
  const count = Math.min(packet.readUInt16BE(6), MAX_RECORDS);
  let at = HEADER_BYTES;
  for (let i = 0; i < packet.readUInt16BE(4); i++) at = readName(packet, at).end + 4;
  for (let i = 0; i < count; i++) {
    const { labels, end } = readName(packet, at);
    const type = packet.readUInt16BE(end);
    const ttlS = packet.readUInt32BE(end + 4);
    const start = end + 10;
    at = start + packet.readUInt16BE(end + 8);
    if (at > packet.length) throw new RangeError('a record runs out of the packet');
    const data = dataOf(packet, type, start, at);
    if (data !== undefined) records.push({ name: textOf(labels), type, ttlS, data });
  }
  return records;
}

function dataOf(packet: Buffer, type: number, start: number, end: number): Buffer | undefined {
  if (type === TYPE.CNAME) {
    const { labels } = readName(packet, start);
    const lengths = labels.flatMap((label) => [Buffer.from([label.length]), label]);
    return Buffer.concat([...lengths, Buffer.from([0])]);
  }
  const wanted = type === TYPE.A ? 4 : 16;
  const isAddress = type === TYPE.A || type === TYPE.AAAA;
  return isAddress && end - start === wanted ? packet.subarray(start, end) : undefined;
}

function textOf(labels: readonly Buffer[]): string {
  return labels.map((label) => `${label.toString('utf8')}.`).join('');
}

/** Real names have one or two; each may cost a step through the packet. */
const MAX_POINTERS = 16;

interface Name {
  readonly labels: Buffer[];
  readonly end: number;
}

function readName(packet: Buffer, start: number, pointers = 0): Name {
  const { labels, end } = readLabels(packet, start);
  const length = packet.readUInt8(end);
  if (length === 0) return bounded({ labels, end: end + 1 });
  const target = packet.readUInt16BE(end) & 0x3fff;
  if (target >= start || pointers >= MAX_POINTERS) throw new RangeError('a pointer leads nowhere');
  const rest = readName(packet, target, pointers + 1);
  return bounded({ labels: [...labels, ...rest.labels], end: end + 2 });
}

/** Up to the byte that ends the name or begins a pointer. */
function readLabels(packet: Buffer, start: number): Name {
  const labels: Buffer[] = [];
  let at = start;
  for (let length = packet.readUInt8(at); length !== 0; length = packet.readUInt8(at)) {
    if (length >= POINTER) break;
    if (length > MAX_LABEL_BYTES) throw new RangeError('a label of an unknown kind');
    if (at + 1 + length > packet.length) throw new RangeError('a label runs out of the packet');
    labels.push(packet.subarray(at + 1, at + 1 + length));
    at += length + 1;
  }
  return { labels, end: at };
}

function bounded(name: Name): Name {
  const bytes = name.labels.reduce((sum, label) => sum + label.length + 1, 1);
  if (bytes > MAX_NAME_BYTES) throw new RangeError('a name is too long');
  return name;
}
