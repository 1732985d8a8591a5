/**
 * A strict reader of DNS packets, written without the encoder under test: it fails on whatever a
 * resolver somewhere would fail on.
 */
import assert from 'node:assert/strict';

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

export function parsePacket(packet: Buffer): ParsedPacket {
  return new Parser(packet).parse();
}

class Parser {
  readonly #bytes: Buffer;
  #at = 12;

  constructor(bytes: Buffer) {
    assert(bytes.length >= 12, 'shorter than a header');
    this.#bytes = bytes;
  }

  parse(): ParsedPacket {
    const bytes = this.#bytes;
    const word = bytes.readUInt16BE(2);
    const [qd, an, ns, ar] = [4, 6, 8, 10].map((at) => bytes.readUInt16BE(at)) as [
      number,
      number,
      number,
      number,
    ];
    const times = <T>(n: number, read: () => T) => Array.from({ length: n }, read);
    const questions = times(qd, () => {
      const name = this.#name();
      const type = this.#u16();
      this.#u16();
      return { name, type };
    });
    const answers = times(an, () => this.#record());
    const authorities = times(ns, () => this.#record());
    const all = times(ar, () => this.#record());
    assert.equal(this.#at, bytes.length, 'bytes are left over');
    const options = all.filter(({ type }) => type === TYPE.OPT);
    assert(options.length <= 1, 'more than one OPT');
    const [option] = options;
    return {
      id: bytes.readUInt16BE(0),
      bytes: bytes.length,
      rcode: word & 15,
      flags: {
        qr: (word & 0x8000) !== 0,
        aa: (word & 0x0400) !== 0,
        tc: (word & 0x0200) !== 0,
        rd: (word & 0x0100) !== 0,
        ra: (word & 0x0080) !== 0,
      },
      questions,
      answers,
      authorities,
      additionals: all.filter((record) => record !== option),
      edns: option && { udpBytes: option.class, version: (option.ttl >> 16) & 255 },
    };
  }

  #u8(): number {
    assert(this.#at < this.#bytes.length, 'ends early');
    return this.#bytes.readUInt8(this.#at++);
  }

  #u16(): number {
    return this.#u8() * 256 + this.#u8();
  }

  #u32(): number {
    return this.#u16() * 65536 + this.#u16();
  }

  #name(): string {
    const labels: string[] = [];
    let at = this.#at;
    let end: number | undefined;
    let wireBytes = 1;
    for (;;) {
      const length = this.#bytes[at];
      assert(length !== undefined, 'a name runs out of the packet');
      if (length === 0) break;
      if (length >= 192) {
        const target = ((length & 63) << 8) | (this.#bytes[at + 1] ?? 0);
        assert(target < at, `a pointer at ${at} does not point back`);
        assert(target >= 12, 'a pointer into the header');
        end ??= at + 2;
        at = target;
        continue;
      }
      assert(length < 64, 'a label of an unknown kind');
      const label = this.#bytes.subarray(at + 1, at + 1 + length);
      assert.equal(label.length, length, 'a label runs out of the packet');
      labels.push(label.toString('latin1'));
      wireBytes += length + 1;
      assert(wireBytes <= 255, 'a name is longer than 255 bytes');
      at += length + 1;
    }
    this.#at = end ?? at + 1;
    return `${labels.join('.')}.`;
  }

  #record(): ParsedRecord {
    const name = this.#name();
    const [type, classOf, ttl, length] = [this.#u16(), this.#u16(), this.#u32(), this.#u16()];
    const end = this.#at + length;
    assert(end <= this.#bytes.length, 'record data runs out of the packet');
    const data = this.#data(type, end);
    assert.equal(this.#at, end, `data of type ${type} has another length than it says`);
    return { name, type, class: classOf, ttl, data };
  }

  #data(type: number, end: number): string {
    if (type === TYPE.A) return [this.#u8(), this.#u8(), this.#u8(), this.#u8()].join('.');
    if (type === TYPE.AAAA) {
      return Array.from({ length: 8 }, () => this.#u16().toString(16)).join(':');
    }
    if (type === TYPE.SRV) {
      return `${this.#u16()} ${this.#u16()} ${this.#u16()} ${this.#name()}`;
    }
    if (type === TYPE.CNAME || type === TYPE.NS || type === TYPE.PTR) return this.#name();
    if (type === TYPE.SOA) {
      const names = `${this.#name()} ${this.#name()}`;
      return [names, ...Array.from({ length: 5 }, () => this.#u32())].join(' ');
    }
    if (type === TYPE.TXT) return this.#texts(end);
    const rest = this.#bytes.subarray(this.#at, end).toString('hex');
    this.#at = end;
    return rest;
  }

  #texts(end: number): string {
    assert(this.#at < end, 'a TXT without a text');
    const texts: string[] = [];
    while (this.#at < end) {
      const length = this.#u8();
      texts.push(this.#bytes.subarray(this.#at, this.#at + length).toString('utf8'));
      this.#at += length;
    }
    return texts.map((text) => JSON.stringify(text)).join(' ');
  }
}
