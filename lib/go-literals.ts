/** Values as Go writes and reads them, since Consul hands a filter's values to Go's strconv. */
import { SIMPLE_ESCAPES } from './simple-escapes.ts';

const ESCAPE_OF: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(SIMPLE_ESCAPES).map(([name, c]) => [c, `\\${name}`])),
  '"': '\\"',
};
const PART =
  /[^\\\n]+|\\(?:([abfnrtv\\])|x([\da-fA-F]{2})|([0-3][0-7]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))/y;
const LAST_CODE_POINT = 0x10ffff;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** The text of a literal with its quotes (double quotes or back-ticks); undefined if it is none. */
export function unquote(literal: string): string | undefined {
  const body = literal.slice(1, -1);
  // Go drops carriage returns from what stands between back-ticks.
  if (literal.startsWith('`')) return body.replaceAll('\r', '');
  return /[\\\n]/.test(body) ? readEscapes(body) : body;
}

function readEscapes(body: string): string | undefined {
  // Bytes, since \xc3\xa9 are two escapes and one character.
  const bytes: Buffer[] = [];
  let at = 0;
  while (at < body.length) {
    PART.lastIndex = at;
    const part = PART.exec(body);
    const chunk = part === null ? undefined : bytesOf(part);
    if (chunk === undefined) return undefined;
    bytes.push(chunk);
    at = PART.lastIndex;
  }
  return Buffer.concat(bytes).toString();
}

function bytesOf(part: RegExpExecArray): Buffer | undefined {
  const [whole, simple, hexByte, octalByte, shortPoint, longPoint] = part;
  if (simple !== undefined) return Buffer.from(SIMPLE_ESCAPES[simple] ?? '');
  if (hexByte !== undefined) return Buffer.from([Number.parseInt(hexByte, 16)]);
  if (octalByte !== undefined) return Buffer.from([Number.parseInt(octalByte, 8)]);
  const point = shortPoint ?? longPoint;
  if (point === undefined) return Buffer.from(whole);
  const code = Number.parseInt(point, 16);
  return code > LAST_CODE_POINT ? undefined : Buffer.from(String.fromCodePoint(code));
}

/** As Go's %q: what stands in Consul's error texts. */
export function quote(text: string): string {
  return `"${Array.from(text, quoteCharacter).join('')}"`;
}

function quoteCharacter(c: string): string {
  const escaped = ESCAPE_OF[c];
  if (escaped !== undefined) return escaped;
  if (PRINTABLE.test(c)) return c;
  const code = c.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

const INTEGER =
  /^([+-]?)(0x(?:_?[0-9a-f])+|0b(?:_?[01])+|0o(?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/i;
const OLD_OCTAL = /^0(?=[0-7])/;

/** Go's strconv.ParseInt(text, 0, 64): a bigint only where a number would not be exact. */
export function parseInteger(
  text: string,
): number | bigint | 'invalid syntax' | 'value out of range' {
  const parts = INTEGER.exec(text);
  if (parts === null) return 'invalid syntax';
  const size = BigInt((parts[2] ?? '').replaceAll('_', '').replace(OLD_OCTAL, '0o'));
  const integer = parts[1] === '-' ? -size : size;
  if (BigInt.asIntN(64, integer) !== integer) return 'value out of range';
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false] as const),
]);

/** Go's strconv.ParseBool; undefined when it is none. */
export function parseBool(text: string): boolean | undefined {
  return BOOLEANS.get(text);
}

/** What Go says of a text that is no boolean. */
export function boolComplaint(text: string): string {
  return `strconv.ParseBool: parsing ${quote(text)}: invalid syntax`;
}

/** What Go's Atoi says of a text that is no whole number. */
export function integerComplaint(text: string): string {
  return `strconv.Atoi: parsing ${quote(text)}: invalid syntax`;
}

const MAX_UINT64 = 2n ** 64n - 1n;
const MAX_UINT64_DIGITS = 20;

/** What Go says of a text that is no u64; undefined when it is one. */
export function uint64Complaint(text: string): string | undefined {
  const parsing = `strconv.ParseUint: parsing ${quote(text)}`;
  if (!/^\d+$/.test(text)) return `${parsing}: invalid syntax`;
  const digits = text.replace(/^0+(?=\d)/, '');
  const fits = digits.length <= MAX_UINT64_DIGITS && BigInt(digits) <= MAX_UINT64;
  return fits ? undefined : `${parsing}: value out of range`;
}
