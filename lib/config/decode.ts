/** From what a file or the command line says, of any shape, to what the keys allow. */
import { ProconsulError } from '../errors.ts';
import { errorList } from './problems.ts';
import {
  type Decoded,
  int,
  isList,
  isRow,
  isTree,
  type Keys,
  type Kind,
  type Tree,
  text,
} from './row.ts';

/** What stands under each name of a kind `addresses`. */
const ADDRESS_KEYS: Keys = { address: text(), port: int() };

/** What was wrong, and what will be of no use; gathered, so that one start tells all of it. */
class Findings {
  readonly mismatches: string[] = [];
  readonly unknownKeys: string[] = [];
  readonly newerKeys: string[] = [];
}

export interface DecodeResult<K> {
  readonly value: Decoded<K>;
  /** Paths of keys that only a later Consul knows. */
  readonly newerKeys: readonly string[];
}

/**
 * Checks `input` against the keys and gives it their canonical names. Refuses keys that are not
 * known, naming all of them. `source` is the file's name, for the message.
 */
export function decode<K extends Keys>(input: unknown, keys: K, source: string): DecodeResult<K> {
  const findings = new Findings();
  const value = decodeObject(input, keys, '', findings);
  const { mismatches, unknownKeys, newerKeys } = findings;
  if (mismatches.length > 0) {
    const lines = mismatches.map((line) => `* ${line}`).join('\n');
    throw refusal(source, `${mismatches.length} error(s) decoding:\n\n${lines}`);
  }
  if (unknownKeys.length > 0) {
    throw refusal(source, errorList(unknownKeys.map((key) => `invalid config key ${key}`)));
  }
  return { value: value as Decoded<K>, newerKeys };
}

export function refusal(source: string, reason: string): ProconsulError {
  return new ProconsulError('invalid', `failed to parse ${source}: ${reason}`);
}

function decodeObject(input: unknown, keys: Keys, path: string, findings: Findings): Tree {
  // HCL writes a block as a list of one object, and so may JSON.
  const object = Array.isArray(input) && input.length === 1 ? input[0] : input;
  if (!isTree(object)) {
    findings.mismatches.push(`'${path}' expected a map, got '${goKind(object)}'`);
    return {};
  }
  const byFolded = foldedKeys(keys);
  const seen = new Set<string>();
  const entries: [string, unknown][] = [];
  // What is spelt exactly goes before what only sounds like it: {server, Server} is one too many.
  const spellings = Object.keys(object).sort((a, b) => exactness(keys, a) - exactness(keys, b));
  for (const spelling of spellings) {
    const key = byFolded.get(fold(spelling));
    const at = path === '' ? spelling : `${path}.${spelling}`;
    if (key === undefined || seen.has(key)) {
      findings.unknownKeys.push(at);
      continue;
    }
    seen.add(key);
    const value = decodeValue(object[spelling], keys[key], at, findings);
    if (value !== undefined) entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

function exactness(keys: Keys, spelling: string): number {
  return Object.hasOwn(keys, spelling) ? 0 : 1;
}

/** Consul takes `ID` and `ServiceID` for `id` and `service_id`. */
function fold(key: string): string {
  return key.toLowerCase().replaceAll('_', '');
}

const foldedByKeys = new WeakMap<Keys, ReadonlyMap<string, string>>();

function foldedKeys(keys: Keys): ReadonlyMap<string, string> {
  let folded = foldedByKeys.get(keys);
  if (folded === undefined) {
    folded = new Map(Object.keys(keys).map((key) => [fold(key), key]));
    foldedByKeys.set(keys, folded);
  }
  return folded;
}

function decodeValue(
  input: unknown,
  row: Keys[string] | undefined,
  path: string,
  findings: Findings,
): unknown {
  if (input === null || input === undefined || row === undefined) return undefined;
  if (isRow(row)) return decodeRow(input, row.kind, path, findings);
  if (!isList(row)) return decodeObject(input, row, path, findings);
  return decodeList(input, path, findings).map((each, i) =>
    decodeValue(each, row[0], `${path}[${i}]`, findings),
  );
}

function decodeRow(input: unknown, kind: Kind, path: string, findings: Findings): unknown {
  switch (kind) {
    case 'newer':
      findings.newerKeys.push(path);
      return undefined;
    case 'tree':
      return decodeTree(input, path, findings);
    case 'trees':
      return decodeList(input, path, findings).map((each, i) =>
        decodeTree(each, `${path}[${i}]`, findings),
      );
    case 'strings':
      return decodeStrings(input, path, findings);
    case 'map':
      return decodeMap(input, path, findings, (value, at) =>
        decodeScalar(value, 'string', at, findings),
      );
    case 'lists':
      return decodeMap(input, path, findings, (value, at) => decodeStrings(value, at, findings));
    case 'addresses':
      return decodeMap(input, path, findings, (value, at) =>
        decodeObject(value, ADDRESS_KEYS, at, findings),
      );
    default:
      return decodeScalar(input, kind, path, findings);
  }
}

type Scalar = 'bool' | 'string' | 'int' | 'float' | 'duration';

const GO_TYPES: Readonly<Record<Scalar, string>> = {
  bool: 'bool',
  string: 'string',
  duration: 'string',
  int: 'int',
  float: 'float64',
};

function decodeScalar(input: unknown, kind: Scalar, path: string, findings: Findings): unknown {
  const value = Array.isArray(input) && input.length === 1 ? input[0] : input;
  const wanted = kind === 'int' || kind === 'float' ? 'number' : GO_TYPES[kind];
  const got = typeof value === 'boolean' ? 'bool' : typeof value;
  if (got !== wanted) {
    findings.mismatches.push(
      `'${path}' expected type '${GO_TYPES[kind]}', got unconvertible type '${goType(value)}'`,
    );
    return undefined;
  }
  if (!isUsableNumber(kind, value)) {
    findings.mismatches.push(`'${path}' expected type '${GO_TYPES[kind]}', got '${value}'`);
    return undefined;
  }
  return value;
}

function isUsableNumber(kind: Scalar, value: unknown): boolean {
  if (kind === 'int') return Number.isSafeInteger(value);
  return kind !== 'float' || Number.isFinite(value);
}

function decodeList(input: unknown, path: string, findings: Findings): readonly unknown[] {
  if (Array.isArray(input)) return input;
  findings.mismatches.push(
    `'${path}': source data must be an array or slice, got ${goKind(input)}`,
  );
  return [];
}

function decodeStrings(input: unknown, path: string, findings: Findings): readonly unknown[] {
  return decodeList(input, path, findings).map((value, i) =>
    decodeScalar(value, 'string', `${path}[${i}]`, findings),
  );
}

function decodeMap(
  input: unknown,
  path: string,
  findings: Findings,
  decodeItem: (value: unknown, path: string) => unknown,
): Tree {
  const map = decodeTree(input, path, findings);
  return Object.fromEntries(
    Object.entries(map)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, decodeItem(value, `${path}[${key}]`)]),
  );
}

function decodeTree(input: unknown, path: string, findings: Findings): Tree {
  const tree = Array.isArray(input) && input.length === 1 ? input[0] : input;
  if (isTree(tree)) return tree;
  findings.mismatches.push(`'${path}' expected a map, got '${goKind(tree)}'`);
  return {};
}

/** The name that Go gives to the type of a value read from JSON. */
function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  return isTree(value) ? 'map[string]interface {}' : goKind(value);
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'slice';
  if (isTree(value)) return 'map';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' || typeof value === 'bigint') return 'float64';
  return typeof value;
}
