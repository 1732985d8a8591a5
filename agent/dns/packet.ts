/** From an answer to the packet for one question. */
import { type DnsAnswer, EMPTY, type Group, type Section } from './answer.ts';
import { MAX_UDP_ANSWERS, PLAIN_UDP_BYTES } from './limits.ts';
import { canPointTo, pointer } from './names.ts';
import type { Request, Unanswerable } from './request.ts';
import { FLAG, HEADER_BYTES, OPT_BYTES, RCODE, TYPE } from './wire.ts';

export interface Room {
  readonly maxBytes: number;
  readonly udp: boolean;
  /** dns_config.udp_answer_limit. */
  readonly udpAnswerLimit: number;
  /** Whether a packet that lacks something says so: dns_config.enable_truncate. */
  readonly saysTruncated: boolean;
}

/** `chance` gives numbers in [0, 1). */
export function encodePacket(
  answer: DnsAnswer,
  request: Request,
  room: Room,
  chance: () => number,
): Buffer {
  const { question, edns } = request;
  const { authority } = answer;
  const start = HEADER_BYTES + question.length;
  const opt = edns === undefined ? 0 : OPT_BYTES;
  const fixed = start + authority.records.length + opt;
  const chosen = new Choice(start, room.maxBytes - fixed);
  choose(chosen, answer, limitOf(answer, request, room), chance);
  const left = room.maxBytes - fixed - chosen.bytes;
  const additional = answer.additional.records.length <= left ? answer.additional : EMPTY;
  const packet = Buffer.allocUnsafe(fixed + chosen.bytes + additional.records.length);
  writeHead(packet, { answer, additional, request, chosen, room });
  let at = start;
  for (const group of chosen.groups) at = put(packet, group.answer, at);
  at = put(packet, authority.records, at);
  for (let i = 0; i < chosen.groups.length; i++) {
    at = writeExtras(packet, chosen.groups[i] as Group, chosen.targets[i] as number, at);
  }
  for (const { records } of chosen.beside) at = put(packet, records, at);
  at = put(packet, additional.records, at);
  if (edns !== undefined) writeOpt(packet, at, edns, 0);
  return packet;
}

/** A call to copy takes longer than so few bytes. */
const FEW_BYTES = 64;

/** Returns where they end. */
function put(packet: Buffer, bytes: Buffer, at: number): number {
  const { length } = bytes;
  if (length > FEW_BYTES) return at + bytes.copy(packet, at);
  for (let i = 0; i < length; i++) packet[at + i] = bytes[i] as number;
  return at + length;
}

const NONE: readonly Section[] = [];

interface Limit {
  readonly groups: number;
  readonly cuts: boolean;
}

function choose(
  choice: Choice,
  { groups, shuffled }: DnsAnswer,
  limit: Limit,
  chance: () => number,
): void {
  for (let i = 0; i < limit.groups && !choice.truncated; i++) {
    if (shuffled) groups.draw(i, chance());
    choice.add(groups.at(i));
  }
  if (limit.cuts) choice.truncated = true;
}

/** The groups that a packet takes, and what they come to. */
class Choice {
  readonly groups: Group[] = [];
  /** Where the target stands that the group's extras point to; -1 where they are left out. */
  readonly targets: number[] = [];
  bytes = 0;
  answers = 0;
  extras = 0;
  truncated = false;
  readonly #maxBytes: number;
  /** Answers come first and extras after all of them: here the next answer stands. */
  #at: number;
  /** Made where it is needed: hardly any answer has the one or the other. */
  #seen: Set<Buffer> | undefined;
  #beside: Set<Section> | undefined;

  constructor(start: number, maxBytes: number) {
    this.#at = start;
    this.#maxBytes = maxBytes;
  }

  get beside(): Iterable<Section> {
    return this.#beside ?? NONE;
  }

  add(group: Group): void {
    const { answer, extras, beside } = group;
    const known = extras.length === 0 || this.#seen?.has(group.target) === true;
    const target = known ? -1 : this.#at + group.targetAt;
    const isNew = beside !== undefined && this.#beside?.has(beside) !== true;
    const besideBytes = isNew ? beside.records.length : 0;
    const extraBytes = (known ? 0 : bytesOfExtras(group, target)) + besideBytes;
    if (this.bytes + answer.length + extraBytes <= this.#maxBytes) {
      this.#take(group, target, extraBytes);
      if (isNew) this.#takeBeside(beside);
    } else if (this.groups.length === 0 && answer.length <= this.#maxBytes) {
      // What is beside an answer is a courtesy: a first answer without it is better than none.
      this.#take(group, -1, 0);
    } else this.truncated = true;
  }

