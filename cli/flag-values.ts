import { type FlagTable, parseValue, scanFlags } from '../lib/config/flags.ts';

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
  const flags: FlagValues = {
    has: (name) => values.has(name),
    text: (name) => values.get(name)?.at(-1) ?? '',
    isSet: (name) => values.get(name)?.at(-1) === 'true',
    all: (name) => values.get(name) ?? [],
  };
  return { flags, args: rest };
}
