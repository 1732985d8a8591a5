import { type FlagTable, parseValue, scanFlags } from '../lib/config/flags.ts';
import { NS_PER_MS, parseDuration } from '../lib/duration.ts';
import { ProconsulError } from '../lib/errors.ts';

/** The flags that were given, by name. */
export interface FlagValues {
  has(name: string): boolean;
  /** The last one; '' when there is none. */
  text(name: string): string;
  isSet(name: string): boolean;
  all(name: string): readonly string[];
}

/** Throws what Go's flag package prints for a flag that is unknown or whose value is no good. */
export function readFlags(
  argv: readonly string[],
  table: FlagTable,
): { flags: FlagValues; args: readonly string[] } {
  const { given, rest } = scanFlags(argv, table);
  const values = new Map<string, string[]>();
  for (const each of given) {
    const before = values.get(each.name) ?? [];
    values.set(each.name, [...before, String(parseValue(table, each))]);
  }
  return { flags: valuesOf(values), args: rest };
}

/** As if they had been given so, each once. */
export function flagsOf(given: readonly (readonly [string, string])[]): FlagValues {
  return valuesOf(new Map(given.map(([name, value]) => [name, [value]])));
}

function valuesOf(values: ReadonlyMap<string, readonly string[]>): FlagValues {
  return {
    has: (name) => values.has(name),
    text: (name) => values.get(name)?.at(-1) ?? '',
    isSet: (name) => values.get(name)?.at(-1) === 'true',
    all: (name) => values.get(name) ?? [],
  };
}

const MAX_UINT64 = 2n ** 64n - 1n;

/** A flag of 64 bits, 0 where it was not given. Throws ProconsulError 'invalid'. */
export function readUint(flags: FlagValues, name: string): bigint {
  const text = flags.text(name);
  if (!flags.has(name)) return 0n;
  const value = /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
  if (value !== undefined && value <= MAX_UINT64) return value;
  const complaint = `invalid value ${JSON.stringify(text)} for flag -${name}: parse error`;
  throw new ProconsulError('invalid', complaint);
}

/** Milliseconds. Throws ProconsulError 'invalid' as Go's flag package says it, for a negative one too. */
export function durationFlag(flags: FlagValues, name: string, otherwise: string): number {
  const text = flags.text(name) || otherwise;
  const ns = parseDuration(text);
  if (ns !== undefined && ns >= 0) return ns / NS_PER_MS;
  const complaint = `invalid value ${JSON.stringify(text)} for flag -${name}: parse error`;
  throw new ProconsulError('invalid', complaint);
}

/** The two halves of `-flag=key=value`. Throws ProconsulError 'invalid' where there is one. */
export function splitPair(flag: string, text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at >= 0) return [text.slice(0, at), text.slice(at + 1)];
  const why = `Missing "=" value in argument: ${text}`;
  throw new ProconsulError(
    'invalid',
    `invalid value ${JSON.stringify(text)} for flag -${flag}: ${why}`,
  );
}

/** Each `-node-meta=key=value` as the HTTP API takes it: node-meta=key:value. */
export function nodeMetaQuery(flags: FlagValues): readonly (readonly [string, string])[] {
  return flags.all('node-meta').map((text) => {
    const [key, value] = splitPair('node-meta', text);
    return ['node-meta', `${key}:${value}`] as const;
  });
}
