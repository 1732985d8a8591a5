/**
 * Config entries as people write them, by the tables of their kinds: names in any case and in
 * snake_case, a number for a text and the other way, a lone object for a list of one, as HCL has it.
 * What is wrong is said in Consul's words.
 */
import { durationComplaint, parseDuration } from '../duration.ts';
import { ProconsulError } from '../errors.ts';
import { boolComplaint, parseBool, quote } from '../go-literals.ts';
import { byName } from '../key-order.ts';
import { MAX_LISTED } from '../limits.ts';
import { type Field, type ScalarType, saysNothing, type Table, zeroOf } from './fields.ts';

type Plain = Readonly<Record<string, unknown>>;

/** What is wrong with an entry, as many faults as there are. */
interface Faults {
  readonly values: string[];
  readonly names: string[];
}

/** The fields of the table, in its order; those that say nothing are left out. Throws 'invalid'. */
export function decodeFields(table: Table, value: Plain): Record<string, unknown> {
  return decodeSome(table, value, 'closed');
}

/** 'open': names that nobody knows are passed over. */
export function decodeSome(table: Table, value: Plain, how: 'open' | 'closed') {
  const faults: Faults = { values: [], names: [] };
  const fields = struct(table, value, '', faults);
  const { values } = faults;
  const names = how === 'open' ? [] : faults.names;
  if (values.length > 0) {
    const told = values.sort().map((each) => `* ${each}`);
    throw invalid(`${values.length} error(s) decoding:\n\n${told.join('\n')}`);
  }
  if (names.length > 0) {
    const told = names.map((each) => `\t* ${each}\n`).join('');
    throw invalid(`${names.length} error${names.length === 1 ? '' : 's'} occurred:\n${told}\n`);
  }
  return fields;
}

function invalid(why: string): ProconsulError {
  return new ProconsulError('invalid', why);
}

/** The name without case and underscores. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll('_', '');
}

function struct(table: Table, value: Plain, at: string, faults: Faults): Record<string, unknown> {
  const given = new Map<string, unknown>();
  const known = new Map(Object.keys(table).map((name) => [plain(name), name]));
  const unknown: string[] = [];
  for (const [key, each] of Object.entries(value)) {
    const name = known.get(plain(key));
    // Of two spellings, the name itself counts.
    const isMeant = name !== undefined && (key === name || !Object.hasOwn(value, name));
    if (isMeant && !given.has(name)) given.set(name, each);
    else if (!isHere(key, each)) unknown.push(key);
  }
  const found: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(table)) {
    const came = given.has(name)
      ? decoded(field, given.get(name), within(at, name), faults)
      : zeroOf(field);
    if (field.always === true || !saysNothing(field, came)) found[name] = came;
  }
  faults.names.push(...unknown.map((key) => unknownName(within(at, key))));
  return found;
}

function within(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`;
}

/** Where it says whose part of a cluster it is in, and means the only one that there is. */
function isHere(key: string, value: unknown): boolean {
  const name = plain(key);
  if (name === 'partition' && value === 'default') return true;
  return ['namespace', 'partition', 'peer'].includes(name) && (value === '' || value === null);
}

function unknownName(path: string): string {
  const said = `invalid config key ${quote(path)}`;
  const isNamespace = plain(path.slice(path.lastIndexOf('.') + 1)) === 'namespace';
  return isNamespace ? `${said}, namespaces are a consul enterprise feature` : said;
}

const LISTS: ReadonlySet<Field['is']> = new Set(['list', 'texts', 'naturals']);

function decoded(field: Field, given: unknown, at: string, faults: Faults): unknown {
  if (given === null) return zeroOf(field);
  // A block of HCL is a list, for it may be repeated.
  const isLone = Array.isArray(given) && given.length === 1;
  const value = isLone && !LISTS.has(field.is) ? given[0] : given;
  switch (field.is) {
    case 'struct': {
      const object = objectOf(value, at, faults);
      return object === undefined ? null : struct(field.fields, object, at, faults);
    }
    case 'map':
      return mapOf(field.of, value, at, faults);
    case 'list':
      return listOf(value, at, faults).map((each, i) => {
        const place = `${at}[${i}]`;
        const object = each === null ? {} : objectOf(each, place, faults);
        return object === undefined ? null : struct(field.fields, object, place, faults);
      });
    case 'texts':
    case 'naturals': {
      const type = field.is === 'texts' ? 'text' : 'natural';
      return listOf(value, at, faults).map((each, i) => scalar(type, each, `${at}[${i}]`, faults));
    }
    case 'free': {
      const object = objectOf(value, at, faults);
      return object === undefined ? null : inOrder(object);
    }
    default:
      return scalar(field.is, value, at, faults);
  }
}

function objectOf(value: unknown, at: string, faults: Faults): Plain | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Plain;
  faults.values.push(`'${at}' expected a map, got '${goKind(value)}'`);
  return undefined;
}

