/**
 * An answer before it is a packet: its records are encoded once, and each packet takes as many of
 * them, in an order of its own, as it has room for.
 */

/** A record of the additional section whose owner is the target of its group. */
export type Extra = Buffer;

/** Records that are taken or left together. */
export interface Group {
  /** For the answer section, owners and all. */
  readonly answer: Buffer;
  readonly answerCount: number;
  /** The name in `answer`, at `targetAt`, that the extras belong to; the same name only once. */
  readonly target: Buffer;
  readonly targetAt: number;
  /** Without their owners. */
  readonly extras: readonly Extra[];
  /** Records of another name that go with it; the same ones only once. */
  readonly beside?: Section;
}

/** Records with their owners. */
export interface Section {
  readonly records: Buffer;
  readonly count: number;
}

export const EMPTY: Section = { records: Buffer.alloc(0), count: 0 };

/** How many records the answer section may hold. */
export interface AnswerLimits {
  /** Over UDP without EDNS, in all: dns_config.udp_answer_limit. */
  readonly udp: boolean;
  /** Always: dns_config.a_record_limit; 0 for no limit. */
  readonly records: number;
}

export interface DnsAnswer {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly recursionAvailable: boolean;
  readonly groups: Groups;
  /** Each packet has an order of its own, so that clients spread over the instances. */
  readonly shuffled: boolean;
  readonly limits: AnswerLimits;
  readonly authority: Section;
  readonly additional: Section;
}

/** Encodes a group when a packet first takes it: of 5,000 instances most packets take three. */
export class Groups {
  readonly #make: (i: number) => Group;
  readonly #made: (Group | undefined)[];
  readonly #order: Uint32Array;

  constructor(count: number, make: (i: number) => Group) {
    this.#make = make;
    this.#made = new Array(count);
    this.#order = Uint32Array.from({ length: count }, (_, i) => i);
  }

  static of(groups: readonly Group[]): Groups {
    return new Groups(groups.length, (i) => groups[i] as Group);
  }

  get size(): number {
    return this.#order.length;
  }

  /** The i-th group in the current order. */
  at(i: number): Group {
    const index = this.#order[i] as number;
    let group = this.#made[index];
    if (group === undefined) {
      group = this.#make(index);
      this.#made[index] = group;
    }
    return group;
  }

  /**
   * Puts any of the groups from `i` on into place `i`: step by step this is a shuffle, and who
   * stops early has paid for no more than was needed.
   */
  draw(i: number, chance: number): void {
    const j = i + Math.floor(chance * (this.#order.length - i));
    const taken = this.#order[j] as number;
    this.#order[j] = this.#order[i] as number;
    this.#order[i] = taken;
  }
}

const NO_GROUPS = Groups.of([]);
const NO_LIMITS: AnswerLimits = { udp: false, records: 0 };

/** An answer from what is not as usual in it. */
export function answerOf(parts: Partial<DnsAnswer>): DnsAnswer {
  return {
    rcode: 0,
    authoritative: true,
    recursionAvailable: false,
    groups: NO_GROUPS,
    shuffled: false,
    limits: NO_LIMITS,
    authority: EMPTY,
    additional: EMPTY,
    ...parts,
  };
}

/** Records of the answer section that have nothing with them. */
export function plainGroup(...records: readonly Buffer[]): Group {
  return {
    answer: records.length === 1 ? (records[0] as Buffer) : Buffer.concat(records),
    answerCount: records.length,
    target: NO_TARGET,
    targetAt: -1,
    extras: [],
  };
}

const NO_TARGET = Buffer.alloc(0);

export function section(records: readonly Buffer[]): Section {
  return { records: Buffer.concat(records), count: records.length };
}
