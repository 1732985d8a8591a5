/**
 * Large packets of one answer, used more than once: to shuffle 100 instances anew for each client
 * costs much and spreads the clients no better than a few orders that take turns and are replaced.
 */
import type { DnsAnswer } from './answer.ts';
import { PACKET_USES, PLAIN_UDP_BYTES, POOLED_PACKETS } from './limits.ts';
import type { Transport } from './recursors.ts';
import type { Request } from './request.ts';
import { FLAG, HEADER_BYTES } from './wire.ts';

/** A smaller packet is made quickly, and holds too few of the instances to be said twice. */
const MIN_BYTES = PLAIN_UDP_BYTES + 1;

/** Sizes that are asked for in earnest: 1232, 1280, 1400, 4096, 8192, and TCP. */
const MAX_SIZES = 8;

interface Slot {
  readonly packet: Buffer;
  uses: number;
}

interface Ring {
  readonly slots: (Slot | undefined)[];
  turn: number;
}

/** It belongs to whoever keeps the answer, who accounts for it and lets both go together. */
export class PacketPool {
  readonly #answer: DnsAnswer;
  /** By transport and size asked for. */
  readonly #rings = new Map<number, Ring>();
  #bytes = 0;

  constructor(answer: DnsAnswer) {
    this.#answer = answer;
  }

  /** Of the packets that it keeps. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The next packet for this question; `encode` makes one where there is none to use again. */
  next(request: Request, transport: Transport, encode: () => Buffer): Buffer {
    const plain = transport === 'udp' && (request.edns ?? 0) < MIN_BYTES;
    if (!this.#answer.shuffled || plain) return encode();
    const ring = this.#ringOf(transport === 'tcp' ? -1 : (request.edns ?? 0));
    const turn = ring.turn;
    ring.turn = (turn + 1) % POOLED_PACKETS;
    const slot = ring.slots[turn];
    if (slot !== undefined && slot.uses < PACKET_USES) {
      slot.uses++;
      return readdress(slot.packet, request);
    }
    const packet = encode();
    if (packet.length < MIN_BYTES) return packet;
    this.#bytes += packet.length - (slot?.packet.length ?? 0);
    ring.slots[turn] = { packet, uses: 1 };
    return packet;
  }

  #ringOf(size: number): Ring {
    let ring = this.#rings.get(size);
    if (ring !== undefined) return ring;
    // A client that asks for another size each time gets its answers, but no memory of ours.
    if (this.#rings.size >= MAX_SIZES) {
      this.#rings.clear();
      this.#bytes = 0;
    }
    ring = { slots: new Array<Slot | undefined>(POOLED_PACKETS), turn: 0 };
    this.#rings.set(size, ring);
    return ring;
  }
}

/** The same packet for another client: its id, its case, and whether it wants recursion. */
function readdress(packet: Buffer, { id, question, wantsRecursion }: Request): Buffer {
  const copy = Buffer.allocUnsafe(packet.length);
  packet.copy(copy);
  copy.writeUInt16BE(id, 0);
  const flags = packet.readUInt16BE(2) & ~FLAG.RD;
  copy.writeUInt16BE(wantsRecursion ? flags | FLAG.RD : flags, 2);
  question.copy(copy, HEADER_BYTES);
  return copy;
}