function listOf(value: unknown, at: string, faults: Faults): readonly unknown[] {
  const all = Array.isArray(value) ? value : [value];
  if (all.length <= MAX_LISTED) return all;
  faults.values.push(`'${at}' has more than ${MAX_LISTED} members`);
  return [];
}

function mapOf(of: Field, value: unknown, at: string, faults: Faults): unknown {
  const all = Object.entries(objectOf(value, at, faults) ?? {});
  if (all.length > MAX_LISTED) {
    faults.values.push(`'${at}' has more than ${MAX_LISTED} names`);
    return null;
  }
  const empty = of.is === 'struct' ? {} : zeroOf(of);
  return byName(
    all.map(([key, each]) => {
      const came = each === null ? empty : decoded(of, each, `${at}[${key}]`, faults);
      return [key, came] as const;
    }),
  );
}

/** Go writes a map in the order of its names, at any depth. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return byName(Object.entries(value).map(([key, each]) => [key, inOrder(each)]));
}

function scalar(type: ScalarType, value: unknown, at: string, faults: Faults): unknown {
  const read = SCALARS[type](value);
  if (!('fault' in read)) return read.value;
  faults.values.push(
    read.fault === '' ? unconvertible(type, value, at) : read.fault.replace('%', at),
  );
  return zeroOf({ is: type });
}

const GO_TYPES: Readonly<Record<ScalarType, string>> = {
  text: 'string',
  namespace: 'string',
  flag: 'bool',
  whole: 'int',
  natural: 'uint32',
  fraction: 'float32',
  duration: 'time.Duration',
};

function unconvertible(type: ScalarType, value: unknown, at: string): string {
  const kind = Array.isArray(value) ? '[]interface {}' : goKind(value);
  const got = kind === 'map' ? 'map[string]interface {}' : kind;
  return `'${at}' expected type '${GO_TYPES[type]}', got unconvertible type '${got}'`;
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  if (typeof value === 'object') return 'map';
  if (typeof value === 'string') return 'string';
  return typeof value === 'boolean' ? 'bool' : 'float64';
}

/** What it came to, or what is wrong: '' is another type than anything could be made of. */
type Read = { readonly value: unknown } | { readonly fault: string };

/** A Consul that is given an archive with a larger one ends. */
const MAX_NATURAL = 2 ** 32 - 1;

const SCALARS: Readonly<Record<ScalarType, (value: unknown) => Read>> = {
  text: textOf,
  namespace(value) {
    const read = textOf(value);
    if ('fault' in read || read.value === '' || read.value === 'default') return read;
    return { fault: "'%' is of another namespace, and namespaces are a consul enterprise feature" };
  },
  flag(value) {
    if (typeof value === 'boolean') return { value };
    if (typeof value === 'number') return { value: value !== 0 };
    if (typeof value !== 'string') return { fault: '' };
    const read = value === '' ? false : parseBool(value);
    if (read !== undefined) return { value: read };
    return { fault: `cannot parse '%' as bool: ${boolComplaint(value)}` };
  },
  whole: (value) => wholeNumber(value, 'Int'),
  natural(value) {
    const read = wholeNumber(value, 'Uint');
    if ('fault' in read) return read;
    const number = Number(read.value);
    if (number >= 0 && number <= MAX_NATURAL) return read;
    return { fault: `cannot parse '%', ${number} overflows uint32` };
  },
  fraction(value) {
    if (typeof value === 'boolean') return { value: Number(value) };
    const number = typeof value === 'object' || value === '' ? Number.NaN : Number(value);
    if (Number.isFinite(number)) return { value: number };
    return typeof value === 'string'
      ? {
          fault: `cannot parse '%' as float: strconv.ParseFloat: parsing ${quote(value)}: invalid syntax`,
        }
      : { fault: '' };
  },
  duration(value) {
    if (typeof value !== 'string') return wholeNumber(value, 'Int');
    const ns = value === '' ? 0 : parseDuration(value);
    if (ns !== undefined) return { value: ns };
    return { fault: `error decoding '%': ${durationComplaint(value)}` };
  },
};

function textOf(value: unknown): Read {
  if (typeof value === 'boolean') return { value: value ? '1' : '0' };
  const isText = ['string', 'number', 'bigint'].includes(typeof value);
  return isText ? { value: String(value) } : { fault: '' };
}

function wholeNumber(value: unknown, parser: 'Int' | 'Uint'): Read {
  if (typeof value === 'boolean') return { value: Number(value) };
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  const isText = typeof value === 'string';
  if (!isNumber && !isText) return { fault: '' };
  const number = isText && !/^[+-]?\d+$/.test(value) ? Number.NaN : Math.trunc(Number(value));
  if (Number.isSafeInteger(number)) return { value: number + 0 };
  if (!isText) return { fault: `cannot parse '%', ${value} is out of range` };
  const parsing = `strconv.Parse${parser}: parsing ${quote(value)}: invalid syntax`;
  return { fault: `cannot parse '%' as ${parser.toLowerCase()}: ${parsing}` };
}
