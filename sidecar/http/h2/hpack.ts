/**
 * Heads of HTTP/2 as they are on the wire (RFC 7541). What is read may refer to what came before; what is written
 * refers to nothing but what everybody knows, so that the same head is always the same bytes.
 */
import { type Fields, isFieldName, isFieldValue } from '../fields.ts';
import { huffmanText } from './huffman.ts';

/** What a table of it may hold, unless something else is said. */
const TABLE_BYTES = 4096;
/** What each entry takes beside its text, by the RFC. */
const ENTRY_BYTES = 32;

const STATIC: readonly (readonly [name: string, value: string])[] = [
  ...([
    [':authority', ''],
    [':method', 'GET'],
    [':method', 'POST'],
    [':path', '/'],
    [':path', '/index.html'],
    [':scheme', 'http'],
    [':scheme', 'https'],
  ] as const),
  ...['200', '204', '206', '304', '400', '404', '500'].map(
    (status) => [':status', status] as const,
  ),
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ...[
    ...[
      'accept-language',
      'accept-ranges',
      'accept',
      'access-control-allow-origin',
      'age',
      'allow',
    ],
    ...['authorization', 'cache-control', 'content-disposition', 'content-encoding'],
    ...['content-language', 'content-length', 'content-location', 'content-range', 'content-type'],
    ...['cookie', 'date', 'etag', 'expect', 'expires', 'from', 'host', 'if-match'],
    ...['if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'last-modified'],
    ...['link', 'location', 'max-forwards', 'proxy-authenticate', 'proxy-authorization', 'range'],
    ...['referer', 'refresh', 'retry-after', 'server', 'set-cookie', 'strict-transport-security'],
    ...['transfer-encoding', 'user-agent', 'vary', 'via', 'www-authenticate'],
  ].map((name) => [name, ''] as const),
];

interface Entry {
  readonly name: string;
  readonly value: string;
  /** It may not be sent on: HTTP/1.1 would read another head. */
  readonly isBad: boolean;
}

const STATIC_ENTRIES: readonly Entry[] = STATIC.map(([name, value]) => ({
  ...{ name, value },
  isBad: false,
}));

/** As it was said: names and values in turn, those with a colon too. */
export interface Block {
  readonly fields: Fields;
  /** As the RFC counts them. */
  readonly bytes: number;
  /** How many fields were read, those that are left out too. */
  readonly read: number;
  /** Undefined where it is well; else it is not to be taken. */
  readonly fault: 'malformed' | 'too large' | undefined;
}

/** Reads the heads of one connection, in the order in which they come. */
export class HpackReader {
  readonly #maxBytes: number;
  /** The newest last. Those before `first` have gone. */
  #entries: Entry[] = [];
  #first = 0;
  #bytes = 0;
  #capacity = TABLE_BYTES;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;
  #isBroken = false;

  /** `maxBytes`: of one head, as the RFC counts them. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Undefined where it cannot be read: then no other can be either. */
  read(block: Buffer): Block | undefined {
    const fields: string[] = [];
    [this.#block, this.#at] = [block, 0];
    let [bytes, read, isBad] = [0, 0, false];
    while (this.#at < block.length && !this.#isBroken) {
      const byte = block[this.#at] as number;
      if ((byte & 0xe0) === 0x20) {
        // How large a table is may be said before all else alone.
        if (read > 0) return undefined;
        this.#resize(this.#number(5));
        continue;
      }
      read++;
      const entry = this.#entry(byte);
      if (entry === undefined) return undefined;
      const { name, value } = entry;
      bytes += name.length + value.length + ENTRY_BYTES;
      isBad ||= entry.isBad;
      // The table has to be read to its end all the same.
      if (bytes <= this.#maxBytes) fields.push(name, value);
    }
    if (this.#isBroken) return undefined;
    if (bytes > this.#maxBytes) return { fields: [], bytes: 0, read, fault: 'too large' };
    return { fields, bytes, read, fault: isBad ? 'malformed' : undefined };
  }

  #entry(byte: number): Entry | undefined {
    if ((byte & 0x80) !== 0) return this.#known(this.#number(7));
    const isKept = (byte & 0x40) !== 0;
    const at = this.#number(isKept ? 6 : 4);
    const known = at === 0 ? undefined : this.#known(at);
    const name = at === 0 ? this.#text() : known?.name;
    const value = this.#text();
    if (name === undefined || value === undefined) return undefined;
    const isNew = known === undefined;
    const isBad = (isNew ? !isName(name) : known.isBad && !isName(name)) || !isValue(value);
    const entry = { name, value, isBad };
    if (isKept) this.#keep(entry);
    return entry;
  }

  #known(at: number): Entry | undefined {
    if (at <= STATIC_ENTRIES.length) return STATIC_ENTRIES[at - 1];
    const place = this.#entries.length - (at - STATIC_ENTRIES.length);
    return place < this.#first ? undefined : this.#entries[place];
  }

  #keep(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += sizeOf(entry);
    this.#fit();
  }

  #resize(bytes: number): void {
    if (bytes > TABLE_BYTES) this.#isBroken = true;
    else this.#capacity = bytes;
    this.#fit();
  }

  #fit(): void {
    while (this.#bytes > this.#capacity) {
      const oldest = this.#entries[this.#first++] as Entry;
      this.#bytes -= sizeOf(oldest);
    }
    // No more than twice what counts is kept.
    if (this.#first < 64 || this.#first * 2 < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }

  #number(prefix: number): number {
    const most = 2 ** prefix - 1;
    const first = (this.#block[this.#at++] ?? 0) & most;
    if (first < most) return first;
    let value = most;
    // No number here has more than 28 bits.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#block[this.#at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
    this.#isBroken = true;
    return 0;
  }

  #text(): string | undefined {
    const isCoded = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    if (this.#at >= this.#block.length) return undefined;
    const length = this.#number(7);
    const [from, to] = [this.#at, this.#at + length];
    if (this.#isBroken || to > this.#block.length) return undefined;
    this.#at = to;
    return isCoded ? huffmanText(this.#block, from, to) : this.#block.toString('latin1', from, to);
  }
}

function sizeOf({ name, value }: Entry): number {
  return name.length + value.length + ENTRY_BYTES;
}

/** RFC 9113, 8.2.1. */
function isName(name: string): boolean {
  return isFieldName(name.startsWith(':') ? name.slice(1) : name) && name === name.toLowerCase();
}

function isValue(value: string): boolean {
  return isFieldValue(value) && !/^[ \t]|[ \t]$/.test(value);
}

/** What stands before a value, for each name that everybody knows. */
const names = new Map<string, string>();
const wholes = new Map<string, string>();

for (const [i, [name, value]] of STATIC.entries()) {
  if (!names.has(name)) names.set(name, numbered(0x00, 4, i + 1));
  if (value !== '') wholes.set(`${name}\0${value}`, numbered(0x80, 7, i + 1));
}

/** Nothing is kept there: said first, it holds whatever the other side allows. */
export const NO_TABLE = '\x20';

/** As a string of bytes. */
export function blockOf(fields: Fields): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2)
    text += fieldText(fields[i] as string, fields[i + 1] as string);
  return text;
}

export function fieldText(name: string, value: string): string {
  const known = names.get(name);
  if (known === undefined) return `\0${lengthOf(name)}${name}${lengthOf(value)}${value}`;
  // Of most names no value is known.
  const whole = name.charCodeAt(0) === COLON ? wholes.get(`${name}\0${value}`) : undefined;
  return whole ?? `${known}${lengthOf(value)}${value}`;
}

const COLON = 0x3a;

function lengthOf(text: string): string {
  return text.length < 127 ? String.fromCharCode(text.length) : numbered(0, 7, text.length);
}

function numbered(pattern: number, prefix: number, value: number): string {
  const most = 2 ** prefix - 1;
  if (value < most) return String.fromCharCode(pattern | value);
  let text = String.fromCharCode(pattern | most);
  let left = value - most;
  while (left >= 128) {
    text += String.fromCharCode((left & 127) | 128);
    left >>= 7;
  }
  return text + String.fromCharCode(left);
}
