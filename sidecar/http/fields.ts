/** Header fields as a flat list: a name in lower case, its value, and so on. */
export type Fields = readonly string[];

export const NO_FIELDS: Fields = [];

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** A line end in a value would begin another field. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
const BAD_VALUE = /[\0-\x08\x0a-\x1f\x7f]|[^\0-\xff]/;

export function isFieldName(name: string): boolean {
  return TOKEN.test(name);
}

export function isFieldValue(value: string): boolean {
  return !BAD_VALUE.test(value);
}

/** All values of it as one, as RFC 9110 joins them; undefined where it is not there. */
export function fieldIn(fields: Fields, name: string): string | undefined {
  const values: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === name) values.push(fields[i + 1] as string);
  }
  return joinedAs(name, values);
}

export function joinedAs(name: string, values: readonly string[]): string | undefined {
  return values.length < 2 ? values[0] : values.join(name === 'cookie' ? '; ' : ', ');
}

/** What was said on the way from one to the next of those that pass a message on, and what is for its end. */
export interface Sorted {
  /** For its end. Neither the host nor what says how long the body is, nor anything of the connection. */
  readonly fields: string[];
  /** '' where it is not there. */
  readonly host: string;
  readonly hosts: number;
  /** '' where nobody says. */
  readonly length: string;
  readonly upgrade: string;
  readonly te: string;
  readonly connection: string;
  readonly keepAlive: string;
}

type Way = Pick<Sorted, 'host' | 'length' | 'upgrade' | 'te' | 'connection' | 'keepAlive'>;

/** RFC 9110, 7.6.1; and what only whoever reads the next bytes needs to know. '' where nobody here does. */
const OF_THE_WAY: ReadonlyMap<string, keyof Way | ''> = new Map([
  ['host', 'host'],
  ['content-length', 'length'],
  ['connection', 'connection'],
  ['upgrade', 'upgrade'],
  ['te', 'te'],
  ['keep-alive', 'keepAlive'],
  ...(
    ['proxy-connection', 'transfer-encoding', 'http2-settings', 'expect', 'trailer'] as const
  ).map((name) => [name, ''] as const),
]);

/** `raw`: names and values in turn, in any case; names of HTTP/2 that begin with a colon are left out. */
export function sorted(raw: readonly string[]): Sorted {
  const fields: string[] = [];
  const way = { host: '', length: '', upgrade: '', te: '', connection: '', keepAlive: '' };
  let [hosts, cookieAt] = [0, -1];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const value = raw[i + 1] as string;
    const place = OF_THE_WAY.get(name);
    if (place === undefined) cookieAt = added(fields, name, value, cookieAt);
    else if (place !== '') way[place] = joined(way[place], value);
    if (place === 'host') hosts++;
  }
  const named = tokensIn(way.connection).filter((name) => !OF_THE_WAY.has(name));
  const isPlain = named.every((name) => name === 'close');
  return { fields: isPlain ? fields : without(fields, new Set(named)), hosts, ...way };
}

/** RFC 9110, 6.5.1: said behind a body nobody has looked at it, and some programs put it among the headers. */
const NOT_BEHIND =
  /^(?:authorization|proxy.authorization|cookie2?|forwarded|x.forwarded.*|x.real.ip|content-.*|cache-control|expect|max-forwards|pragma|range|if-.*)$/;

/** What a caller says behind the body of a request. */
export function trailersIn(raw: readonly string[]): Fields {
  const { fields } = sorted(raw);
  const names = fields.filter((name, i) => i % 2 === 0 && NOT_BEHIND.test(name));
  return names.length === 0 ? fields : without(fields, new Set(names));
}

/** Where the value of its cookies is; -1 for nowhere. HTTP/2 has them in parts. */
function added(fields: string[], name: string, value: string, cookieAt: number): number {
  if (name.startsWith(':')) return cookieAt;
  const isCookie = name === 'cookie';
  if (isCookie && cookieAt >= 0) fields[cookieAt] = `${fields[cookieAt]}; ${value}`;
  else fields.push(name, value);
  return isCookie && cookieAt < 0 ? fields.length - 1 : cookieAt;
}

export function tokensIn(value: string): readonly string[] {
  if (value === '') return [];
  return value
    .toLowerCase()
    .split(',')
    .map(trimmed)
    .filter((each) => each !== '');
}

/** Without the spaces and tabs around it, and nothing else: bytes of UTF-8 end in what is a space as a sign of its own. */
export function trimmed(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (from < to && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

export function without(fields: Fields, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!names.has(fields[i] as string)) kept.push(fields[i] as string, fields[i + 1] as string);
  }
  return kept;
}

function joined(before: string, value: string): string {
  return before === '' ? value : `${before}, ${value}`;
}
