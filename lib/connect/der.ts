/** DER, as far as certificates of services and requests for them need it. */
import { ProconsulError } from '../errors.ts';

/** The first byte of an element. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  printable: 0x13,
  utcTime: 0x17,
  generalTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Of a part that the context gives a meaning: made of elements, or a bare value. */
export const constructed = (part: number) => 0xa0 | part;
export const bare = (part: number) => 0x80 | part;

/** Lengths have two bytes at most: nothing that is written or read here is as long. */
const MAX_LENGTH = 0xffff;
const LONG_FORM = 0x80;

export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, each) => sum + each.length, 0);
  if (length > MAX_LENGTH) throw new ProconsulError('invalid', 'too long for a certificate');
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(length)]), ...contents]);
}

function lengthBytes(length: number): readonly number[] {
  if (length < LONG_FORM) return [length];
  return length <= 0xff ? [LONG_FORM + 1, length] : [LONG_FORM + 2, length >> 8, length & 0xff];
}

export function sequence(...contents: readonly Uint8Array[]): Buffer {
  return der(TAG.sequence, ...contents);
}

/** 2.5.29.17. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(inSevens)]));
}

function inSevens(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}

/** Of a number that is not negative. */
export function integer(value: number): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const isNegative = ((bytes[0] ?? 0) & 0x80) !== 0;
  return der(TAG.integer, isNegative ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

/** Whole bytes alone. */
export function bits(bytes: Uint8Array): Buffer {
  return der(TAG.bits, Buffer.from([0]), bytes);
}

const ISO_PUNCTUATION = /[-:T]|\.\d+/g;

/** To the second; years from 2050 on need the long form. */
export function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(ISO_PUNCTUATION, '');
  const isShort = text >= '1950' && text < '2050';
  return isShort
    ? der(TAG.utcTime, Buffer.from(text.slice(2)))
    : der(TAG.generalTime, Buffer.from(text));
}

export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** With its head. */
  readonly whole: Buffer;
}

/**
 * Reads elements that stand one behind another. Strangers have written them: each length is held against
 * what is there, there is one way to write it, and what is left over at the end is an error.
 */
export class DerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Throws 'invalid' where there is none, or one of another kind. */
  next(wanted?: number): Element {
    const start = this.#at;
    const tag = this.#byte();
    const isLongTag = (tag & 0x1f) === 0x1f;
    if (isLongTag || (wanted !== undefined && tag !== wanted)) throw malformed();
    const length = this.#length();
    const from = this.#at;
    const end = from + length;
    if (end > this.#bytes.length) throw malformed();
    this.#at = end;
    return {
      tag,
      content: this.#bytes.subarray(from, end),
      whole: this.#bytes.subarray(start, end),
    };
  }

  isNext(tag: number): boolean {
    return this.#bytes[this.#at] === tag;
  }

  /** What the next element is made of. */
  inside(tag: number): DerReader {
    return new DerReader(this.next(tag).content);
  }

  /** All elements that are left. */
  *rest(tag?: number): Generator<Element> {
    while (!this.isAtEnd) yield this.next(tag);
  }

  end(): void {
    if (!this.isAtEnd) throw malformed();
  }

  #length(): number {
    const first = this.#byte();
    if (first < LONG_FORM) return first;
    const count = first - LONG_FORM;
    if (count !== 1 && count !== 2) throw malformed();
    const length = count === 1 ? this.#byte() : this.#byte() * 0x100 + this.#byte();
    const isShortest = length >= (count === 1 ? LONG_FORM : 0x100);
    if (!isShortest) throw malformed();
    return length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw malformed();
    return byte;
  }
}

export function malformed(): ProconsulError {
  return new ProconsulError('invalid', 'malformed DER');
}