  #takeBeside(beside: Section): void {
    this.#beside = (this.#beside ?? new Set()).add(beside);
    this.extras += beside.count;
  }

  #take(group: Group, target: number, extraBytes: number): void {
    this.groups.push(group);
    this.targets.push(target);
    this.answers += group.answerCount;
    this.bytes += group.answer.length + extraBytes;
    this.#at += group.answer.length;
    if (target < 0) return;
    this.#seen = (this.#seen ?? new Set()).add(group.target);
    this.extras += group.extras.length;
  }
}

function limitOf({ groups, limits }: DnsAnswer, { edns = 0 }: Request, room: Room): Limit {
  const all = limits.records > 0 ? Math.min(limits.records, groups.size) : groups.size;
  if (!room.udp || !limits.udp || edns > PLAIN_UDP_BYTES) return { groups: all, cuts: false };
  const udp = Math.min(room.udpAnswerLimit, MAX_UDP_ANSWERS);
  return { groups: Math.min(all, udp), cuts: udp < all };
}

function bytesOfExtras({ extras, target }: Group, at: number): number {
  const owner = canPointTo(at) ? 2 : target.length;
  let bytes = 0;
  for (const extra of extras) bytes += owner + extra.length;
  return bytes;
}

function writeExtras(packet: Buffer, group: Group, target: number, start: number): number {
  if (target < 0) return start;
  const owner = canPointTo(target) ? pointer(target) : group.target;
  let at = start;
  for (const extra of group.extras) {
    at = put(packet, owner, at);
    at = put(packet, extra, at);
  }
  return at;
}

interface Head {
  readonly answer: DnsAnswer;
  /** As much of the answer's as there is room for. */
  readonly additional: Section;
  readonly request: Request;
  readonly chosen: Choice;
  readonly room: Room;
}

function writeHead(packet: Buffer, { answer, additional, request, chosen, room }: Head): void {
  const { id, question, edns } = request;
  let flags: number = FLAG.QR | answer.rcode;
  if (answer.authoritative) flags |= FLAG.AA;
  if (answer.recursionAvailable) flags |= FLAG.RA;
  if (request.wantsRecursion) flags |= FLAG.RD;
  // Who gets nothing must not take that for an answer, whatever the configuration says.
  if (chosen.truncated && (room.saysTruncated || chosen.answers === 0)) flags |= FLAG.TC;
  packet.writeUInt16BE(id, 0);
  packet.writeUInt16BE(flags, 2);
  packet.writeUInt16BE(1, 4);
  packet.writeUInt16BE(chosen.answers, 6);
  packet.writeUInt16BE(answer.authority.count, 8);
  const opt = edns === undefined ? 0 : 1;
  packet.writeUInt16BE(chosen.extras + additional.count + opt, 10);
  put(packet, question, HEADER_BYTES);
}

/** Consul says back the size that was asked for. */
function writeOpt(packet: Buffer, at: number, udpBytes: number, rcode: number): void {
  packet.fill(0, at, at + OPT_BYTES);
  packet.writeUInt16BE(TYPE.OPT, at + 1);
  packet.writeUInt16BE(udpBytes, at + 3);
  packet.writeUInt8(rcode >> 4, at + 5);
}

/** An answer cut to its question: whoever really asked comes again over TCP. */
export function truncated(answer: Buffer): Buffer {
  let end = HEADER_BYTES;
  if (answer.readUInt16BE(4) > 0) {
    while (end < answer.length && answer[end] !== 0) end += (answer[end] as number) + 1;
    end += 5;
  }
  const packet = Buffer.from(answer.subarray(0, Math.min(end, answer.length)));
  packet.writeUInt16BE(answer.readUInt16BE(2) | FLAG.TC, 2);
  packet.fill(0, 6, HEADER_BYTES);
  return packet;
}

/** The answer to what cannot be answered: a header, and where that needs one an OPT. */
export function refusalPacket({ packet: asked, rcode }: Unanswerable): Buffer {
  const opt = rcode === RCODE.BADVERS;
  const packet = Buffer.alloc(HEADER_BYTES + (opt ? OPT_BYTES : 0));
  const kept = asked.readUInt16BE(2) & ~(FLAG.AA | FLAG.TC | FLAG.RA | 0xf);
  packet.writeUInt16BE(asked.readUInt16BE(0), 0);
  packet.writeUInt16BE(FLAG.QR | kept | (rcode & 0xf), 2);
  if (opt) {
    packet.writeUInt16BE(1, 10);
    writeOpt(packet, HEADER_BYTES, PLAIN_UDP_BYTES, rcode);
  }
  return packet;
}
