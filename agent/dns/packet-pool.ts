/**
 * Large packets of one answer, used more than once: to shuffle 100 instances anew for each client
 * costs much and spreads the clients no better than a few orders that take turns and are replaced.
 */
import type { Answer } from './answer.ts';
import { MAX_POOLED_BYTES, PACKET_USES, PLAIN_UDP_BYTES, POOLED_PACKETS } from './limits.ts';
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

export class PacketPool {
  /** By answer, then by transport and size asked for. */
  #rings = new WeakMap<Answer, Map<number, Ring>>();
  #bytes = 0;

  /** The next packet for this question; `encode` makes one where there is none to use again. */
  next(answer: Answer, request: Request, transport: Transport, encode: () => Buffer): Buffer {
    const plain = transport === 'udp' && (request.edns ?? 0) < MIN_BYTES;
    if (!answer.shuffled || plain) return encode();
    const ring = this.#ringOf(answer, transport === 'tcp' ? -1 : (request.edns ?? 0));
    const turn = ring.turn;
    ring.turn = (turn + 1) % POOLED_PACKETS;
    const slot = ring.slots[turn];
    if (slot !== undefined && slot.uses < PACKET_USES) {
      slot.uses++;
      return readdress(slot.packet, request);
    }
    const packet = encode();
    if (packet.length < MIN_BYTES) return packet;
    this.#account(packet.length - (slot?.packet.length ?? 0));
    ring.slots[turn] = { packet, uses: 1 };
    return packet;
  }

  #ringOf(answer: Answer, size: number): Ring {
    let rings = this.#rings.get(answer);
    if (rings === undefined) {
      rings = new Map();
      this.#rings.set(answer, rings);
    }
    let ring = rings.get(size);
    // A client that asks for another size each time gets its answers, but no memory of ours.
    if (ring === undefined) {
      if (rings.size >= MAX_SIZES) rings.clear();
      ring = { slots: new Array<Slot | undefined>(POOLED_PACKETS), turn: 0 };
      rings.set(size, ring);
    }
    return ring;
  }

  /** Answers that are gone take their packets along uncounted: so what is left is let go at once. */
  #account(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= MAX_POOLED_BYTES) return;
    this.#rings = new WeakMap();
    this.#bytes = 0;
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
