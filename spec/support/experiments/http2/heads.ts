/** Heads in all the ways in which HPACK lets them be written: by tables, by Huffman's code, in parts. */
import type { Random } from '../../../../lib/random.ts';
import { codes } from '../../../../sidecar/http/h2/huffman.ts';
import { among, chance } from './chance.ts';

/** Some that everybody knows, by their places. */
const KNOWN: ReadonlyMap<string, number> = new Map([
  [':method GET', 2],
  [':method POST', 3],
  [':path /', 4],
  [':scheme http', 6],
  [':status 200', 8],
  [':status 404', 13],
  ['accept-encoding gzip, deflate', 16],
]);
const NAMES: ReadonlyMap<string, number> = new Map([
  ...([
    [':authority', 1],
    [':method', 2],
    [':path', 4],
    [':scheme', 6],
    [':status', 8],
    ['accept', 19],
    ['content-length', 28],
    ['content-type', 31],
    ['cookie', 32],
    ['user-agent', 58],
  ] as const),
]);
const STATIC_ENTRIES = 61;
const MAX_TABLE = 4096;

const CODES = new Map([...codes()].map(({ symbol, code, length }) => [symbol, { code, length }]));

/** Of one connection: its table is what the other side has by then. */
export class HeadWriter {
  readonly #random: Random;
  readonly #isCoded: boolean;
  #entries: (readonly [string, string])[] = [];
  #capacity = MAX_TABLE;
  #said = MAX_TABLE;

  constructor(random: Random) {
    this.#random = random;
    this.#isCoded = chance(random, 0.6);
  }

  /** From the next head on. */
  resize(bytes: number): void {
    this.#capacity = bytes;
    this.#fit();
  }

  block(fields: readonly string[]): Buffer {
    const parts: Buffer[] = [];
    if (this.#said !== this.#capacity) {
      this.#said = this.#capacity;
      parts.push(numbered(0x20, 5, this.#capacity));
    }
    for (let i = 0; i < fields.length; i += 2)
      parts.push(this.#field(fields[i] as string, fields[i + 1] as string));
    return Buffer.concat(parts);
  }

  #field(name: string, value: string): Buffer {
    const random = this.#random;
    const known = KNOWN.get(`${name} ${value}`);
    if (known !== undefined && chance(random, 0.8)) return numbered(0x80, 7, known);
    const at = this.#entries.findIndex(([n, v]) => n === name && v === value);
    if (at >= 0 && chance(random, 0.9)) return numbered(0x80, 7, STATIC_ENTRIES + 1 + at);
    const named = this.#entries.findIndex(([n]) => n === name);
    const place = NAMES.get(name) ?? (named < 0 ? 0 : STATIC_ENTRIES + 1 + named);
    const how = among(random, ['kept', 'kept', 'once', 'never'] as const);
    const begins = { kept: () => numbered(0x40, 6, place), once: () => numbered(0, 4, place) };
    const begin = how === 'never' ? numbered(0x10, 4, place) : begins[how]();
    const text =
      place === 0 ? Buffer.concat([this.#text(name), this.#text(value)]) : this.#text(value);
    if (how === 'kept') {
      this.#entries.unshift([name, value]);
      this.#fit();
    }
    return Buffer.concat([begin, text]);
  }

  #fit(): void {
    let bytes = 0;
    const kept = this.#entries.findIndex(([name, value]) => {
      bytes += name.length + value.length + 32;
      return bytes > this.#capacity;
    });
    if (kept >= 0) this.#entries = this.#entries.slice(0, kept);
  }

  #text(text: string): Buffer {
    const plain = Buffer.from(text, 'latin1');
    if (!this.#isCoded || chance(this.#random, 0.3))
      return Buffer.concat([numbered(0, 7, plain.length), plain]);
    const coded = huffman(plain);
    return Buffer.concat([numbered(0x80, 7, coded.length), coded]);
  }
}

export function numbered(pattern: number, prefix: number, value: number): Buffer {
  const most = 2 ** prefix - 1;
  if (value < most) return Buffer.from([pattern | value]);
  const bytes = [pattern | most];
  let left = value - most;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}

function huffman(plain: Buffer): Buffer {
  let bits = '';
  for (const byte of plain) {
    const { code, length } = CODES.get(byte) as { code: number; length: number };
    bits += (code >>> 0).toString(2).padStart(length, '0');
  }
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  return Buffer.from((padded.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
