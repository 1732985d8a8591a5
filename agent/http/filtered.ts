import { compileFilter } from '../../lib/filter/compile-filter.ts';
import { checkFields, instanceFields } from '../../lib/filter/fields.ts';

const FIELDS = { service: instanceFields, check: checkFields };

/** Those of the named things that `?filter=` lets pass. */
export function filtered<T>(
  named: readonly (readonly [id: string, thing: T])[],
  filter: string,
  kind: keyof typeof FIELDS,
): readonly (readonly [id: string, thing: T])[] {
  if (filter === '') return named;
  const passes = compileFilter(filter, FIELDS[kind]);
  return named.filter(([, thing]) => passes(thing));
}
